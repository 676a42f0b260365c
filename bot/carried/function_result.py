"""The result of one function of the target for one combination of samples: its calls and the state that it leaves.

Samples become arguments and attributes. A function is interpreted once for all expectations about it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bot.carried.abstract_values import Instance, Tensor, Unknown, parse_sample
from bot.carried.conditional_values import Value
from bot.carried.interpret import Trace
from bot.carried.module_scope import Function, ModuleScope, parameters
from bot.carried.schema_code import Scalar
from bot.carried.state import State


@dataclass(frozen=True, slots=True)
class FunctionResult:
    """The inputs of a function, the calls that it made, and its end state; None if it never returns."""

    name: str
    given: Mapping[str, Value]
    trace: Trace
    end: State | None

    @property
    def attributes(self) -> dict[str, Value]:
        """The given attributes of the instance."""
        return {name.removeprefix("self."): v for name, v in self.given.items() if name.startswith("self.")}

    def before(self) -> State:
        """Return the state at the start of the function, with its parameters by the patch's names."""
        return State({"self": Instance(), **self._parameters()}, self.attributes)

    def as_expected(self) -> State:
        """Return the end state as an expectation sees it. A size that the function changed is unknown."""
        assert self.end is not None  # noqa: S101 - asked of a function that returns
        earlier = {f"{name}_before": v for name, v in self.attributes.items() if isinstance(v, Tensor)}
        end = State(
            {"self": Instance(), **self._parameters(), **earlier}, dict(self.end.attributes), dict(self.end.lines)
        )
        for name, value in self.attributes.items():
            # A sample stands for any value, so a changed size is no longer that sample.
            if not isinstance(value, Tensor) and end.attributes.get(name) is not value:
                end.attributes[name] = Unknown(f"`{self.name}` changes `self.{name}`")
        return end

    def _parameters(self) -> dict[str, Value]:
        return {name: value for name, value in self.given.items() if "." not in name}


def combinations(samples: Mapping[str, tuple[Scalar, ...]]) -> Iterator[Mapping[str, Scalar]]:
    """Yield every combination of a measure's samples."""
    for values in itertools.product(*samples.values()):
        yield dict(zip(samples, values, strict=True))


def follow(
    scope: ModuleScope, function: Function, names: Mapping[str, str], sample: Mapping[str, Scalar]
) -> FunctionResult:
    """Interpret the function for one combination. `names` maps the patch's parameter names to the function's."""
    key = (id(function), tuple(sample.items()))
    result = scope.results.get(key)
    if not isinstance(result, FunctionResult):
        result = scope.results[key] = _follow(scope, function, names, sample)
    return result


def _follow(
    scope: ModuleScope, function: Function, names: Mapping[str, str], sample: Mapping[str, Scalar]
) -> FunctionResult:
    inputs = {name: parse_sample(value, name) for name, value in sample.items()}
    trace = Trace(scope)
    by_parameter = {names[name]: value for name, value in inputs.items() if name in names}
    positional = [
        Instance()
        if argument.arg == names.get("self")
        else by_parameter.get(argument.arg, Unknown(f"`{argument.arg}`"))
        for argument in parameters(function)
    ]
    result = FunctionResult(function.name, inputs, trace, None)
    return FunctionResult(function.name, inputs, trace, trace.run(function, positional, result.attributes))

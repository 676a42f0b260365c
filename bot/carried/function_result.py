"""A function of the target followed for one combination of samples, and what is left of it.

Owns how samples become arguments and attributes. Followed once for all expectations that are asked of the end.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bot.carried.abstract_values import Instance, Tensor, Unknown, parse_sample
from bot.carried.conditional_values import Value
from bot.carried.interpret import Trace
from bot.carried.module_scope import Function, ModuleScope, parameters
from bot.carried.schema_rules import Scalar
from bot.carried.state import State


@dataclass(frozen=True, slots=True)
class FunctionResult:
    """What a function was given, the calls that were seen, and the state that it left; None where it never returns."""

    name: str
    given: Mapping[str, Value]
    trace: Trace
    end: State | None

    @property
    def attributes(self) -> dict[str, Value]:
        """The given attributes of the instance."""
        return {name.removeprefix("self."): v for name, v in self.given.items() if name.startswith("self.")}

    def before(self) -> State:
        """Return the state that the function found, with its parameters by the patch's names."""
        return State({"self": Instance(), **self._parameters()}, self.attributes)

    def as_expected(self) -> State:
        """Return the state that the function left, as an expectation sees it: a size that it changed is not known."""
        assert self.end is not None  # noqa: S101 - asked of a function that returns
        earlier = {f"{name}_before": v for name, v in self.attributes.items() if isinstance(v, Tensor)}
        end = State(
            {"self": Instance(), **self._parameters(), **earlier}, dict(self.end.attributes), dict(self.end.lines)
        )
        for name, value in self.attributes.items():
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
    """Follow the function for one combination. `names` are its own names for the parameters that the sample gives."""
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

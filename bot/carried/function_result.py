"""A function of the target followed for one combination of samples, and what is left of it.

Owns how samples become arguments and attributes. Followed once for all expectations that are asked of the end.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bot.carried.abstract_values import Instance, Tensor, Unknown, parse_sample
from bot.carried.conditional_values import Value
from bot.carried.evaluate import State
from bot.carried.interpret import Function, Surroundings, Trace, parameters
from bot.carried.schema import Scalar


@dataclass(frozen=True, slots=True)
class Followed:
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
        return State({"self": Instance(), **self._own()}, self.attributes)

    def judged(self) -> State:
        """Return the state that the function left, as an expectation sees it: a size that it changed is not known."""
        assert self.end is not None  # noqa: S101 - asked of a function that returns
        earlier = {f"{name}_before": v for name, v in self.attributes.items() if isinstance(v, Tensor)}
        end = State({"self": Instance(), **self._own(), **earlier}, dict(self.end.attributes), dict(self.end.lines))
        for name, value in self.attributes.items():
            if not isinstance(value, Tensor) and end.attributes.get(name) is not value:
                end.attributes[name] = Unknown(f"`{self.name}` changes `self.{name}`")
        return end

    def _own(self) -> dict[str, Value]:
        return {name: value for name, value in self.given.items() if "." not in name}


def combinations(samples: Mapping[str, tuple[Scalar, ...]]) -> Iterator[Mapping[str, Scalar]]:
    """Yield every combination of a measure's samples."""
    for values in itertools.product(*samples.values()):
        yield dict(zip(samples, values, strict=True))


def follow(
    surroundings: Surroundings, function: Function, names: Mapping[str, str], sample: Mapping[str, Scalar]
) -> Followed:
    """Follow the function for one combination. `names` are its own names for the parameters that the sample gives."""
    key = (id(function), tuple(sample.items()))
    known = surroundings.followed.get(key)
    if not isinstance(known, Followed):
        known = surroundings.followed[key] = _followed(surroundings, function, names, sample)
    return known


def _followed(
    surroundings: Surroundings, function: Function, names: Mapping[str, str], sample: Mapping[str, Scalar]
) -> Followed:
    given = {name: parse_sample(value, name) for name, value in sample.items()}
    trace = Trace(surroundings)
    bound = {names[name]: value for name, value in given.items() if name in names}
    positional = [
        Instance() if argument.arg == names.get("self") else bound.get(argument.arg, Unknown(f"`{argument.arg}`"))
        for argument in parameters(function)
    ]
    followed = Followed(function.name, given, trace, None)
    return Followed(function.name, given, trace, trace.run(function, positional, followed.attributes))

"""Values that depend on conditions: a tree of choices with plain values at its leaves.

A choice is always outermost: no tuple and no tensor contains one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bot.carried.polynomial import Number

Value = object
_MOST_LEAVES = 256
"""The most leaves of one tree. A value that depends on more conditions is not computed."""


@dataclass(frozen=True, slots=True)
class NotNegative:
    """Whether a number is at least 0."""

    number: Number


@dataclass(frozen=True, slots=True)
class IsZero:
    """Whether a number is 0."""

    number: Number


@dataclass(frozen=True, slots=True)
class Flag:
    """Whether something holds that is either way on some machine, such as `is_hip`."""

    name: str


@dataclass(frozen=True, slots=True)
class Unseen:
    """Whether something holds that the source does not determine. No two are equal: neither is assumed of the other."""

    text: str
    serial: int


Condition = NotNegative | IsZero | Flag | Unseen
Path = tuple[tuple[Condition, bool], ...]
"""Conditions, each with its outcome."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One value if the condition holds, another if it does not."""

    condition: Condition
    then: Value
    otherwise: Value


class TooManyCases(ArithmeticError):
    """A value depends on too many conditions."""


def choose(condition: Condition, then: Value, otherwise: Value) -> Value:
    """Return the value that depends on the condition, without the cases that the condition excludes."""
    then, otherwise = restrict(then, condition, holds=True), restrict(otherwise, condition, holds=False)
    # In Python `1 == True`, so types are compared too.
    if type(then) is type(otherwise) and then == otherwise:
        return then
    return Choice(condition, then, otherwise)


def restrict(value: Value, condition: Condition, *, holds: bool) -> Value:
    """Return the cases of a value that remain once the condition is known."""
    if not isinstance(value, Choice):
        return value
    if value.condition == condition:
        return restrict(value.then if holds else value.otherwise, condition, holds=holds)
    then = restrict(value.then, condition, holds=holds)
    otherwise = restrict(value.otherwise, condition, holds=holds)
    if then is value.then and otherwise is value.otherwise:
        return value
    return choose(value.condition, then, otherwise)


def lift(function: Callable[..., Value], *values: Value) -> Value:
    """Call a function of plain values for every combination of cases.

    Raises:
        TooManyCases: there are too many combinations.
    """
    return _check_size(_lift(function, values))


def _lift(function: Callable[..., Value], values: tuple[Value, ...]) -> Value:
    # One condition is decided for all values at once, so that they stay consistent.
    first = next((value for value in values if isinstance(value, Choice)), None)
    if first is None:
        return function(*values)
    condition = first.condition
    return choose(
        condition,
        _lift(function, tuple(restrict(value, condition, holds=True) for value in values)),
        _lift(function, tuple(restrict(value, condition, holds=False) for value in values)),
    )


def graft(test: Value, then: Value, otherwise: Value) -> Value:
    """Return one of two values by a tree of True and False.

    Raises:
        TooManyCases: there are more than are followed.
    """
    return _check_size(_graft(test, then, otherwise))


def _graft(test: Value, then: Value, otherwise: Value) -> Value:
    if not isinstance(test, Choice):
        return then if test is True else otherwise
    sides = []
    for holds, part in ((True, test.then), (False, test.otherwise)):
        condition = [restrict(value, test.condition, holds=holds) for value in (then, otherwise)]
        sides.append(_graft(part, *condition))
    return choose(test.condition, *sides)


def _check_size(value: Value) -> Value:
    if isinstance(value, Choice) and sum(1 for _ in leaves(value)) > _MOST_LEAVES:
        raise TooManyCases(f"it depends on more than {_MOST_LEAVES} cases")
    return value


def leaves(value: Value, path: Path = ()) -> Iterator[tuple[Path, Value]]:
    """Yield each plain value with the conditions under which it is the one."""
    if isinstance(value, Choice):
        yield from leaves(value.then, (*path, (value.condition, True)))
        yield from leaves(value.otherwise, (*path, (value.condition, False)))
    else:
        yield path, value

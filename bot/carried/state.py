"""The state of a function that is being interpreted, and the union of two states after a test that may go either way.

A test that the source does not determine becomes a condition of its own, so that both ways stay apart.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from bot.carried.abstract_values import Unknown, merge
from bot.carried.conditional_values import TooManyCases, Unseen, Value, choose, graft, lift
from bot.carried.known_calls import Arguments
from bot.carried.module_scope import Function

_SERIAL = itertools.count()


@dataclass(slots=True)
class State:
    """The names that a function sees, its instance's attributes, and the line that last set each attribute."""

    names: dict[str, Value]
    attributes: dict[str, Value]
    lines: dict[str, int] = field(default_factory=dict)
    path: tuple[tuple[Value, bool], ...] = ()
    """The tests from the start of the function to here, each with its outcome."""

    def copy(self, *step: tuple[Value, bool]) -> State:
        """Return a copy that can take its own way, after one more test."""
        return State(dict(self.names), dict(self.attributes), dict(self.lines), (*self.path, *step))

    def forget_attributes(self, reason: str) -> None:
        """Make every attribute unknown, because unknown code may have changed them."""
        self.attributes = dict.fromkeys(self.attributes, Unknown(reason))


class Definitions(Protocol):
    """The target's own definitions, as far as an expression needs them."""

    def resolve(self, name: str) -> Value:
        """Return the value of a name from outside the function."""

    def attribute(self, name: str, state: State) -> Value:
        """Return an attribute of the instance that the function did not set."""

    def call(self, name: str, arguments: Arguments, state: State, *, method: bool) -> Value:
        """Interpret the target's own function of that name. NotAnswered if it is not in the file."""

    def record(self, name: str, arguments: Arguments, line: int) -> None:
        """Record a call."""


def settle(test: Value) -> Value:
    """Return a test without Unknown: an unknown part becomes a condition of its own that may go either way."""
    try:
        return lift(_either, test)
    except TooManyCases as error:
        return _either(Unknown(str(error)))


def join_values(test: Value, then: Value, otherwise: Value) -> Value:
    """Return a value that is one of two, by a settled test."""
    if then is otherwise:  # what a branch did not touch
        return then
    try:
        return graft(test, then, otherwise)
    except TooManyCases as error:
        return Unknown(str(error))


def _either(leaf: Value) -> Value:
    if not isinstance(leaf, Unknown):
        return leaf
    # The serial number keeps two unknown tests from being taken for the same one.
    return choose(Unseen(leaf.reason, next(_SERIAL)), True, False)


def forget(node: ast.AST, state: State) -> None:
    """Make every name and attribute unknown that a node may set."""
    line = getattr(node, "lineno", 0)
    reason = Unknown(f"it may have been set in the block on line {line}")
    # A name that is set anywhere inside may have that value afterwards.
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store | ast.Del):
            state.names[inner.id] = reason
        elif isinstance(inner, ast.Attribute) and isinstance(inner.ctx, ast.Store | ast.Del):
            state.attributes[inner.attr] = reason
            state.lines[inner.attr] = line
        elif isinstance(inner, Function | ast.ClassDef):
            state.names[inner.name] = reason


def conjunction(path: tuple[tuple[Value, bool], ...]) -> Value:
    """Return one test that is true if every test on the path had its outcome."""
    result: Value = True
    for test, holds in reversed(path):
        result = settle(join_values(test, result, False) if holds else join_values(test, False, result))
    return result


def choose_state(test: Value, left: State, right: State, place: str) -> State:
    """Return the state that is one of two, by a test."""
    unset = Unknown(f"it is set on one way through {place} only")

    def join(first: Mapping[str, Value], second: Mapping[str, Value]) -> dict[str, Value]:
        return {
            name: join_values(test, first.get(name, unset), second.get(name, unset))
            for name in first.keys() | second.keys()
        }

    return State(join(left.names, right.names), join(left.attributes, right.attributes), left.lines | right.lines)


def merge_states(left: State, right: State, place: str) -> State:
    unset = Unknown(f"it is set on one way through {place} only")
    names = {
        name: merge(left.names.get(name, unset), right.names.get(name, unset), place)
        for name in left.names.keys() | right.names.keys()
    }
    attributes = {
        name: merge(left.attributes.get(name, unset), right.attributes.get(name, unset), place)
        for name in left.attributes.keys() | right.attributes.keys()
    }
    return State(names, attributes, left.lines | right.lines, left.path)

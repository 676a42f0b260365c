"""Expressions of a target's source, evaluated for given values or for all of them, without running any of its code.

Owns arithmetic, comparisons, attributes and who is called; what it does not know it calls Unknown. What well-known
calls return is in `calls`; statements and the target's own functions are in `trace`.
"""

from __future__ import annotations

import ast
import itertools
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Protocol

from bot.carried.calls import RESIZES, Arguments, call_function, call_tensor_method
from bot.carried.cases import Choice, TooManyCases, Unseen, Value, choose, graft, lift
from bot.carried.polynomial import Polynomial
from bot.carried.values import (
    Device,
    Instance,
    Ratio,
    Symbol,
    Tensor,
    Unanswered,
    Unknown,
    compare,
    equal,
    is_platform,
    platform,
    truth,
)

_BINARY: Mapping[type[ast.operator], Callable[..., Value]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: lambda a, b: Ratio(a, b) if Polynomial in (type(a), type(b)) else a / b,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: lambda a, b: a**b if b in range(64) else None,
    ast.LShift: lambda a, b: a * 2 ** min(b, 64),
    ast.RShift: lambda a, b: a // 2 ** min(b, 64),
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
}
_ORDER: Mapping[type[ast.cmpop], str] = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}


@dataclass(slots=True)
class State:
    """The names a traced function sees, and where each attribute of its instance was last set."""

    names: dict[str, Value]
    attributes: dict[str, Value]
    lines: dict[str, int] = field(default_factory=dict)
    path: tuple[tuple[Value, bool], ...] = ()
    """The tests on the way here, from the start of the function, with what each came out as."""

    def copy(self, *step: tuple[Value, bool]) -> State:
        """Return a state that can go its own way, after one more test."""
        return State(dict(self.names), dict(self.attributes), dict(self.lines), (*self.path, *step))

    def forget_attributes(self, reason: str) -> None:
        """Give up on every attribute: something out of sight may have changed them."""
        self.attributes = dict.fromkeys(self.attributes, Unknown(reason))


class Definitions(Protocol):
    """The target's own definitions, as far as an expression may need them."""

    def resolve(self, name: str) -> Value:
        """Return what a name outside the function stands for."""

    def attribute(self, name: str, state: State) -> Value:
        """Return an attribute of the instance that the traced function did not set."""

    def call(self, name: str, arguments: Arguments, state: State, *, method: bool) -> Value:
        """Trace the target's own function of that name; Unanswered where it has no such function in sight."""

    def record(self, name: str, arguments: Arguments, line: int) -> None:
        """Take note of a call."""


def evaluate(node: ast.expr, state: State, definitions: Definitions) -> Value:
    """Return what the expression is in that state. May set names (`:=`) and attributes (calls) of the state."""
    return _Evaluation(state, definitions).value(node)


def evaluate_test(node: ast.expr, state: State, definitions: Definitions) -> Value:
    """Say whether the expression counts as true in that state: True, False, a choice between them, Unknown in parts."""
    return _Evaluation(state, definitions).test(node)


def settled(test: Value) -> Value:
    """Return a test without Unknown: what is not known becomes a condition of its own, that may be either way."""
    try:
        return lift(_either, test)
    except TooManyCases as error:
        return _either(Unknown(str(error)))


def joined(test: Value, then: Value, otherwise: Value) -> Value:
    """Return what is known of a value that is one of two, by a settled test."""
    if then is otherwise:  # what a branch did not touch
        return then
    try:
        return graft(test, then, otherwise)
    except TooManyCases as error:
        return Unknown(str(error))


def _either(leaf: Value) -> Value:
    if not isinstance(leaf, Unknown):
        return leaf
    return choose(Unseen(leaf.reason, next(_SERIAL)), True, False)


_SERIAL = itertools.count()


class _Evaluation:
    def __init__(self, state: State, definitions: Definitions) -> None:
        self.state = state
        self.definitions = definitions

    def value(self, node: ast.expr) -> Value:
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        return method(node) if method else _unknown(node)

    def _constant(self, node: ast.Constant) -> Value:
        return node.value

    def _name(self, node: ast.Name) -> Value:
        return self.state.names[node.id] if node.id in self.state.names else self.definitions.resolve(node.id)

    def _lift(self, node: ast.AST, function: Callable[..., Value], *values: Value) -> Value:
        try:
            return lift(function, *values)
        except TooManyCases as error:
            return Unknown(f"line {getattr(node, 'lineno', 0)}: {error}")

    def _tuple(self, node: ast.Tuple | ast.List) -> Value:
        starred = [isinstance(element, ast.Starred) for element in node.elts]
        parts = [self.value(e.value if isinstance(e, ast.Starred) else e) for e in node.elts]

        def together(*values: Value) -> Value:
            items: list[Value] = []
            for spread, value in zip(starred, values, strict=True):
                if spread and not isinstance(value, tuple):
                    return _unknown(node)
                items += value if spread and isinstance(value, tuple) else (value,)
            return tuple(items)

        return self._lift(node, together, *parts)

    _list = _tuple

    def _namedexpr(self, node: ast.NamedExpr) -> Value:
        self.state.names[node.target.id] = result = self.value(node.value)
        return result

    def _unaryop(self, node: ast.UnaryOp) -> Value:
        if isinstance(node.op, ast.Not):
            return self.test(node)
        return self._lift(node, partial(_negative, node), self.value(node.operand))

    def _binop(self, node: ast.BinOp) -> Value:
        return self._lift(node, partial(_combined, node), self.value(node.left), self.value(node.right))

    def _boolop(self, node: ast.BoolOp) -> Value:
        stop_at = isinstance(node.op, ast.Or)
        first, *rest = node.values
        value = self.value(first)
        for operand in rest:
            if truth(value) is stop_at:
                return value
            value = self._lift(node, partial(_either_of, node, stop_at), value, self.value(operand))
        return value

    def test(self, node: ast.expr) -> Value:
        """Say whether an expression counts as true, which may be known where its value is not."""
        match node:
            case ast.BoolOp():
                return self._lift(node, _kleene(node.op), *map(self.test, node.values))
            case ast.UnaryOp(op=ast.Not()):
                return self._lift(
                    node, lambda inner: inner if isinstance(inner, Unknown) else not inner, self.test(node.operand)
                )
        return self._lift(node, partial(_truth, node), self.value(node))

    def _ifexp(self, node: ast.IfExp) -> Value:
        test = settled(self.test(node.test))
        if not isinstance(test, Choice):
            return self.value(node.body if test is True else node.orelse)
        return joined(test, self.value(node.body), self.value(node.orelse))

    def _compare(self, node: ast.Compare) -> Value:
        values = [self.value(operand) for operand in (node.left, *node.comparators)]
        pairs = [
            self._lift(node, partial(_compared, node, op), left, right)
            for op, left, right in zip(node.ops, values, values[1:], strict=False)
        ]
        return self._lift(node, _kleene(ast.And()), *pairs)

    def _attribute(self, node: ast.Attribute) -> Value:
        base = self.value(node.value)
        if isinstance(base, Instance):
            if node.attr in self.state.attributes:
                return self.state.attributes[node.attr]
            known = self.definitions.attribute(node.attr, self.state)
            return Device() if node.attr == "device" and isinstance(known, Unknown) else known
        return self._lift(node, partial(_attribute_of, node), base)

    def _subscript(self, node: ast.Subscript) -> Value:
        base = self.value(node.value)
        part = node.slice
        if isinstance(part, ast.Slice):
            if part.lower is not None or part.step is not None or part.upper is None:
                return _known(base, node)
            return self._lift(node, partial(_sliced, node), base, self.value(part.upper))
        return self._lift(node, partial(_element, node), base, self.value(part))

    def _call(self, node: ast.Call) -> Value:
        arguments = self._arguments(node)
        if isinstance(node.func, ast.Attribute):
            receiver = self.value(node.func.value)
            if isinstance(receiver, Instance):
                return self._method(node, node.func.attr, arguments)
            if isinstance(receiver, Unknown) and node.func.attr.startswith("new_"):
                receiver = Tensor((), Unknown("the dtype is another tensor's"), frozenset(), Device())
            if isinstance(receiver, Unknown):
                return self._unseen(node, receiver, arguments)
            if isinstance(receiver, Tensor | Choice):
                return self._tensor_method(node, receiver, node.func.attr, arguments)
        callee = self.value(node.func)
        name = callee.name if isinstance(callee, Symbol) else _shown(node.func)
        self.definitions.record(name.rpartition(".")[2], arguments, node.lineno)
        return self._function(node, name, arguments)

    def _arguments(self, node: ast.Call) -> Arguments:
        positional: list[Value] = []
        for argument in node.args:
            if isinstance(argument, ast.Starred):
                inner = self.value(argument.value)
                positional += inner if isinstance(inner, tuple) else (_unknown(argument),)
            else:
                positional.append(self.value(argument))
        keywords = {keyword.arg or "**": self.value(keyword.value) for keyword in node.keywords}
        return Arguments(tuple(positional), keywords)

    def _method(self, node: ast.Call, name: str, arguments: Arguments) -> Value:
        self.definitions.record(name, arguments, node.lineno)
        result = self.definitions.call(name, arguments, self.state, method=True)
        if not isinstance(result, Unanswered):
            return result
        self.state.forget_attributes(f"line {node.lineno} calls `{_shown(node.func)}`, which is defined elsewhere")
        return _unknown(node)

    def _function(self, node: ast.Call, name: str, arguments: Arguments) -> Value:
        if name in ("hasattr", "getattr", "setattr"):
            return self._by_name(node, name, arguments)
        result = self.definitions.call(name, arguments, self.state, method=False)
        if isinstance(result, Unanswered) and is_platform(name) and not arguments.positional:
            return choose(platform(name), True, False)
        if isinstance(result, Unanswered):
            result = self._lift_call(node, partial(call_function, name, place=_place(node)), arguments)
        return self._unseen(node, _unknown(node), arguments) if isinstance(result, Unanswered) else result

    def _lift_call(self, node: ast.Call, function: Callable[[Arguments], Value], arguments: Arguments) -> Value:
        count, names = len(arguments.positional), list(arguments.keywords)

        def call(*values: Value) -> Value:
            return function(Arguments(values[:count], dict(zip(names, values[count:], strict=True))))

        return self._lift(node, call, *arguments.positional, *arguments.keywords.values())

    def _unseen(self, node: ast.Call, result: Unknown, arguments: Arguments) -> Value:
        """Give up on the instance where code out of sight gets hold of it."""
        if any(isinstance(value, Instance) for value in (*arguments.positional, *arguments.keywords.values())):
            self.state.forget_attributes(f"line {node.lineno} hands the instance to `{_shown(node.func)}`")
        return result

    def _by_name(self, node: ast.Call, name: str, arguments: Arguments) -> Value:
        owner, attribute = arguments.get(0, ""), arguments.get(1, "")
        if not isinstance(owner, Instance) or not isinstance(attribute, str):
            return _unknown(node)
        if name == "setattr":
            self.state.attributes[attribute] = arguments.get(2, "")
            self.state.lines[attribute] = node.lineno
            return None
        value = self.state.attributes.get(attribute, self.definitions.attribute(attribute, self.state))
        if name == "hasattr":
            return self._lift(node, lambda leaf: leaf if isinstance(leaf, Unknown) else True, value)
        return value

    def _tensor_method(self, node: ast.Call, base: Value, name: str, arguments: Arguments) -> Value:
        if name in RESIZES:
            self.state.forget_attributes(f"line {node.lineno} resizes a tensor in place")

        def call(tensor: Value) -> Value:
            return self._lift_call(node, lambda given: _called(node, tensor, name, given), arguments)

        return self._lift(node, call, base)


def _called(node: ast.Call, base: Value, name: str, arguments: Arguments) -> Value:
    if not isinstance(base, Tensor):
        return _known(base, node)
    result = call_tensor_method(base, name, arguments, _place(node))
    return _unknown(node) if isinstance(result, Unanswered) else result


def _negative(node: ast.UnaryOp, operand: Value) -> Value:
    if not isinstance(operand, int | float | Polynomial):
        return _known(operand, node)
    return -operand if isinstance(node.op, ast.USub) else operand if isinstance(node.op, ast.UAdd) else _unknown(node)


def _combined(node: ast.BinOp, left: Value, right: Value) -> Value:
    apply = _BINARY.get(type(node.op))
    if isinstance(left, tuple) and isinstance(right, tuple) and isinstance(node.op, ast.Add):
        return left + right
    for side in (left, right):
        if not isinstance(side, int | float | Polynomial):
            return _known(side, node)
    try:
        result = apply(left, right) if apply else None
    except (ArithmeticError, AttributeError, TypeError, ValueError):
        return _unknown(node)
    return _unknown(node) if result is None else result


def _either_of(node: ast.BoolOp, stop_at: bool, value: Value, other: Value) -> Value:
    test = truth(value)
    if test is None:
        return _known(value, node)
    return graft(test, value, other) if stop_at else graft(test, other, value)


def _truth(node: ast.expr, value: Value) -> Value:
    known = truth(value)
    return _known(value, node) if known is None else known


def _kleene(op: ast.boolop) -> Callable[..., Value]:
    """Return `and` or `or` of what may not be known: one part can decide whatever the others are."""
    decisive = isinstance(op, ast.Or)

    def answer(*parts: Value) -> Value:
        if decisive in parts:
            return decisive
        return next((part for part in parts if isinstance(part, Unknown)), not decisive)

    return answer


def _attribute_of(node: ast.Attribute, base: Value) -> Value:
    match base:
        case Symbol(name):
            return Symbol(f"{name}.{node.attr}")
        case Tensor() if node.attr in ("shape", "dtype", "ndim", "device"):
            return {"shape": base.shape, "dtype": base.dtype, "ndim": len(base.shape), "device": base.device}[node.attr]
        case Unknown() if node.attr == "device" and "cpu" not in ast.unparse(node):
            return Device()
    return _known(base, node)


def _element(node: ast.Subscript, base: Value, index: Value) -> Value:
    if isinstance(base, tuple) and isinstance(index, int) and -len(base) <= index < len(base):
        return base[index]
    return _unknown(node) if isinstance(base, Tensor) else _known(base, node)


def _sliced(node: ast.Subscript, base: Value, upper: Value) -> Value:
    if not isinstance(base, Tensor) or not base.shape:
        return _unknown(node) if isinstance(base, Tensor) else _known(base, node)
    size = base.shape[0]
    fits, positive = compare("<=", upper, size), compare(">=", upper, 0)
    if fits is None or positive is not True:
        return _unknown(node)
    return graft(fits, _first(base, upper), base)


def _first(base: Tensor, count: Value) -> Tensor:
    return Tensor((count, *base.shape[1:]), base.dtype, base.storage, base.device)


def _compared(node: ast.Compare, op: ast.cmpop, left: Value, right: Value) -> Value:
    match op:
        case ast.Is() | ast.IsNot():
            result = _identical(left, right)
        case ast.Eq() | ast.NotEq():
            result = equal(left, right)
        case ast.In() | ast.NotIn() if isinstance(right, tuple):
            result = lift(_any_of, *(equal(left, item) for item in right)) if right else False
        case _:
            result = compare(_ORDER[type(op)], left, right) if type(op) in _ORDER else None
    if result is None:
        return _known(left, node) if isinstance(left, Unknown) else _known(right, node)
    return lift(lambda leaf: not leaf, result) if isinstance(op, ast.IsNot | ast.NotEq | ast.NotIn) else result


def _any_of(*tests: Value) -> Value:
    return True if True in tests else None if None in tests else False


def _identical(left: Value, right: Value) -> Value:
    if left is not None and right is not None:
        return None
    other = left if right is None else right
    if isinstance(other, Symbol) and is_platform(other.name):
        return choose(platform(other.name), False, True)
    return None if isinstance(other, Unknown | Symbol) else other is None


def _known(value: Value, node: ast.AST) -> Unknown:
    """Keep the first reason why something is not known."""
    return value if isinstance(value, Unknown) else _unknown(node)


def _place(node: ast.expr) -> str:
    return f"line {node.lineno}:{node.col_offset}"


@lru_cache(maxsize=1024)
def _shown(node: ast.AST) -> str:
    # The same few nodes are not known for every sample.
    return ast.unparse(node)


def _unknown(node: ast.AST) -> Unknown:
    return Unknown(f"line {getattr(node, 'lineno', 0)}: `{_shown(node)}` cannot be evaluated")

"""Expressions of a target's source, evaluated for sample values without running any of its code.

Owns arithmetic, comparisons, attributes and who is called; what it does not know it calls Unknown. What well-known
calls return is in `calls`; statements and the target's own functions are in `trace`.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

from bot.carried.calls import RESIZES, Arguments, call_function, call_tensor_method
from bot.carried.values import Instance, Symbol, Tensor, Unanswered, Unknown, Value, equal, merge, truth

_BINARY: Mapping[type[ast.operator], Callable[[int, int], int | float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.LShift: lambda a, b: a << min(b, 64),
    ast.RShift: operator.rshift,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
}
_ORDER: Mapping[type[ast.cmpop], Callable[[int, int], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


@dataclass(slots=True)
class State:
    """The names a traced function sees, and where each attribute of its instance was last set."""

    names: dict[str, Value]
    attributes: dict[str, Value]
    lines: dict[str, int] = field(default_factory=dict)

    def copy(self) -> State:
        """Return a state that can go its own way."""
        return State(dict(self.names), dict(self.attributes), dict(self.lines))

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


def evaluate_test(node: ast.expr, state: State, definitions: Definitions) -> bool | None:
    """Say whether the expression counts as true in that state, or None where that is not known."""
    return _Evaluation(state, definitions).test(node)


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

    def _tuple(self, node: ast.Tuple | ast.List) -> Value:
        items: list[Value] = []
        for element in node.elts:
            if not isinstance(element, ast.Starred):
                items.append(self.value(element))
                continue
            inner = self.value(element.value)
            if not isinstance(inner, tuple):
                return _unknown(node)
            items += inner
        return tuple(items)

    _list = _tuple

    def _namedexpr(self, node: ast.NamedExpr) -> Value:
        self.state.names[node.target.id] = result = self.value(node.value)
        return result

    def _unaryop(self, node: ast.UnaryOp) -> Value:
        operand = self.value(node.operand)
        if isinstance(node.op, ast.Not):
            known = self.test(node.operand)
            return _known(operand, node) if known is None else not known
        if not isinstance(operand, int | float):
            return _known(operand, node)
        return -operand if isinstance(node.op, ast.USub) else _unknown(node)

    def _binop(self, node: ast.BinOp) -> Value:
        left, right = self.value(node.left), self.value(node.right)
        apply = _BINARY.get(type(node.op))
        if isinstance(left, tuple) and isinstance(right, tuple) and isinstance(node.op, ast.Add):
            return left + right
        if apply is None or not (isinstance(left, int | float) and isinstance(right, int | float)):
            return _known(left, node) if isinstance(left, Unknown) else _known(right, node)
        try:
            return apply(left, right)  # type: ignore[arg-type]
        except (ArithmeticError, TypeError, ValueError):
            return _unknown(node)

    def _boolop(self, node: ast.BoolOp) -> Value:
        stop_at = isinstance(node.op, ast.Or)
        value: Value = None
        for operand in node.values:
            value = self.value(operand)
            known = truth(value)
            if known is None:
                return _known(value, node)
            if known is stop_at:
                return value
        return value

    def test(self, node: ast.expr) -> bool | None:
        """Say whether an expression counts as true, which may be known where its value is not."""
        match node:
            case ast.BoolOp():
                stop_at = isinstance(node.op, ast.Or)
                known = [self.test(operand) for operand in node.values]
                return stop_at if stop_at in known else None if None in known else not stop_at
            case ast.UnaryOp(op=ast.Not()):
                inner = self.test(node.operand)
                return None if inner is None else not inner
        return truth(self.value(node))

    def _ifexp(self, node: ast.IfExp) -> Value:
        known = self.test(node.test)
        if known is not None:
            return self.value(node.body if known else node.orelse)
        return merge(self.value(node.body), self.value(node.orelse), f"line {node.lineno}")

    def _compare(self, node: ast.Compare) -> Value:
        left = self.value(node.left)
        unknown: Value | None = None
        for op, comparator in zip(node.ops, node.comparators, strict=True):
            right = self.value(comparator)
            result = _compared(op, left, right)
            if result is False:
                return False
            if result is None and unknown is None:
                unknown = _known(left, node) if isinstance(left, Unknown) else _known(right, node)
            left = right
        return True if unknown is None else unknown

    def _attribute(self, node: ast.Attribute) -> Value:
        base = self.value(node.value)
        if isinstance(base, Instance):
            if node.attr in self.state.attributes:
                return self.state.attributes[node.attr]
            return self.definitions.attribute(node.attr, self.state)
        if isinstance(base, Symbol):
            return Symbol(f"{base.name}.{node.attr}")
        if isinstance(base, Tensor) and node.attr in ("shape", "dtype", "ndim"):
            return {"shape": base.shape, "dtype": base.dtype, "ndim": len(base.shape)}[node.attr]
        return _known(base, node)

    def _subscript(self, node: ast.Subscript) -> Value:
        base = self.value(node.value)
        if isinstance(base, Tensor):
            return self._sliced(base, node)
        index = self.value(node.slice)
        if isinstance(base, tuple) and isinstance(index, int) and -len(base) <= index < len(base):
            return base[index]
        return _known(base, node)

    def _sliced(self, base: Tensor, node: ast.Subscript) -> Value:
        part = node.slice
        if isinstance(part, ast.Slice) and part.lower is None and part.step is None and part.upper and base.shape:
            upper, size = self.value(part.upper), base.shape[0]
            if isinstance(upper, int) and isinstance(size, int) and upper >= 0:
                return Tensor((min(upper, size), *base.shape[1:]), base.dtype, base.storage)
        return _unknown(node)

    def _call(self, node: ast.Call) -> Value:
        arguments = self._arguments(node)
        if isinstance(node.func, ast.Attribute):
            receiver = self.value(node.func.value)
            if isinstance(receiver, Instance):
                return self._method(node, node.func.attr, arguments)
            if isinstance(receiver, Unknown) and node.func.attr.startswith("new_"):
                receiver = Tensor((), Unknown("the dtype is another tensor's"), frozenset())
            if isinstance(receiver, Tensor):
                return self._tensor_method(node, receiver, node.func.attr, arguments)
            if isinstance(receiver, Unknown):
                return self._unseen(node, receiver, arguments)
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
        if isinstance(result, Unanswered):
            result = call_function(name, arguments, _place(node))
        return self._unseen(node, _unknown(node), arguments) if isinstance(result, Unanswered) else result

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
            return _known(value, node) if isinstance(value, Unknown) else True
        return value

    def _tensor_method(self, node: ast.Call, base: Tensor, name: str, arguments: Arguments) -> Value:
        if name in RESIZES:
            self.state.forget_attributes(f"line {node.lineno} resizes a tensor in place")
        result = call_tensor_method(base, name, arguments, _place(node))
        return _unknown(node) if isinstance(result, Unanswered) else result


def _compared(op: ast.cmpop, left: Value, right: Value) -> bool | None:
    if isinstance(op, ast.Is | ast.IsNot):
        if left is not None and right is not None:
            return None
        other = left if right is None else right
        same = None if isinstance(other, Unknown | Symbol) else other is None
        return same if same is None or isinstance(op, ast.Is) else not same
    if isinstance(op, ast.Eq | ast.NotEq):
        same = equal(left, right)
        return same if same is None or isinstance(op, ast.Eq) else not same
    compare = _ORDER.get(type(op))
    if compare is None or not (isinstance(left, int | float) and isinstance(right, int | float)):
        return None
    return compare(left, right)  # type: ignore[arg-type]


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

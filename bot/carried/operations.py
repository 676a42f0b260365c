"""Operators, comparisons, attributes and slices of abstract values, once each operand is a plain value.

A result that is not known is Unknown, with the first reason.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from functools import lru_cache

from bot.carried.abstract_values import (
    Device,
    Ratio,
    Symbol,
    Tensor,
    Unknown,
    UnknownCallee,
    compare,
    equal,
    is_platform,
    platform,
    truth,
)
from bot.carried.conditional_values import Value, choose, graft, lift
from bot.carried.known_calls import Arguments, call_tensor_method
from bot.carried.polynomial import Polynomial

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


def tensor_method(node: ast.Call, base: Value, name: str, arguments: Arguments) -> Value:
    """Return the result of a tensor's method."""
    if not isinstance(base, Tensor):
        return unknown_from(base, node)
    result = call_tensor_method(base, name, arguments, place_of(node))
    return unknown(node) if isinstance(result, UnknownCallee) else result


def negative(node: ast.UnaryOp, operand: Value) -> Value:
    """Return the value with a sign."""
    if not isinstance(operand, int | float | Polynomial):
        return unknown_from(operand, node)
    return -operand if isinstance(node.op, ast.USub) else operand if isinstance(node.op, ast.UAdd) else unknown(node)


def binary_operation(node: ast.BinOp, left: Value, right: Value) -> Value:
    """Return the result of a binary operator."""
    apply = _BINARY.get(type(node.op))
    # Shapes are tuples, and code joins them with `+`.
    if isinstance(left, tuple) and isinstance(right, tuple) and isinstance(node.op, ast.Add):
        return left + right
    for side in (left, right):
        if not isinstance(side, int | float | Polynomial):
            return unknown_from(side, node)
    try:
        result = apply(left, right) if apply else None
    except (ArithmeticError, AttributeError, TypeError, ValueError):
        return unknown(node)
    return unknown(node) if result is None else result


def either_of(node: ast.BoolOp, stop_at: bool, value: Value, second: Value) -> Value:
    """Return the result of `or` (of `and` if `stop_at` is False)."""
    test = truth(value)
    if test is None:
        return unknown_from(value, node)
    return graft(test, value, second) if stop_at else graft(test, second, value)


def truth_of(node: ast.expr, value: Value) -> Value:
    """Return the truth value, or the reason why it is unknown."""
    result = truth(value)
    return unknown_from(value, node) if result is None else result


def kleene(op: ast.boolop) -> Callable[..., Value]:
    """Return `and` or `or` of values that may be unknown (https://en.wikipedia.org/wiki/Three-valued_logic)."""
    # One True decides `or`, and one False decides `and`, whatever the unknown parts are.
    decisive = isinstance(op, ast.Or)

    def combine(*parts: Value) -> Value:
        if decisive in parts:
            return decisive
        return next((part for part in parts if isinstance(part, Unknown)), not decisive)

    return combine


def attribute_of(node: ast.Attribute, base: Value) -> Value:
    """Return an attribute of a value that is not the instance."""
    match base:
        case Symbol(name):
            return Symbol(f"{name}.{node.attr}")
        case Tensor() if node.attr in ("shape", "dtype", "ndim", "device"):
            return {"shape": base.shape, "dtype": base.dtype, "ndim": len(base.shape), "device": base.device}[node.attr]
        case Unknown() if node.attr == "device" and "cpu" not in ast.unparse(node):
            return Device()
    return unknown_from(base, node)


def element(node: ast.Subscript, base: Value, index: Value) -> Value:
    """Return an item of a tuple."""
    if isinstance(base, tuple) and isinstance(index, int) and -len(base) <= index < len(base):
        return base[index]
    return unknown(node) if isinstance(base, Tensor) else unknown_from(base, node)


def first_rows(node: ast.Subscript, base: Value, upper: Value) -> Value:
    """Return the first rows of a tensor."""
    if not isinstance(base, Tensor) or not base.shape:
        return unknown(node) if isinstance(base, Tensor) else unknown_from(base, node)
    size = base.shape[0]
    fits, positive = compare("<=", upper, size), compare(">=", upper, 0)
    # A negative bound counts from the end.
    if fits is None or positive is not True:
        return unknown(node)
    return graft(fits, _first(base, upper), base)


def _first(base: Tensor, count: Value) -> Tensor:
    return Tensor((count, *base.shape[1:]), base.dtype, base.storage, base.device)


def comparison(node: ast.Compare, op: ast.cmpop, left: Value, right: Value) -> Value:
    """Return the result of a comparison."""
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
        return unknown_from(left, node) if isinstance(left, Unknown) else unknown_from(right, node)
    return lift(lambda leaf: not leaf, result) if isinstance(op, ast.IsNot | ast.NotEq | ast.NotIn) else result


def _any_of(*tests: Value) -> Value:
    return True if True in tests else None if None in tests else False


def _identical(left: Value, right: Value) -> Value:
    if left is not None and right is not None:
        return None
    operand = left if right is None else right
    if isinstance(operand, Symbol) and is_platform(operand.name):
        return choose(platform(operand.name), False, True)
    return None if isinstance(operand, Unknown | Symbol) else operand is None


def unknown_from(value: Value, node: ast.AST) -> Unknown:
    """Return the value if it is Unknown, so that the first reason is kept, else a new Unknown."""
    return value if isinstance(value, Unknown) else unknown(node)


def place_of(node: ast.expr) -> str:
    """Return the line and column of an expression, as reasons name them."""
    return f"line {node.lineno}:{node.col_offset}"


@lru_cache(maxsize=1024)  # the same few nodes are not known for every sample
def source_of(node: ast.AST) -> str:
    """Return a node as source."""
    return ast.unparse(node)


def unknown(node: ast.AST) -> Unknown:
    """Say that an expression cannot be evaluated."""
    return Unknown(f"line {getattr(node, 'lineno', 0)}: `{source_of(node)}` cannot be evaluated")

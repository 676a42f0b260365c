"""Evaluates expressions of a target's source for given values or for all of them, without running any of its code.

This module walks the expression and finds the callee. `operations` computes operators, `known_calls` computes
well-known calls, and `interpret` runs statements and the target's own functions.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import partial

from bot.carried.abstract_values import (
    Device,
    Instance,
    Symbol,
    Tensor,
    Unknown,
    UnknownCallee,
    is_platform,
    platform,
    truth,
)
from bot.carried.conditional_values import Choice, TooManyCases, Value, choose, lift
from bot.carried.known_calls import RESIZES, Arguments, call_function
from bot.carried.operations import (
    attribute_of,
    binary_operation,
    comparison,
    either_of,
    element,
    first_rows,
    kleene,
    negative,
    place_of,
    source_of,
    tensor_method,
    truth_of,
    unknown,
    unknown_from,
)
from bot.carried.state import Definitions, State, join_values, settle


def evaluate(node: ast.expr, state: State, definitions: Definitions) -> Value:
    """Return the value of an expression in a state. It may set names (`:=`) and attributes (calls) of the state."""
    return _Evaluation(state, definitions).value(node)


def evaluate_test(node: ast.expr, state: State, definitions: Definitions) -> Value:
    """Return the truth value of an expression in a state: True, False, a choice between them, or Unknown in parts."""
    return _Evaluation(state, definitions).test(node)


class _Evaluation:
    def __init__(self, state: State, definitions: Definitions) -> None:
        self.state = state
        self.definitions = definitions

    def value(self, node: ast.expr) -> Value:
        # One method for each class of the ast module: https://docs.python.org/3/library/ast.html#abstract-grammar
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        return method(node) if method else unknown(node)

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
        are_starred = [isinstance(element, ast.Starred) for element in node.elts]
        parts = [self.value(e.value if isinstance(e, ast.Starred) else e) for e in node.elts]

        def operate(*values: Value) -> Value:
            items: list[Value] = []
            for spread, value in zip(are_starred, values, strict=True):
                if spread and not isinstance(value, tuple):
                    return unknown(node)
                items += value if spread and isinstance(value, tuple) else (value,)
            return tuple(items)

        return self._lift(node, operate, *parts)

    _list = _tuple

    def _namedexpr(self, node: ast.NamedExpr) -> Value:
        self.state.names[node.target.id] = result = self.value(node.value)
        return result

    def _unaryop(self, node: ast.UnaryOp) -> Value:
        if isinstance(node.op, ast.Not):
            return self.test(node)
        return self._lift(node, partial(negative, node), self.value(node.operand))

    def _binop(self, node: ast.BinOp) -> Value:
        return self._lift(node, partial(binary_operation, node), self.value(node.left), self.value(node.right))

    def _boolop(self, node: ast.BoolOp) -> Value:
        stop_at = isinstance(node.op, ast.Or)
        first, *operands = node.values
        value = self.value(first)
        for operand in operands:
            # Python does not evaluate the operands after this one.
            if truth(value) is stop_at:
                return value
            value = self._lift(node, partial(either_of, node, stop_at), value, self.value(operand))
        return value

    def test(self, node: ast.expr) -> Value:
        """Return the truth value of an expression, which may be known even if its value is not."""
        match node:
            case ast.BoolOp():
                return self._lift(node, kleene(node.op), *map(self.test, node.values))
            case ast.UnaryOp(op=ast.Not()):
                return self._lift(
                    node, lambda inner: inner if isinstance(inner, Unknown) else not inner, self.test(node.operand)
                )
        return self._lift(node, partial(truth_of, node), self.value(node))

    def _ifexp(self, node: ast.IfExp) -> Value:
        test = settle(self.test(node.test))
        if not isinstance(test, Choice):
            return self.value(node.body if test is True else node.orelse)
        return join_values(test, self.value(node.body), self.value(node.orelse))

    def _compare(self, node: ast.Compare) -> Value:
        values = [self.value(operand) for operand in (node.left, *node.comparators)]
        pairs = [
            self._lift(node, partial(comparison, node, op), left, right)
            for op, left, right in zip(node.ops, values, values[1:], strict=False)
        ]
        return self._lift(node, kleene(ast.And()), *pairs)

    def _attribute(self, node: ast.Attribute) -> Value:
        base = self.value(node.value)
        if isinstance(base, Instance):
            if node.attr in self.state.attributes:
                return self.state.attributes[node.attr]
            value = self.definitions.attribute(node.attr, self.state)
            return Device() if node.attr == "device" and isinstance(value, Unknown) else value
        return self._lift(node, partial(attribute_of, node), base)

    def _subscript(self, node: ast.Subscript) -> Value:
        base = self.value(node.value)
        part = node.slice
        if isinstance(part, ast.Slice):
            if part.lower is not None or part.step is not None or part.upper is None:
                return unknown_from(base, node)
            return self._lift(node, partial(first_rows, node), base, self.value(part.upper))
        return self._lift(node, partial(element, node), base, self.value(part))

    def _call(self, node: ast.Call) -> Value:
        arguments = self._arguments(node)
        if isinstance(node.func, ast.Attribute):
            receiver = self.value(node.func.value)
            if isinstance(receiver, Instance):
                return self._method(node, node.func.attr, arguments)
            # `x.new_zeros(...)` makes a tensor of a known shape, whatever `x` is.
            if isinstance(receiver, Unknown) and node.func.attr.startswith("new_"):
                receiver = Tensor((), Unknown("the dtype is another tensor's"), frozenset(), Device())
            if isinstance(receiver, Unknown):
                return self._unseen(node, receiver, arguments)
            if isinstance(receiver, Tensor | Choice):
                return self._tensor_method(node, receiver, node.func.attr, arguments)
        callee = self.value(node.func)
        name = callee.name if isinstance(callee, Symbol) else source_of(node.func)
        self.definitions.record(name.rpartition(".")[2], arguments, node.lineno)
        return self._function(node, name, arguments)

    def _arguments(self, node: ast.Call) -> Arguments:
        positional: list[Value] = []
        for argument in node.args:
            if isinstance(argument, ast.Starred):
                inner = self.value(argument.value)
                positional += inner if isinstance(inner, tuple) else (unknown(argument),)
            else:
                positional.append(self.value(argument))
        keywords = {keyword.arg or "**": self.value(keyword.value) for keyword in node.keywords}
        return Arguments(tuple(positional), keywords)

    def _method(self, node: ast.Call, name: str, arguments: Arguments) -> Value:
        self.definitions.record(name, arguments, node.lineno)
        result = self.definitions.call(name, arguments, self.state, method=True)
        if not isinstance(result, UnknownCallee):
            return result
        self.state.forget_attributes(f"line {node.lineno} calls `{source_of(node.func)}`, which is defined elsewhere")
        return unknown(node)

    def _function(self, node: ast.Call, name: str, arguments: Arguments) -> Value:
        if name in ("hasattr", "getattr", "setattr"):
            return self._by_name(node, name, arguments)
        result = self.definitions.call(name, arguments, self.state, method=False)
        if isinstance(result, UnknownCallee) and is_platform(name) and not arguments.positional:
            return choose(platform(name), True, False)
        if isinstance(result, UnknownCallee):
            result = self._lift_call(node, partial(call_function, name, place=place_of(node)), arguments)
        return self._unseen(node, unknown(node), arguments) if isinstance(result, UnknownCallee) else result

    def _lift_call(self, node: ast.Call, function: Callable[[Arguments], Value], arguments: Arguments) -> Value:
        count, names = len(arguments.positional), list(arguments.keywords)

        def call(*values: Value) -> Value:
            return function(Arguments(values[:count], dict(zip(names, values[count:], strict=True))))

        return self._lift(node, call, *arguments.positional, *arguments.keywords.values())

    def _unseen(self, node: ast.Call, result: Unknown, arguments: Arguments) -> Value:
        """Forget the instance's attributes if unknown code gets hold of it."""
        if any(isinstance(value, Instance) for value in (*arguments.positional, *arguments.keywords.values())):
            self.state.forget_attributes(f"line {node.lineno} hands the instance to `{source_of(node.func)}`")
        return result

    def _by_name(self, node: ast.Call, name: str, arguments: Arguments) -> Value:
        owner, attribute = arguments.get(0, ""), arguments.get(1, "")
        if not isinstance(owner, Instance) or not isinstance(attribute, str):
            return unknown(node)
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
            return self._lift_call(node, lambda values: tensor_method(node, tensor, name, values), arguments)

        return self._lift(node, call, base)

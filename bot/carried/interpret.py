"""Interprets a function of the target on abstract values, statement by statement, both ways if a test is open.

None of the target's code runs. The result over-approximates: a value that differs between two ways depends on the test,
and a value that unknown code may have changed is Unknown. A way that ends in an exception is not followed further.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bot.carried.abstract_values import Instance, Symbol, Unknown, UnknownCallee
from bot.carried.conditional_values import Choice, Value
from bot.carried.evaluate import evaluate, evaluate_test
from bot.carried.known_calls import Arguments
from bot.carried.module_scope import Function, ModuleScope, import_symbols, parameters
from bot.carried.state import State, choose_state, conjunction, forget, join_values, merge_states, settle

_DEEPEST = 6


@dataclass(frozen=True, slots=True)
class Call:
    """A call that the function made."""

    name: str
    arguments: Arguments
    line: int


@dataclass(slots=True)
class _Frame:
    """The ends of all ways through one function so far."""

    ends: list[tuple[State, Value]] = field(default_factory=list)


class Trace:
    """One run through a function. `calls` lists its calls. The instance is the class's, if there is a class."""

    def __init__(self, scope: ModuleScope) -> None:
        self.calls: list[Call] = []
        self._globals = scope.globals
        self._functions = scope.functions
        self._methods = scope.methods
        self._initials = scope.initials
        self._resolving: set[str] = set()
        self._depth = 0

    def run(self, function: Function, inputs: Sequence[Value], attributes: Mapping[str, Value]) -> State | None:
        """Interpret the function with its first parameters given. Return its end state, None if it never returns."""
        state = State({}, dict(attributes))
        _bind(function, Arguments(tuple(inputs), {}), state)
        result = self._follow(function, state)
        return result[0] if result else None

    # --- Definitions, as expressions see them -------------------------------------------------------------------------

    def resolve(self, name: str) -> Value:
        return self._globals.get(name, Symbol(name))

    def attribute(self, name: str, state: State) -> Value:
        """Evaluate the one assignment in `__init__`, or the property of that name."""
        not_set = Unknown(f"`self.{name}` is not known")
        prop = self._methods.get(name)
        # An attribute can be defined by itself through another one.
        if name in self._resolving:
            return not_set
        self._resolving.add(name)
        try:
            if prop is not None and any("property" in ast.unparse(d) for d in prop.decorator_list):
                result = self.call(name, Arguments((), {}), state, method=True)
                return not_set if isinstance(result, UnknownCallee) else result
            value = self._initials.get(name)
            if value is None:
                return not_set
            names: dict[str, Value] = {argument.arg: not_set for argument in parameters(self._methods["__init__"])}
            names[parameters(self._methods["__init__"])[0].arg] = Instance()
            result = evaluate(value, State(names, dict(state.attributes)), self)
            # What only a missing name kept from being known is still an honest "not known".
            return not_set if isinstance(result, Symbol) else result
        finally:
            self._resolving.discard(name)

    def call(self, name: str, arguments: Arguments, state: State, *, method: bool) -> Value:
        function = (self._methods if method else self._functions).get(name)
        if function is None or self._depth >= _DEEPEST or isinstance(function, ast.AsyncFunctionDef):
            return UnknownCallee()
        decorators = {ast.unparse(decorator) for decorator in function.decorator_list}
        # Any other decorator may replace the function.
        if not decorators <= {"staticmethod", "property", "cached_property", "functools.cached_property"}:
            return UnknownCallee()
        if method and "staticmethod" not in decorators:
            arguments = Arguments((Instance(), *arguments.positional), arguments.keywords)
        inner = State({}, state.attributes, state.lines, state.path)
        _bind(function, arguments, inner)
        self._depth += 1
        try:
            result = self._follow(function, inner)
        finally:
            self._depth -= 1
        if result is None:
            return Unknown(f"`{name}` does not return")
        state.attributes, state.lines = result[0].attributes, result[0].lines
        return result[1]

    def record(self, name: str, arguments: Arguments, line: int) -> None:
        self.calls.append(Call(name, arguments, line))

    # --- Statements ---------------------------------------------------------------------------------------------------

    def _follow(self, function: Function, state: State) -> tuple[State, Value] | None:
        frame = _Frame()
        end = self._block(function.body, state.copy(), frame)
        ends = frame.ends + ([(end, None)] if end else [])
        if not ends:
            return None
        result, value = ends[-1]
        for earlier, early_value in reversed(ends[:-1]):
            test = conjunction(earlier.path[len(state.path) :])
            result = choose_state(test, earlier, result, f"`{function.name}`")
            value = join_values(test, early_value, value)
        result.path = state.path
        return result, value

    def _block(self, body: Iterable[ast.stmt], state: State | None, frame: _Frame) -> State | None:
        for statement in body:
            if state is None:
                return None
            state = self._statement(statement, state, frame)
        return state

    def _statement(self, node: ast.stmt, state: State, frame: _Frame) -> State | None:
        match node:
            case ast.If():
                return self._if(node, state, frame)
            case ast.For() | ast.While() | ast.AsyncFor() | ast.Try() | ast.TryStar() | ast.Match():
                return self._uncertain(node, state, frame)
            case ast.With() | ast.AsyncWith():
                for item in node.items:
                    if item.optional_vars is not None:
                        _assign(item.optional_vars, Unknown("it comes from a `with`"), state, self)
                return self._block(node.body, state, frame)
            case ast.Return() | ast.Raise() | ast.Break() | ast.Continue():
                if isinstance(node, ast.Return):
                    frame.ends.append((state, evaluate(node.value, state, self) if node.value else None))
                return None
            case ast.Assert():
                # An assertion that fails ends the way, like an exception.
                return None if evaluate_test(node.test, state, self) is False else state
        self._simple(node, state)
        return state

    def _simple(self, node: ast.stmt, state: State) -> None:
        match node:
            case ast.Assign():
                value = evaluate(node.value, state, self)
                for target in node.targets:
                    _assign(target, value, state, self)
            case ast.AnnAssign(value=ast.expr() as value):
                _assign(node.target, evaluate(value, state, self), state, self)
            case ast.AugAssign():
                current = ast.copy_location(ast.BinOp(_as_load(node.target), node.op, node.value), node)
                _assign(node.target, evaluate(current, state, self), state, self)
            case ast.Expr():
                evaluate(node.value, state, self)
            case ast.Import() | ast.ImportFrom():
                state.names.update(import_symbols(node))
            case ast.Pass() | ast.AnnAssign() | ast.Global() | ast.Nonlocal():
                pass
            case _:
                forget(node, state)

    def _if(self, node: ast.If, state: State, frame: _Frame) -> State | None:
        test = settle(evaluate_test(node.test, state, self))
        if not isinstance(test, Choice):
            return self._block(node.body if test is True else node.orelse, state, frame)
        before = state.path
        body_state = self._block(node.body, state.copy((test, True)), frame)
        else_state = self._block(node.orelse, state.copy((test, False)), frame)
        if body_state is None or else_state is None:
            return body_state or else_state
        result = choose_state(test, body_state, else_state, f"the `if` on line {node.lineno}")
        result.path = before
        return result

    def _uncertain(self, node: ast.stmt, state: State, frame: _Frame) -> State:
        """Follow code that runs any number of times or stops anywhere: all that it sets is unknown afterwards."""
        forget(node, state)
        for _, body in ast.iter_fields(node):
            parts = body if isinstance(body, list) else []
            statements = [part for part in parts if isinstance(part, ast.stmt)]
            for part in parts:
                inner = part.body if isinstance(part, ast.ExceptHandler | ast.match_case) else []
                self._block(inner, state.copy(), frame)
            end = self._block(statements, state.copy(), frame) if statements else None
            state = merge_states(state, end, f"line {node.lineno}") if end else state
        forget(node, state)
        return state


def _bind(function: Function, arguments: Arguments, state: State) -> None:
    positional = parameters(function)
    defaults = dict(zip([p.arg for p in positional][::-1], function.args.defaults[::-1], strict=False))
    defaults |= {p.arg: d for p, d in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True) if d}
    for argument in (*positional, *function.args.kwonlyargs, function.args.vararg, function.args.kwarg):
        if argument is not None:
            default = defaults.get(argument.arg)
            literal = default.value if isinstance(default, ast.Constant) else Unknown(f"`{argument.arg}` is not given")
            state.names[argument.arg] = literal
    state.names.update(zip([p.arg for p in positional], arguments.positional, strict=False))
    state.names.update({name: value for name, value in arguments.keywords.items() if name in state.names})


def _assign(target: ast.expr, value: Value, state: State, trace: Trace) -> None:
    match target:
        case ast.Name():
            state.names[target.id] = value
        case ast.Attribute() if isinstance(evaluate(target.value, state, trace), Instance):
            state.attributes[target.attr] = value
            state.lines[target.attr] = target.lineno
        case ast.Tuple() | ast.List():
            fits = isinstance(value, tuple) and len(value) == len(target.elts)
            values = value if fits and isinstance(value, tuple) else [Unknown("it is unpacked")] * len(target.elts)
            for element, part in zip(target.elts, values, strict=True):
                _assign(element, part, state, trace)
        case ast.Starred():
            _assign(target.value, Unknown("it is unpacked"), state, trace)
        case _:
            pass  # Writing an element of something changes no name and no shape.


def _as_load(target: ast.expr) -> ast.expr:
    copy = ast.parse(ast.unparse(target), mode="eval").body
    return ast.copy_location(copy, target)

"""A function of the target, followed statement by statement, both ways where a test is open.

Owns control flow and the target's own definitions (module constants, helpers, methods). Runs none of the target's
code, and over-approximates: what differs between two ways depends on the test, and what may have changed out of sight
ends as Unknown. A way that ends in an exception is not followed further.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from bot.carried.abstract_values import Instance, Symbol, Unanswered, Unknown, merge
from bot.carried.conditional_values import Choice, Value
from bot.carried.evaluate import State, evaluate, evaluate_test, joined, settled
from bot.carried.known_calls import Arguments

Function = ast.FunctionDef | ast.AsyncFunctionDef
_DEEPEST = 6


@dataclass(frozen=True, slots=True)
class Call:
    """A call seen on the way."""

    name: str
    arguments: Arguments
    line: int


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a traced function can see of its own file: read once, shared by every sample."""

    globals: Mapping[str, Value]
    functions: Mapping[str, Function]
    methods: Mapping[str, Function]
    initials: Mapping[str, ast.expr]
    followed: dict[object, object] = field(default_factory=dict, compare=False)
    """What `follow` has followed already, for the other expectations that are asked of it."""

    @classmethod
    @lru_cache(maxsize=4)  # each patch of a file asks for those of the same class
    def of(cls, module: ast.Module, class_name: str | None) -> Surroundings:
        """Collect a module's constants and functions, and a class's methods and what only `__init__` assigns."""
        owner = next((n for n in module.body if isinstance(n, ast.ClassDef) and n.name == class_name), None)
        methods = {node.name: node for node in (owner.body if owner else ()) if isinstance(node, Function)}
        functions = {node.name: node for node in module.body if isinstance(node, Function)}
        return cls(_globals(module), functions, methods, _initials(methods))


@dataclass(slots=True)
class _Frame:
    """Where paths through one function have ended so far."""

    ends: list[tuple[State, Value]] = field(default_factory=list)


class Trace:
    """One run through a function. `calls` lists what it called; the instance is the class's, where there is one."""

    def __init__(self, surroundings: Surroundings) -> None:
        self.calls: list[Call] = []
        self._globals = surroundings.globals
        self._functions = surroundings.functions
        self._methods = surroundings.methods
        self._initials = surroundings.initials
        self._resolving: set[str] = set()
        self._depth = 0

    def run(self, function: Function, given: Sequence[Value], attributes: Mapping[str, Value]) -> State | None:
        """Follow the function with its first parameters given; return the state it leaves, None if it never returns."""
        state = State({}, dict(attributes))
        _bind(function, Arguments(tuple(given), {}), state)
        result = self._follow(function, state)
        return result[0] if result else None

    # --- Definitions, as expressions see them -------------------------------------------------------------------------

    def resolve(self, name: str) -> Value:
        return self._globals.get(name, Symbol(name))

    def attribute(self, name: str, state: State) -> Value:
        """Evaluate the one assignment that `__init__` makes, or the property of that name."""
        missing = Unknown(f"`self.{name}` is not known")
        prop = self._methods.get(name)
        if name in self._resolving:
            return missing
        self._resolving.add(name)
        try:
            if prop is not None and any("property" in ast.unparse(d) for d in prop.decorator_list):
                result = self.call(name, Arguments((), {}), state, method=True)
                return missing if isinstance(result, Unanswered) else result
            value = self._initials.get(name)
            if value is None:
                return missing
            names: dict[str, Value] = {argument.arg: missing for argument in parameters(self._methods["__init__"])}
            names[parameters(self._methods["__init__"])[0].arg] = Instance()
            result = evaluate(value, State(names, dict(state.attributes)), self)
            # What only a missing name kept from being known is still an honest "not known".
            return missing if isinstance(result, Symbol) else result
        finally:
            self._resolving.discard(name)

    def call(self, name: str, arguments: Arguments, state: State, *, method: bool) -> Value:
        function = (self._methods if method else self._functions).get(name)
        if function is None or self._depth >= _DEEPEST or isinstance(function, ast.AsyncFunctionDef):
            return Unanswered()
        decorators = {ast.unparse(decorator) for decorator in function.decorator_list}
        if not decorators <= {"staticmethod", "property", "cached_property", "functools.cached_property"}:
            return Unanswered()
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
        for earlier, returned in reversed(ends[:-1]):
            test = _all(earlier.path[len(state.path) :])
            result = _either(test, earlier, result, f"`{function.name}`")
            value = joined(test, returned, value)
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
                current = ast.copy_location(ast.BinOp(_loaded(node.target), node.op, node.value), node)
                _assign(node.target, evaluate(current, state, self), state, self)
            case ast.Expr():
                evaluate(node.value, state, self)
            case ast.Import() | ast.ImportFrom():
                state.names.update(_imported(node))
            case ast.Pass() | ast.AnnAssign() | ast.Global() | ast.Nonlocal():
                pass
            case _:
                _forget(node, state)

    def _if(self, node: ast.If, state: State, frame: _Frame) -> State | None:
        test = settled(evaluate_test(node.test, state, self))
        if not isinstance(test, Choice):
            return self._block(node.body if test is True else node.orelse, state, frame)
        before = state.path
        taken = self._block(node.body, state.copy((test, True)), frame)
        other = self._block(node.orelse, state.copy((test, False)), frame)
        if taken is None or other is None:
            return taken or other
        result = _either(test, taken, other, f"the `if` on line {node.lineno}")
        result.path = before
        return result

    def _uncertain(self, node: ast.stmt, state: State, frame: _Frame) -> State:
        """Follow code that runs any number of times or stops anywhere: whatever it sets is not known afterwards."""
        _forget(node, state)
        for _, body in ast.iter_fields(node):
            parts = body if isinstance(body, list) else []
            statements = [part for part in parts if isinstance(part, ast.stmt)]
            for part in parts:
                inner = part.body if isinstance(part, ast.ExceptHandler | ast.match_case) else []
                self._block(inner, state.copy(), frame)
            end = self._block(statements, state.copy(), frame) if statements else None
            state = _merged(state, end, f"line {node.lineno}") if end else state
        _forget(node, state)
        return state


def parameters(function: Function) -> list[ast.arg]:
    """Return the parameters that can be given by position."""
    return [*function.args.posonlyargs, *function.args.args]


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


def _forget(node: ast.AST, state: State) -> None:
    """Give up on every name and attribute that the node may set."""
    line = getattr(node, "lineno", 0)
    reason = Unknown(f"it may have been set in the block on line {line}")
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store | ast.Del):
            state.names[inner.id] = reason
        elif isinstance(inner, ast.Attribute) and isinstance(inner.ctx, ast.Store | ast.Del):
            state.attributes[inner.attr] = reason
            state.lines[inner.attr] = line
        elif isinstance(inner, Function | ast.ClassDef):
            state.names[inner.name] = reason


def _all(path: tuple[tuple[Value, bool], ...]) -> Value:
    """Return one test that is true where every test on the path came out as it did."""
    result: Value = True
    for test, holds in reversed(path):
        result = settled(joined(test, result, False) if holds else joined(test, False, result))
    return result


def _either(test: Value, left: State, right: State, place: str) -> State:
    """Return the state that is one of two, by a test."""
    unset = Unknown(f"it is set on one way through {place} only")

    def join(one: Mapping[str, Value], other: Mapping[str, Value]) -> dict[str, Value]:
        return {name: joined(test, one.get(name, unset), other.get(name, unset)) for name in one.keys() | other.keys()}

    return State(join(left.names, right.names), join(left.attributes, right.attributes), left.lines | right.lines)


def _merged(left: State, right: State, place: str) -> State:
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


def _loaded(target: ast.expr) -> ast.expr:
    loaded = ast.parse(ast.unparse(target), mode="eval").body
    return ast.copy_location(loaded, target)


def _imported(node: ast.Import | ast.ImportFrom) -> dict[str, Value]:
    if isinstance(node, ast.Import):
        return {
            a.asname or a.name.partition(".")[0]: Symbol(a.name if a.asname else a.name.partition(".")[0])
            for a in node.names
        }
    return {alias.asname or alias.name: Symbol(f"{node.module or ''}.{alias.name}") for alias in node.names}


def _globals(module: ast.Module) -> dict[str, Value]:
    """Return the module's own imports and the constants that nothing assigns again."""
    known: dict[str, Value] = {}
    stores: Counter[str] = Counter()
    todo: list[ast.AST] = [module]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            known.update(_imported(node))
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            stores[node.id] += 1
        elif not isinstance(node, Function | ast.Lambda):
            todo += ast.iter_child_nodes(node)
    for node in module.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=value)) if stores[name] == 1:
                known[name] = value
    return known


def _initials(methods: Mapping[str, Function]) -> Mapping[str, ast.expr]:
    """Return the value of each attribute that one plain assignment in `__init__` sets, and nothing else."""
    stores = Counter(
        node.attr
        for method in methods.values()
        for node in ast.walk(method)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del)
    )
    init = methods.get("__init__")
    return {
        node.targets[0].attr: node.value
        for node in (init.body if init else ())
        if isinstance(node, ast.Assign) and len(node.targets) == 1
        if isinstance(node.targets[0], ast.Attribute) and stores[node.targets[0].attr] == 1
    }

"""Calls that main supports and the target does not: a function, a keyword or a method that only main has.

Only lines that the pick brought are checked, and a call is reported only if main's own tree surely supports it and the
picked tree surely does not. That is the sign of a missing earlier commit.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from bot.analysis.module_index import Definition, DefinitionNode, Modules, bindings, parse
from bot.models import Match


class CallSupport(Enum):
    """Whether a tree supports a use of a name, as far as its text shows."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One use of a name: `name` alone, `owner.name`, or `self.name` within a class of the file."""

    line: int
    name: str
    owner: str | None = None
    within: str | None = None
    call: ast.Call | None = None

    @property
    def spelling(self) -> str:
        """The use as it is written in the file."""
        return f"{self.owner}.{self.name}" if self.owner else self.name


def unsupported_calls(candidate: Modules, main: Modules, path: str, ours: bytes | None) -> Iterator[Match]:
    """Yield the uses on lines that are in the picked file and not in `ours`, and that only main supports."""
    content = candidate.content(path) or b""
    module = parse(content)
    if module is None or main.content(path) is None:
        return
    # The branch's own calls work there already.
    old = set((ours or b"").splitlines())
    new = {number for number, line in enumerate(content.splitlines(), 1) if line not in old}
    for use in _uses(module, None):
        if (
            use.line in new
            and _support(candidate, path, use) is CallSupport.NO
            and _support(main, path, use) is CallSupport.YES
        ):
            yield Match(path, use.line, *_sentence(candidate, path, use))


def _uses(node: ast.AST, within: str | None) -> Iterator[Use]:
    for inner in ast.iter_child_nodes(node):
        call = inner if isinstance(inner, ast.Call) else None
        target = call.func if call else inner
        if (
            isinstance(target, ast.Attribute)
            and isinstance(target.value, ast.Name)
            and isinstance(target.ctx, ast.Load)
        ):
            is_self = target.value.id == "self"
            if call or not is_self:
                owner = target.value.id
                yield Use(
                    line=target.lineno, name=target.attr, owner=owner, within=within if is_self else None, call=call
                )
        elif call and isinstance(target, ast.Name):
            yield Use(line=target.lineno, name=target.id, call=call)
        yield from _uses(inner, inner.name if isinstance(inner, ast.ClassDef) else within)


def _support(modules: Modules, path: str, use: Use) -> CallSupport:
    if use.owner == "self":
        return _class_support(modules, path, use) if use.within else CallSupport.UNKNOWN
    owner = modules.meaning(path, use.owner) if use.owner else None
    if use.owner and (owner is None or owner.node is not None):
        return CallSupport.UNKNOWN
    if owner and not modules.offers(owner.path, use.name):
        return CallSupport.NO
    definition = modules.meaning(owner.path if owner else path, use.name)
    if definition is None or definition.node is None or use.call is None:
        return CallSupport.YES if owner else CallSupport.UNKNOWN
    return _definition_support(modules, definition, use.call)


def _definition_support(modules: Modules, definition: Definition, call: ast.Call) -> CallSupport:
    node = definition.node
    if node is None or node.decorator_list:
        return CallSupport.UNKNOWN
    if not isinstance(node, ast.ClassDef):
        return _accepts(node.args, call, bound=0)
    classes = list(_lineage(modules, definition))
    constructors = [_method(member, "__init__") for member in classes if isinstance(member, Definition)]
    constructor = next((member for member in constructors if member is not None), None)
    plain = all(isinstance(member, Definition) and _is_plain(member) for member in classes)
    return (
        _accepts(constructor.args, call, bound=1)
        if plain and constructor and not constructor.decorator_list
        else CallSupport.UNKNOWN
    )


def _is_plain(definition: Definition) -> bool:
    # A metaclass, a class decorator or `__new__` can take other arguments than `__init__`.
    node = definition.node
    return isinstance(node, ast.ClassDef) and not (
        node.keywords or node.decorator_list or _method(definition, "__new__")
    )


def _class_support(modules: Modules, path: str, use: Use) -> CallSupport:
    start = modules.meaning(path, use.within or "")
    if start is None or not isinstance(start.node, ast.ClassDef):
        return CallSupport.UNKNOWN
    for ancestor in _lineage(modules, start):
        if ancestor is None:
            return CallSupport.UNKNOWN
        method = _method(ancestor, use.name)
        if method is not None:
            plain = use.call is not None and not method.decorator_list
            return _accepts(method.args, use.call, bound=1) if plain and use.call else CallSupport.YES
        if use.name in _attributes(modules.content(ancestor.path) or b""):
            return CallSupport.YES
    return CallSupport.NO


def _lineage(modules: Modules, start: Definition) -> Iterator[Definition | None]:
    """Yield a class and its bases, in about Python's order; None for a base that cannot be read."""
    queue, visited_nodes = [start], set()
    while queue:
        current = queue.pop(0)
        node = current.node
        if not isinstance(node, ast.ClassDef) or id(node) in visited_nodes:
            continue
        visited_nodes.add(id(node))
        yield current
        for base in node.bases:
            if isinstance(base, ast.Name) and base.id == "object":
                continue
            parent = modules.meaning(current.path, base.id) if isinstance(base, ast.Name) else None
            if parent is None or not isinstance(parent.node, ast.ClassDef):
                yield None
                return
            queue.append(parent)


def _method(definition: Definition, name: str) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    body = definition.node.body if isinstance(definition.node, ast.ClassDef) else []
    methods = [
        statement
        for statement in body
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef) and statement.name == name
    ]
    return methods[0] if len(methods) == 1 else None


def _attributes(content: bytes) -> frozenset[str]:
    """Return every name that a file may give to an object: definitions, assignments, and strings because of setattr."""
    module = parse(content)
    names: set[str] = set(bindings(content))
    for node in ast.walk(module) if module else ():
        if isinstance(node, DefinitionNode):
            names.add(node.name)
        elif isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
            names.add(node.attr)
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names.add(node.id)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names.add(node.value)
    return frozenset(names)


def _accepts(args: ast.arguments, call: ast.Call, *, bound: int) -> CallSupport:
    """Return whether a signature accepts a call. `bound` is the number of arguments that the object itself fills in."""
    # `*args` and `**kwargs` can stand for any arguments.
    if any(isinstance(argument, ast.Starred) for argument in call.args) or any(
        argument.arg is None for argument in call.keywords
    ):
        return CallSupport.UNKNOWN
    positional = [argument.arg for argument in (*args.posonlyargs, *args.args)][bound:]
    names = {*positional, *(argument.arg for argument in args.kwonlyargs)}
    keywords = {argument.arg for argument in call.keywords}
    if not args.kwarg and not keywords <= names:
        return CallSupport.NO
    if not args.vararg and len(call.args) > len(positional):
        return CallSupport.NO
    unfilled_names = positional[len(call.args) : max(0, len(positional) - len(args.defaults))]
    required_names = {
        *unfilled_names,
        *(argument.arg for argument, default in zip(args.kwonlyargs, args.kw_defaults, strict=True) if not default),
    }
    return CallSupport.YES if required_names <= keywords else CallSupport.NO


def _sentence(candidate: Modules, path: str, use: Use) -> tuple[str, str]:
    """Return the rule and the detail of a use that only main supports."""
    if use.owner == "self":
        is_defined = any(
            ancestor and _method(ancestor, use.name) for ancestor in _lineage(candidate, _class(candidate, path, use))
        )
        problem = "takes other arguments here" if is_defined else "is not in the class here"
        return ("other-arguments" if is_defined else "missing-method"), f"`{use.spelling}` {problem}; main has it"
    owner = candidate.meaning(path, use.owner) if use.owner else None
    if owner and not candidate.offers(owner.path, use.name):
        return "missing-name", f"`{use.spelling}` is not in {owner.path} here; main has it"
    return "other-arguments", f"`{use.spelling}` takes other arguments here than the call gives, and than on main"


def _class(modules: Modules, path: str, use: Use) -> Definition:
    return modules.meaning(path, use.within or "") or Definition(path)

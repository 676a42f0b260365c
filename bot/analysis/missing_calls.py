"""Calls that main can answer and the target cannot: a function, a keyword or a method that only main has.

Owns what is asked of a call and when the answer is sure. Only uses on lines that the pick brought are asked, and only
what main's own tree answers and the picked one does not is told: that is what a missing earlier commit looks like.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from bot.analysis.module_index import Definition, DefinitionNode, Modules, bindings, parse
from bot.models import Match


class CallSupport(Enum):
    """Whether a tree has what a use asks for, as far as reading it can tell."""

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
    def spelled(self) -> str:
        """The use as it is written."""
        return f"{self.owner}.{self.name}" if self.owner else self.name


def unanswered_calls(picked: Modules, main: Modules, path: str, ours: bytes | None) -> Iterator[Match]:
    """Yield the uses on lines that a file of the picked tree has and `ours` has not, which only main answers."""
    content = picked.content(path) or b""
    module = parse(content)
    if module is None or main.content(path) is None:
        return
    old = set((ours or b"").splitlines())
    new = {number for number, line in enumerate(content.splitlines(), 1) if line not in old}
    for use in _uses(module, None):
        if use.line in new and _ask(picked, path, use) is CallSupport.NO and _ask(main, path, use) is CallSupport.YES:
            yield Match(path, use.line, *_sentence(picked, path, use))


def _uses(node: ast.AST, within: str | None) -> Iterator[Use]:
    for inner in ast.iter_child_nodes(node):
        call = inner if isinstance(inner, ast.Call) else None
        asked = call.func if call else inner
        if isinstance(asked, ast.Attribute) and isinstance(asked.value, ast.Name) and isinstance(asked.ctx, ast.Load):
            own = asked.value.id == "self"
            if call or not own:
                owner = asked.value.id
                yield Use(line=asked.lineno, name=asked.attr, owner=owner, within=within if own else None, call=call)
        elif call and isinstance(asked, ast.Name):
            yield Use(line=asked.lineno, name=asked.id, call=call)
        yield from _uses(inner, inner.name if isinstance(inner, ast.ClassDef) else within)


def _ask(modules: Modules, path: str, use: Use) -> CallSupport:
    if use.owner == "self":
        return _ask_class(modules, path, use) if use.within else CallSupport.UNKNOWN
    owner = modules.meaning(path, use.owner) if use.owner else None
    if use.owner and (owner is None or owner.node is not None):
        return CallSupport.UNKNOWN
    if owner and not modules.offers(owner.path, use.name):
        return CallSupport.NO
    found = modules.meaning(owner.path if owner else path, use.name)
    if found is None or found.node is None or use.call is None:
        return CallSupport.YES if owner else CallSupport.UNKNOWN
    return _ask_definition(modules, found, use.call)


def _ask_definition(modules: Modules, found: Definition, call: ast.Call) -> CallSupport:
    node = found.node
    if node is None or node.decorator_list:
        return CallSupport.UNKNOWN
    if not isinstance(node, ast.ClassDef):
        return _accepts(node.args, call, bound=0)
    classes = list(_lineage(modules, found))
    own = [_method(each, "__init__") for each in classes if isinstance(each, Definition)]
    made = next((each for each in own if each is not None), None)
    plain = all(isinstance(each, Definition) and _is_plain(each) for each in classes)
    return _accepts(made.args, call, bound=1) if plain and made and not made.decorator_list else CallSupport.UNKNOWN


def _is_plain(found: Definition) -> bool:
    # A metaclass, a class decorator or `__new__` can take other arguments than `__init__`.
    node = found.node
    return isinstance(node, ast.ClassDef) and not (node.keywords or node.decorator_list or _method(found, "__new__"))


def _ask_class(modules: Modules, path: str, use: Use) -> CallSupport:
    start = modules.meaning(path, use.within or "")
    if start is None or not isinstance(start.node, ast.ClassDef):
        return CallSupport.UNKNOWN
    for each in _lineage(modules, start):
        if each is None:
            return CallSupport.UNKNOWN
        method = _method(each, use.name)
        if method is not None:
            plain = use.call is not None and not method.decorator_list
            return _accepts(method.args, use.call, bound=1) if plain and use.call else CallSupport.YES
        if use.name in _attributes(modules.content(each.path) or b""):
            return CallSupport.YES
    return CallSupport.NO


def _lineage(modules: Modules, start: Definition) -> Iterator[Definition | None]:
    """Yield a class and those it inherits from, in about Python's order; None for one that cannot be read."""
    waiting, seen = [start], set()
    while waiting:
        current = waiting.pop(0)
        node = current.node
        if not isinstance(node, ast.ClassDef) or id(node) in seen:
            continue
        seen.add(id(node))
        yield current
        for base in node.bases:
            if isinstance(base, ast.Name) and base.id == "object":
                continue
            found = modules.meaning(current.path, base.id) if isinstance(base, ast.Name) else None
            if found is None or not isinstance(found.node, ast.ClassDef):
                yield None
                return
            waiting.append(found)


def _method(found: Definition, name: str) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    body = found.node.body if isinstance(found.node, ast.ClassDef) else []
    named = [each for each in body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) and each.name == name]
    return named[0] if len(named) == 1 else None


def _attributes(content: bytes) -> frozenset[str]:
    """Return every name that a file may give to an object: definitions, assignments, and strings, for setattr."""
    module = parse(content)
    found: set[str] = set(bindings(content))
    for node in ast.walk(module) if module else ():
        if isinstance(node, DefinitionNode):
            found.add(node.name)
        elif isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
            found.add(node.attr)
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
    return frozenset(found)


def _accepts(args: ast.arguments, call: ast.Call, *, bound: int) -> CallSupport:
    """Say whether a signature takes a call; `bound` counts what the object itself fills in."""
    if any(isinstance(each, ast.Starred) for each in call.args) or any(each.arg is None for each in call.keywords):
        return CallSupport.UNKNOWN
    positional = [each.arg for each in (*args.posonlyargs, *args.args)][bound:]
    names = {*positional, *(each.arg for each in args.kwonlyargs)}
    given = {each.arg for each in call.keywords}
    if not args.kwarg and not given <= names:
        return CallSupport.NO
    if not args.vararg and len(call.args) > len(positional):
        return CallSupport.NO
    required = positional[len(call.args) : max(0, len(positional) - len(args.defaults))]
    needed = {
        *required,
        *(each.arg for each, default in zip(args.kwonlyargs, args.kw_defaults, strict=True) if not default),
    }
    return CallSupport.YES if needed <= given else CallSupport.NO


def _sentence(picked: Modules, path: str, use: Use) -> tuple[str, str]:
    """Return the rule and the detail of a use that only main answers."""
    if use.owner == "self":
        has = any(each and _method(each, use.name) for each in _lineage(picked, _class(picked, path, use)))
        what = "takes other arguments here" if has else "is not in the class here"
        return ("other-arguments" if has else "missing-method"), f"`{use.spelled}` {what}; main has it"
    owner = picked.meaning(path, use.owner) if use.owner else None
    if owner and not picked.offers(owner.path, use.name):
        return "missing-name", f"`{use.spelled}` is not in {owner.path} here; main has it"
    return "other-arguments", f"`{use.spelled}` takes other arguments here than the call gives, and than on main"


def _class(modules: Modules, path: str, use: Use) -> Definition:
    return modules.meaning(path, use.within or "") or Definition(path)

"""Modules of the target whose definitions come to life one by one, when they are first asked for.

Importing the backend for real would import all of sglang, which needs a GPU stack. A lazy module runs no statement of
its file until a name is asked for; then it runs exactly the statements that bind it. What a caller gets is the target's
own code: a name the file does not bind is missing here as it is in reality.
"""

from __future__ import annotations
import __future__

import ast
import builtins
import contextlib
import importlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

_TRITON_DECORATORS = frozenset({"jit", "autotune", "heuristics"})
_COMPOUND = (ast.If, ast.Try, ast.With, ast.For, ast.While)


class Unbound(KeyError):
    """The file binds no such name."""


class Namespace(dict[str, Any]):
    """A module's globals: a name that is missing is brought to life. CPython looks names up in a subclass by item."""

    def __init__(self, source: Source, module: ModuleType) -> None:
        super().__init__(vars(module))
        self["__builtins__"] = builtins
        self._source, self._running = source, set[int]()

    def __missing__(self, name: str) -> Any:
        for index in self._source.binding(name):
            self._run(index)
        if name in self:
            return self[name]
        return self._from_star_imports(name)

    def _run(self, index: int) -> None:
        """Run one statement, once. Names that it needs at once are brought to life before it."""
        if index in self._running:
            return
        self._running.add(index)
        try:
            for needed in self._source.needs(index):
                with contextlib.suppress(Unbound):
                    self[needed]
            exec(self._source.compiled(index), self)  # noqa: S102 - running the target's code is what a suite is for
        except BaseException:
            self._running.discard(index)
            raise

    def _from_star_imports(self, name: str) -> Any:
        for module in self._source.star_imports(self["__package__"]):
            if not name.startswith("_") and hasattr(module, name):
                self[name] = getattr(module, name)
                return self[name]
        raise Unbound(name)


class Source:
    """One file's statements, and which of them bind which name. `of` reads a file once in a process."""

    @classmethod
    @cache
    def of(cls, path: Path) -> Source:
        """Return the statements of a file, which has been read before if it can have been."""
        return cls(path)

    def __init__(self, path: Path) -> None:
        self.path = path
        text = path.read_bytes() if path.is_file() else b""
        self._body = ast.parse(text, str(path)).body
        futures = [each for each in self._body if isinstance(each, ast.ImportFrom) and each.module == "__future__"]
        self._flags = 0
        for name in (alias.name for each in futures for alias in each.names):
            self._flags |= getattr(__future__, name).compiler_flag
        self._bindings: dict[str, list[int]] = {}
        for index, statement in enumerate(self._body):
            for name in set(_bound(statement)):
                self._bindings.setdefault(name, []).append(index)

    def binding(self, name: str) -> list[int]:
        """Return the statements that bind a name, in order."""
        return self._bindings.get(name, [])

    def needs(self, index: int) -> Iterator[str]:
        """Yield the names that a statement reads when it runs, not those that a function in it reads when called."""
        return _read_at_once(self._body[index])

    def compiled(self, index: int) -> CodeType:
        """Compile one statement under the file's own name and line numbers, so that its source can be inspected."""
        module = ast.Module([self._body[index]], type_ignores=[])
        return compile(module, str(self.path), "exec", flags=self._flags, dont_inherit=True)

    def star_imports(self, package: str) -> Iterator[ModuleType]:
        """Import the modules that the file takes all names from."""
        for statement in self._body:
            if isinstance(statement, ast.ImportFrom) and statement.names[0].name == "*":
                dots = "." * statement.level
                yield importlib.import_module(dots + (statement.module or ""), package)


def _bound(statement: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement binds in its module."""
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield statement.name
    elif isinstance(statement, (ast.Import, ast.ImportFrom)):
        yield from (alias.asname or alias.name.partition(".")[0] for alias in statement.names if alias.name != "*")
    elif isinstance(statement, _COMPOUND):
        for child in ast.iter_child_nodes(statement):
            yield from _bound_below(child)
    else:
        yield from _bound_below(statement)


def _bound_below(node: ast.AST) -> Iterator[str]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom, *_COMPOUND)):
        yield from _bound(node)
        return
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    for child in ast.iter_child_nodes(node):
        yield from _bound_below(child)


def _read_at_once(node: ast.AST) -> Iterator[str]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
        parts: list[ast.AST] = [*node.args.defaults, *(each for each in node.args.kw_defaults if each)]
        if not isinstance(node, ast.Lambda):
            parts += node.decorator_list
            annotated = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            parts += [each.annotation for each in annotated if each.annotation]
            parts += [node.returns] if node.returns else []
            # Triton reads a kernel's globals from outside, past the look-up of missing names: they must be there.
            parts += node.body if any(_is_triton(each) for each in node.decorator_list) else []
        for part in parts:
            yield from _read_at_once(part)
        return
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        yield node.id
    for child in ast.iter_child_nodes(node):
        yield from _read_at_once(child)


def _is_triton(decorator: ast.expr) -> bool:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return (called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")) in _TRITON_DECORATORS

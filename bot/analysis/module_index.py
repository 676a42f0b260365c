"""The Python modules of one tree: the file that an import means, and the definition that a name stands for.

A name is followed only if exactly one statement binds it. A name that is bound twice, computed or imported from another
project is unknown, and an unknown name is never reported.
"""

from __future__ import annotations

import ast
import warnings
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import PurePosixPath

from bot.analysis.file_words import words
from bot.models import SourceTree

# A longer chain of re-exports is a circle.
_MOST_REEXPORTS = 6

DefinitionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True, slots=True)
class ImportedName:
    """A name bound by an import: a module, or with `name` something in it. `level` counts the leading dots."""

    module: str
    level: int = 0
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Definition:
    """The definition that a name stands for: a `node` in a file of the tree, or without a node the file as a module."""

    path: str
    node: DefinitionNode | None = None


Bound = ImportedName | DefinitionNode | None
"""The statement that binds a name; None for a binding that defines nothing, such as an assignment."""


@lru_cache(maxsize=6)
def parse(content: bytes) -> ast.Module | None:
    """Return a file's syntax tree, or None if it is not Python."""
    try:
        with warnings.catch_warnings():
            # The project's code may warn, e.g. about its string escapes. That is not our concern.
            warnings.simplefilter("ignore")
            return ast.parse(content)
    except (SyntaxError, ValueError, RecursionError):
        return None


@lru_cache(maxsize=12)
def bindings(content: bytes) -> dict[str, list[Bound]]:
    """Return the bindings of each name of a file, in any scope but a class's own."""
    result: dict[str, list[Bound]] = defaultdict(list)
    module = parse(content)
    for name, bound in _bound_in(module, top=True) if module else ():
        result[name].append(bound)
    return result


def _bound_in(node: ast.AST, *, top: bool) -> Iterator[tuple[str, Bound]]:
    for inner in ast.iter_child_nodes(node):
        if isinstance(inner, ast.Name) and not isinstance(inner.ctx, ast.Load):
            yield from [] if isinstance(node, ast.ClassDef) else [(inner.id, None)]
        elif isinstance(inner, ast.arg):
            yield inner.arg, None
        elif isinstance(inner, ast.ExceptHandler) and inner.name:
            yield inner.name, None
        elif isinstance(inner, ast.Import | ast.ImportFrom):
            yield from _import_bindings(inner)
        elif isinstance(inner, DefinitionNode) and not isinstance(node, ast.ClassDef):
            # Only its function sees a definition inside a function.
            yield inner.name, inner if top else None
        yield from _bound_in(inner, top=top and not isinstance(inner, DefinitionNode))


def _import_bindings(statement: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, Bound]]:
    for alias in statement.names:
        if isinstance(statement, ast.ImportFrom):
            yield alias.asname or alias.name, ImportedName(statement.module or "", statement.level, alias.name)
        elif alias.asname:
            yield alias.asname, ImportedName(alias.name)
        else:  # `import a.b` binds `a` alone
            yield alias.name.partition(".")[0], ImportedName(alias.name.partition(".")[0])


@dataclass(slots=True)
class Modules:
    """The modules of one tree, each file read once."""

    tree: SourceTree
    _files: dict[str, bytes | None] = field(default_factory=dict)

    def content(self, path: str) -> bytes | None:
        """Return a file's bytes, or None if there is no such file."""
        if path not in self._files:
            self._files[path] = self.tree.read(path)
        return self._files[path]

    def find(self, path: str, import_: ImportedName) -> str | None:
        """Return the file of the module that a file imports, or None if it is not in the tree."""
        parts = import_.module.split(".") if import_.module else []
        location = PurePosixPath(path)
        if import_.level:
            bases = list(location.parents)[import_.level - 1 : import_.level]
        else:  # an absolute name starts at some directory above the file: the package's root, `src`, `lib`
            bases = [parent for parent in location.parents if parts and parent.name != parts[0]]
        stems = [str(base.joinpath(*parts)) for base in bases]
        ends = (".py", "/__init__.py") if parts else ("/__init__.py",)
        files = (f"{stem}{end}" for stem in stems for end in ends)
        return next((file for file in files if self.content(file) is not None), None)

    def offers(self, path: str, name: str) -> bool:
        """Return True if a module may have a name. In doubt it is True, because assignments can be computed."""
        content = self.content(path) or b""
        # The content of a symbolic link is its target.
        link = content.endswith(b".py") and b"\n" not in content
        open_ended = link or b"import *" in content or b"__getattr__" in content
        if open_ended or name.encode() in words(content):
            return True
        package = path.removesuffix("/__init__.py")
        inner = (f"{package}/{name}{end}" for end in (".py", "/__init__.py", ".pyi", ".pyx", ".so"))
        return package != path and any(self.content(file) is not None for file in inner)

    def meaning(self, path: str, name: str, depth: int = 0) -> Definition | None:
        """Return the definition that a name of a file stands for, or None if it is unknown."""
        binders = bindings(self.content(path) or b"").get(name, [])
        # A name that two statements bind may be either.
        if len(binders) != 1 or depth > _MOST_REEXPORTS:
            return None
        bound = binders[0]
        if isinstance(bound, DefinitionNode):
            return Definition(path, bound)
        return self._follow(path, bound, depth) if isinstance(bound, ImportedName) else None

    def _follow(self, path: str, import_: ImportedName, depth: int) -> Definition | None:
        module = self.find(path, import_)
        if import_.name is None:
            return Definition(module) if module else None
        inner = f"{import_.module}.{import_.name}" if import_.module else import_.name
        submodule = self.find(path, ImportedName(inner, import_.level))
        if submodule is not None:
            return Definition(submodule)
        return self.meaning(module, import_.name, depth + 1) if module else None

"""Names that a Python file uses and nothing gives it.

Owns two questions: which names of a module no scope of it binds, and which imports the target's own modules do not
answer. Where it cannot know (a star import, a module from elsewhere, `__getattr__`) it says nothing.
"""

from __future__ import annotations

import ast
import builtins
import re
import symtable
import warnings
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import PurePosixPath

from bot.model import Evidence, SourceTree

_WORD = re.compile(rb"[A-Za-z_]\w*")
_GIVEN = frozenset(dir(builtins)) | {
    *("__file__", "__name__", "__doc__", "__path__", "__package__", "__spec__", "__loader__", "__builtins__"),
    *("__class__", "__module__", "__qualname__", "__annotations__", "__debug__", "__dict__"),
    # What Python 2 gives, for branches that still speak it.
    *("basestring", "unicode", "unichr", "long", "xrange", "raw_input", "reduce", "cmp", "file", "execfile"),
    "WindowsError",
}  # fmt: skip


def undefined_names(path: str, content: bytes, sides: Iterable[bytes | None]) -> Iterator[Evidence]:
    """Yield the names that the file uses and no scope of it binds, unless a side has the same name unbound."""
    known = [side for side in sides if side is not None]
    # Only a word that a side lacks can have lost its binding, or be bound on one side and used from the other.
    words = [set(_WORD.findall(side)) for side in known]
    if known and all(set(_WORD.findall(content)) <= each for each in words):
        return
    unbound = _unbound(content) - frozenset().union(*(_unbound(side) for side in known))
    for name in sorted(unbound):
        yield Evidence(path, _first_line(content, name), "undefined-name", f"`{name}` is defined nowhere in the file")


def _first_line(content: bytes, name: str) -> int:
    found = re.search(rb"\b%s\b" % re.escape(name.encode()), content)
    return content.count(b"\n", 0, found.start()) + 1 if found else 0


@lru_cache(maxsize=64)
def _unbound(content: bytes) -> frozenset[str]:
    """Return the names that a module reads as globals and neither binds nor gets from Python."""
    table = _symbols(content)
    if table is None or re.search(rb"^\s*from\s+\S+\s+import\s+\*", content, re.MULTILINE):
        return frozenset()
    bound = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned() or symbol.is_imported()}
    bound |= {symbol.get_name() for symbol in table.get_symbols() if symbol.is_namespace()}
    used: set[str] = set()
    waiting = [table]
    while waiting:
        scope = waiting.pop()
        waiting += scope.get_children()
        for symbol in scope.get_symbols():
            if symbol.is_global() or scope is table:
                (bound if symbol.is_declared_global() and symbol.is_assigned() else used).add(symbol.get_name())
    return frozenset(used - bound - _GIVEN)


def _symbols(content: bytes) -> symtable.SymbolTable | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return symtable.symtable(content.decode(), "file", "exec")
    except (SyntaxError, ValueError, RecursionError):
        return None


def missing_imports(tree: SourceTree, path: str, content: bytes, ours: bytes | None) -> Iterator[Evidence]:
    """Yield the names imported from the target's own modules that these do not have, unless ours imports them too."""
    known = set(_WORD.findall(ours or b""))
    for statement in _imports(content):
        names = [alias.name for alias in statement.names if alias.name != "*" and alias.name.encode() not in known]
        module = _find_module(tree, path, statement) if names else None
        for name in names:
            if module is not None and not _offers(tree, module, name):
                detail = f"`{name}` is imported from {module}, which does not have it here"
                yield Evidence(path, statement.lineno, "missing-import", detail)


def _imports(content: bytes) -> Iterator[ast.ImportFrom]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield from _imports_in(ast.parse(content))
    except (SyntaxError, ValueError, RecursionError):
        return


def _imports_in(block: ast.AST) -> Iterator[ast.ImportFrom]:
    # Statements hold statements in lists only, so expressions, which are most of a tree, need no look.
    for inner in (each for value in vars(block).values() if isinstance(value, list) for each in value):
        if isinstance(inner, ast.ImportFrom):
            yield inner
        elif isinstance(inner, ast.stmt | ast.ExceptHandler | ast.match_case) and not isinstance(inner, ast.Try):
            yield from _imports_in(inner)  # what stands in a try is allowed to fail


def _find_module(tree: SourceTree, path: str, statement: ast.ImportFrom) -> str | None:
    """Return the file of the module that is imported from, None where it is not the target's or cannot be told."""
    parts = statement.module.split(".") if statement.module else []
    here = PurePosixPath(path)
    if statement.level:
        bases = list(here.parents)[statement.level - 1 : statement.level]
    else:
        # An absolute name starts at some directory above the file: the package's root, `src`, `lib`.
        bases = [parent for parent in here.parents if parts and parent.name != parts[0]]
    for base in bases:
        stem = str(base.joinpath(*parts))
        for candidate in (f"{stem}.py", f"{stem}/__init__.py"):
            if tree.read(candidate) is not None:
                return candidate
    return None


def _offers(tree: SourceTree, module: str, name: str) -> bool:
    content = tree.read(module) or b""
    # Any mention will do: assignments by globals() or __all__ are beyond this check, and silence is its safe side.
    if name.encode() in _WORD.findall(content) or b"import *" in content or b"__getattr__" in content:
        return True
    package = module.removesuffix("/__init__.py")
    inner = (f"{package}/{name}{end}" for end in (".py", "/__init__.py", ".pyi", ".pyx", ".so"))
    return package != module and any(tree.read(path) is not None for path in inner)

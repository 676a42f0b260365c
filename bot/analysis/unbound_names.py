"""Names that a Python file uses and nothing binds, and imports that the target's own modules do not have.

It reports nothing if it cannot know: after a star import, for a module of another project, or with `__getattr__`.
"""

from __future__ import annotations

import ast
import builtins
import re
import symtable
import warnings
from collections.abc import Iterable, Iterator
from functools import lru_cache

from bot.analysis.file_words import words
from bot.analysis.module_index import ImportedName, Modules, parse
from bot.models import Match, SourceTree

# The text after an `import`, to the end of its line or brackets. It also matches text that is no statement.
_IMPORT_TEXT = re.compile(rb"\bimport\b[\s\\]*(?:\((?:[^)#]|#[^\n]*)*|(?:[^\\\n]|\\\r?\n)*)")
_BUILT_IN = frozenset(dir(builtins)) | {
    *("__file__", "__name__", "__doc__", "__path__", "__package__", "__spec__", "__loader__", "__builtins__"),
    *("__class__", "__module__", "__qualname__", "__annotations__", "__debug__", "__dict__"),
    # Python 2's builtins, for branches that still support it.
    *("basestring", "unicode", "unichr", "long", "xrange", "raw_input", "reduce", "cmp", "file", "execfile"),
    "WindowsError",
}  # fmt: skip


def undefined_names(path: str, content: bytes, sides: Iterable[bytes | None]) -> Iterator[Match]:
    """Yield the names that the file uses and no scope of it binds, unless a side has the same unbound name."""
    versions = [side for side in sides if side is not None]
    # If each side has every word, no name can have lost its binding: skip the slow check.
    if versions and all(words(content) <= words(side) for side in versions):
        return
    unbound = _unbound(content)
    for side in versions:
        unbound = unbound and unbound - _unbound(side)
    for name in sorted(unbound):
        yield Match(path, _first_line(content, name), "undefined-name", f"`{name}` is defined nowhere in the file")


def _first_line(content: bytes, name: str) -> int:
    match = re.search(rb"\b%s\b" % re.escape(name.encode()), content)
    return content.count(b"\n", 0, match.start()) + 1 if match else 0


@lru_cache(maxsize=64)
def _unbound(content: bytes) -> frozenset[str]:
    """Return the names that a module reads as globals and that neither it nor Python binds."""
    table = symbols(content)
    if table is None or re.search(rb"^\s*from\s+\S+\s+import\s+\*", content, re.MULTILINE):
        return frozenset()
    bound = {symbol.get_name() for symbol in table.get_symbols() if _binds(symbol)} | _BUILT_IN
    used: set[str] = set()
    global_assignments: set[str] = set()
    scopes = [table]
    while scopes:
        scope = scopes.pop()
        scopes += scope.get_children()
        # The lookup of a symbol is the slowest part, and most names are bound.
        for symbol in map(scope.lookup, set(scope.get_identifiers()) - bound):
            if symbol.is_global() or scope is table:
                (global_assignments if symbol.is_declared_global() and symbol.is_assigned() else used).add(
                    symbol.get_name()
                )
    return frozenset(used - global_assignments)


def _binds(symbol: symtable.Symbol) -> bool:
    return symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace()


@lru_cache(maxsize=4)
def symbols(content: bytes) -> symtable.SymbolTable | None:
    """Return the scopes of a file, or None if it is not Python or not UTF-8.

    It takes a third of the time of `ast.parse`.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return symtable.symtable(content.decode(), "file", "exec")
    except (SyntaxError, ValueError, RecursionError):
        return None


def missing_imports(tree: SourceTree, path: str, content: bytes, ours: bytes | None) -> Iterator[Match]:
    """Yield the names imported from the target's own modules that these do not have, unless ours imports them too."""
    ours_words = words(ours or b"")
    if not _imports_any(content, words(content) - ours_words):
        return
    modules = Modules(tree)
    for statement in _imports(parse(content)):
        names = [alias.name for alias in statement.names if alias.name != "*" and alias.name.encode() not in ours_words]
        module = modules.find(path, ImportedName(statement.module or "", statement.level)) if names else None
        for name in names:
            if module is not None and not modules.offers(module, name):
                detail = f"`{name}` is imported from {module}, which does not have it here"
                yield Match(path, statement.lineno, "missing-import", detail)


def _imports_any(content: bytes, names: frozenset[bytes]) -> bool:
    """Return True if one of these words may be imported. Searching the text is much cheaper than parsing it."""
    return bool(names) and not names.isdisjoint(words(b"\n".join(_IMPORT_TEXT.findall(content))))


def _imports(block: ast.AST | None) -> Iterator[ast.ImportFrom]:
    # Only lists contain statements. Expressions are most of a tree and are skipped.
    fields = vars(block).values() if block else ()
    for inner in (item for value in fields if isinstance(value, list) for item in value):
        if isinstance(inner, ast.ImportFrom):
            yield inner
        elif isinstance(inner, ast.stmt | ast.ExceptHandler | ast.match_case) and not isinstance(inner, ast.Try):
            # An import in a `try` may fail on purpose.
            yield from _imports(inner)

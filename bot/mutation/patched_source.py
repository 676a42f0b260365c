"""A patched file: the statements that the patch wrote, and the file with other text in their place.

The syntax tree counts bytes of a line (https://docs.python.org/3/library/ast.html#ast.AST.col_offset).
"""

from __future__ import annotations

import ast
import difflib
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

_COMPOUND = (
    ast.If,
    ast.For,
    ast.While,
    ast.With,
    ast.Try,
    ast.FunctionDef,
    ast.ClassDef,
    ast.AsyncFunctionDef,
    ast.Match,
)


@dataclass(frozen=True)
class PatchedFile:
    """A file without a patch and with it."""

    path: str
    before: str
    after: str

    @cached_property
    def module(self) -> ast.Module:
        """The syntax tree of the file with the patch."""
        return ast.parse(self.after)

    @cached_property
    def changed_lines(self) -> frozenset[int]:
        """The lines that the patch wrote, counted from 1."""
        matcher = difflib.SequenceMatcher(None, self.before.split("\n"), self.after.split("\n"), autojunk=False)
        spans = [range(j1 + 1, j2 + 1) for tag, _, _, j1, j2 in matcher.get_opcodes() if tag != "equal"]
        return frozenset(line for span in spans for line in span)

    def statements(self) -> Iterator[ast.stmt]:
        """Yield the statements that the patch wrote or changed a part of, compound ones by their first line."""
        for node in ast.walk(self.module):
            if isinstance(node, ast.stmt) and self._is_changed(node):
                yield node

    def _is_changed(self, node: ast.stmt) -> bool:
        last = node.lineno if isinstance(node, _COMPOUND) else (node.end_lineno or node.lineno)
        return not self.changed_lines.isdisjoint(range(node.lineno, last + 1))

    def statement_at(self, line: int) -> ast.stmt | None:
        """Return the innermost statement that the patch wrote around a line."""
        statements = [
            candidate for candidate in self.statements() if candidate.lineno <= line <= (candidate.end_lineno or 0)
        ]
        return max(statements, key=lambda candidate: candidate.lineno, default=None)

    def function_of(self, node: ast.AST) -> ast.FunctionDef | None:
        """Return the innermost function around a node."""
        line = getattr(node, "lineno", 0)
        functions = [
            candidate for candidate in self._functions if candidate.lineno <= line <= (candidate.end_lineno or 0)
        ]
        return max(functions, key=lambda candidate: candidate.lineno, default=None)

    @cached_property
    def _functions(self) -> list[ast.FunctionDef]:
        return [node for node in ast.walk(self.module) if isinstance(node, ast.FunctionDef)]

    def parses(self, node: ast.AST, source: str) -> bool:
        """Say whether the file with another text in the place of a node is Python, by the function around it alone."""
        function = self.function_of(node)
        lines = source.split("\n")
        if function is not None:
            longer = len(lines) - len(self.after.split("\n"))
            lines = lines[function.lineno - 1 : (function.end_lineno or 0) + longer]
        try:
            ast.parse(textwrap.dedent("\n".join(lines)))
        except SyntaxError:
            return False
        return True

    def text(self, node: ast.AST) -> str:
        """Return a node as it is written."""
        start, end = self._span(node)
        return self._bytes[start:end].decode()

    def replace_text(self, node: ast.AST, text: str) -> str:
        """Return the file with another text in the place of a node."""
        start, end = self._span(node)
        return (self._bytes[:start] + text.encode() + self._bytes[end:]).decode()

    @cached_property
    def _bytes(self) -> bytes:
        return self.after.encode()

    @cached_property
    def _starts(self) -> list[int]:
        starts = [0]
        for line in self._bytes.split(b"\n"):
            starts.append(starts[-1] + len(line) + 1)
        return starts

    def _span(self, node: ast.AST) -> tuple[int, int]:
        assert isinstance(node, ast.expr | ast.stmt)  # noqa: S101 - nothing else has an end
        assert node.end_lineno is not None  # noqa: S101
        assert node.end_col_offset is not None  # noqa: S101
        return self._starts[node.lineno - 1] + node.col_offset, self._starts[node.end_lineno - 1] + node.end_col_offset

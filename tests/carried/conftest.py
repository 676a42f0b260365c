"""Trees in memory, and the ways in which a branch's source may drift from the release it was cut from."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import black
import pytest

from bot.carried.load import CarriedPatch, bundled_patches, load_patches

BACKEND = "sglang/srt/layers/attention/aiter_backend.py"
RUNNER = "sglang/srt/model_executor/cuda_graph_runner.py"
CLASS, INIT = "AiterAttnBackend", "init_cuda_graph_state"


@dataclass(frozen=True)
class MemoryTree:
    """A source tree that is a mapping."""

    files: Mapping[str, bytes]

    def read(self, path: str) -> bytes | None:
        return self.files.get(path)

    def paths(self) -> Iterable[str]:
        return sorted(self.files)

    def changed(self, changes: Mapping[str, bytes]) -> MemoryTree:
        return MemoryTree({**self.files, **changes})


class Drift:
    """Rewrites of a backend's source that a branch may have had, by structure: no line of it is quoted here."""

    def __init__(self, text: str) -> None:
        self.text = text

    def _function(self, name: str = INIT) -> ast.FunctionDef:
        owner = next(n for n in ast.parse(self.text).body if isinstance(n, ast.ClassDef) and n.name == CLASS)
        return next(n for n in owner.body if isinstance(n, ast.FunctionDef) and n.name == name)

    def _assignment(self, attribute: str) -> ast.Assign:
        """Return the assignment that allocates (the one whose value is a call)."""
        return next(
            node
            for node in ast.walk(self._function())
            if isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Call)
            and isinstance(node.targets[0], ast.Attribute)
            and node.targets[0].attr == attribute
        )

    def replaced(self, node: ast.expr | ast.stmt, text: str) -> Drift:
        lines = self.text.splitlines(keepends=True)
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        start = sum(map(len, lines[: node.lineno - 1])) + len(
            lines[node.lineno - 1].encode()[: node.col_offset].decode()
        )
        last = lines[node.end_lineno - 1].encode()[: node.end_col_offset].decode()
        end = sum(map(len, lines[: node.end_lineno - 1])) + len(last)
        return Drift(self.text[:start] + text + self.text[end:])

    def size(self, expression: str, attribute: str = "cuda_graph_kv_indices") -> Drift:
        """Allocate another number of entries."""
        call = self._assignment(attribute).value
        return self.replaced(call, f"torch.zeros({expression}, dtype=torch.int32, device=self.device)")

    def allocation(self, code: str, attribute: str = "cuda_graph_kv_indices") -> Drift:
        """Put other statements in the place of the allocation."""
        node = self._assignment(attribute)
        pad = " " * node.col_offset
        return self.replaced(node, code.replace("\n", f"\n{pad}"))

    def condition(self, attribute: str, test: str) -> Drift:
        """Guard the `if` that allocates an attribute by another test."""
        allocation = self._assignment(attribute)
        owner = next(
            n
            for n in ast.walk(self._function())
            if isinstance(n, ast.If) and allocation.lineno in {s.lineno for s in n.body}
        )
        return self.replaced(owner.test, test)

    def appended(self, code: str) -> Drift:
        """Add statements at the end of the function."""
        last = self._function().body[-1]
        pad = " " * last.col_offset
        segment = ast.get_source_segment(self.text, last)
        return self.replaced(last, f"{segment}\n{pad}" + code.replace("\n", f"\n{pad}"))

    def without(self, attribute: str, count: int = 1) -> Drift:
        """Read another attribute at the last places that read this one outside the function."""
        drift = self
        for _ in range(count):
            owner = next(n for n in ast.parse(drift.text).body if isinstance(n, ast.ClassDef) and n.name == CLASS)
            reads = [
                n
                for n in ast.walk(owner)
                if isinstance(n, ast.Attribute) and n.attr == attribute and isinstance(n.ctx, ast.Load)
            ]
            last = max(reads, key=lambda n: n.lineno)
            drift = drift.replaced(last, "self.cuda_graph_kv_indices")
        return drift

    def renamed(self, prefix: str = "z_") -> Drift:
        """Give every local and parameter of the backend's methods another name."""
        lines = self.text.splitlines(keepends=True)
        owner = next(n for n in ast.parse(self.text).body if isinstance(n, ast.ClassDef) and n.name == CLASS)
        places: set[tuple[int, int, str]] = set()
        for function in (n for n in owner.body if isinstance(n, ast.FunctionDef)):
            parameters = {a.arg for a in function.args.args[1:]}
            parameters |= {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
            for node in ast.walk(function):
                if isinstance(node, ast.Name) and node.id in parameters:
                    places.add((node.lineno, node.col_offset, node.id))
                elif isinstance(node, ast.arg) and node.arg in parameters:
                    places.add((node.lineno, node.col_offset, node.arg))
        for line, column, _ in sorted(places, reverse=True):
            raw = lines[line - 1].encode()
            lines[line - 1] = (raw[:column] + prefix.encode() + raw[column:]).decode()
        return Drift("".join(lines))

    def narrow(self) -> Drift:
        """Keep the imports, `__init__`, the methods that name the graph's buffers and what these call; format it.

        The carried patch of these buffers needs nothing else.
        """
        module = ast.parse(self.text)
        owner = next(node for node in module.body if isinstance(node, ast.ClassDef) and node.name == CLASS)
        methods = {node.name: node for node in owner.body if isinstance(node, ast.FunctionDef)}
        sources = {name: ast.get_source_segment(self.text, node) or "" for name, node in methods.items()}
        kept_set: set[str] = set()
        buffers = re.compile("cuda_graph_(kv_indices|page_table)")
        queue = [name for name, text in sources.items() if name == "__init__" or buffers.search(text)]
        while queue:
            name = queue.pop()
            kept_set.add(name)
            queue += {*re.findall(r"\bself\.(\w+)\(", sources[name])} & methods.keys() - kept_set
        others_items = [node for node in module.body if isinstance(node, ast.ClassDef) and node is not owner]
        dropped_files = {
            line
            for node in [*others_items, *(node for name, node in methods.items() if name not in kept_set)]
            for line in range(_first_line(node), (node.end_lineno or 0) + 1)
        }
        lines = enumerate(self.text.splitlines(keepends=True), start=1)
        return Drift("".join(line for number, line in lines if number not in dropped_files)).black()

    def black(self, line_length: int = 88) -> Drift:
        """Format with black."""
        return Drift(black.format_str(self.text, mode=black.Mode(line_length=line_length)))

    def unparsed(self) -> Drift:
        """Lose every comment and every line break that the syntax does not need."""
        return Drift(ast.unparse(ast.parse(self.text)) + "\n")

    def without_comments(self) -> Drift:
        """Lose the comments only."""
        tokens = tokenize.generate_tokens(io.StringIO(self.text).readline)
        lines = self.text.splitlines(keepends=True)
        for token in [t for t in tokens if t.type == tokenize.COMMENT]:
            line = lines[token.start[0] - 1]
            lines[token.start[0] - 1] = line[: token.start[1]].rstrip() + "\n"
        return Drift("".join(lines))

    @property
    def tree(self) -> MemoryTree:
        """Return an sglang tree with this backend."""
        return MemoryTree({"sglang/__init__.py": b"", BACKEND: self.text.encode()})


def _first_line(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


@pytest.fixture(scope="session")
def patches() -> Mapping[str, CarriedPatch]:
    return load_patches([bundled_patches()])


@pytest.fixture(scope="session")
def backend(release_tree: Callable[[str], Path]) -> Callable[[str], Drift]:
    """Return the aiter backend of a released version, ready to drift."""
    return lambda version: Drift((release_tree(version) / BACKEND).read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def narrow(backend: Callable[[str], Drift]) -> Drift:
    """Return what is affected in 0.5.12 and nothing else of its file, which is four times as long."""
    return backend("0.5.12").narrow()

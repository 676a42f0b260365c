"""Applies a carried patch to a tree: it matches, rewrites and checks the result.

It computes new file contents; only `write` changes files. `bot.carried.rewrite` turns a match into an edit.
"""

from __future__ import annotations

import difflib
import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.carried import rewrite
from bot.carried.check_measures import find_function, parameter_names
from bot.carried.detect import Sources, check
from bot.carried.formatting import format_like_before
from bot.carried.load import CarriedPatch
from bot.carried.schema_code import Step
from bot.carried.source_tree import Source, parse_source
from bot.environment.untrusted_files import write_file
from bot.errors import BackportError
from bot.models import Affectedness, DetectResult, SourceTree
from bot.text.markdown import count


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """The patch applies once `changes` (path → whole new content) are written. They are empty if it applied before."""

    patch: str
    changes: Mapping[str, bytes]
    steps: tuple[str, ...] = ()
    before: DetectResult
    after: DetectResult


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFailure:
    """The expectation of a step did not hold, so nothing is changed."""

    patch: str
    step: str
    file: str
    expected: str
    found: str

    def __str__(self) -> str:
        return (
            f"Carried patch {self.patch} was not applied and nothing was changed: step `{self.step}` on {self.file} "
            f"expected {self.expected}, found {self.found}."
        )


class ChangedTree:
    """A tree with some of its files changed, without writing anything."""

    def __init__(self, tree: SourceTree, changes: Mapping[str, bytes]) -> None:
        self.tree = tree
        self.changes = changes

    def read(self, path: str) -> bytes | None:
        """Return the changed content, if the file is changed."""
        return self.changes[path] if path in self.changes else self.tree.read(path)

    def paths(self) -> Iterable[str]:
        """Yield the path of every file; a change adds none."""
        return self.tree.paths()


def apply(tree: SourceTree, patch: CarriedPatch) -> Applied | StepFailure:
    """Compute a patch's changes in a tree. Applying the patch to the result changes nothing more.

    A tree that is not affected, or is fixed already, gets no changes. Nothing is written.
    """
    before = check(tree, patch)
    if before.status in (Affectedness.FIXED, Affectedness.NOT_AFFECTED):
        return Applied(patch=patch.name, changes={}, before=before, after=before)
    # Rewriting a tree that nobody recognizes could break it.
    if before.status is Affectedness.UNKNOWN:
        place = before.evidence[0].file if before.evidence else "the tree"
        return _failure(patch, "detect", place, "an affected tree", f"{before.status}: {before.reason.rstrip('.')}")
    changes: dict[str, bytes] = {}
    for step in patch.file.steps:
        sources = Sources(ChangedTree(tree, changes), patch)
        key = patch.file.functions[step.function].file
        source = sources.get(key)
        if not isinstance(source, Source):
            return _failure(patch, step.name, sources.path(key), "a Python file", source or "none")
        new_content = _take(step, source, patch)
        if isinstance(new_content, StepFailure):
            return new_content
        changes[source.path] = new_content
    if patch.file.target.formatter == "black":
        changes = {path: _format_file(path, tree.read(path) or b"", content) for path, content in changes.items()}
    # The rules that found the fault must find it fixed, or the rewriting went wrong.
    after = check(ChangedTree(tree, changes), patch)
    if after.status is not Affectedness.FIXED:
        return _failure(
            patch,
            "ensure",
            next(iter(changes)),
            f"a fixed tree{_first(patch)}",
            f"{after.status}: {after.reason.rstrip('.')}",
        )
    steps = tuple(step.name for step in patch.file.steps)
    return Applied(patch=patch.name, changes=changes, steps=steps, before=before, after=after)


def write(changes: Mapping[str, bytes], directory: Path) -> None:
    """Write all changes below a directory, or none. A failure restores the files. Nothing is written through a link.

    Raises:
        BackportError: a file is a link or lies behind one; nothing was written.
        OSError: a file could not be written; the directory is as it was.
    """
    root = directory.resolve()
    for path in changes:
        _refuse_links(root, path)
    targets = {root / path: content for path, content in changes.items()}
    old_contents = {target: target.read_bytes() for target in targets}
    new_files: dict[Path, Path] = {}
    replaced_files: list[Path] = []
    try:
        for target, content in targets.items():
            new_files[target] = _write_beside(target, content)
        for target, new in new_files.items():
            # A rename on one file system is atomic.
            new.replace(target)
            replaced_files.append(target)
    except BaseException:
        for target in replaced_files:
            target.write_bytes(old_contents[target])
        raise
    finally:
        for new in new_files.values():
            new.unlink(missing_ok=True)


def _write_beside(target: Path, content: bytes) -> Path:
    """Write a new file beside another, with its mode. An existing file of that name is removed, not written through."""
    new = target.with_name(f".{target.name}.{os.getpid()}.new")
    write_file(new.parent, new.name, content, mode=stat.S_IMODE(target.lstat().st_mode))
    return new


def _refuse_links(root: Path, path: str) -> None:
    for part in (root / path, *(root / path).parents):
        if part == root:
            return
        if part.is_symlink():
            raise BackportError(
                f"{part.relative_to(root)} is a link, and nothing is written through one: the tree was not changed.",
                hint="Replace the link by a copy of its target, or apply the patch to the tree that it leads to.",
            )


def render_diff(tree: SourceTree, changes: Mapping[str, bytes]) -> str:
    """Render changes as a unified diff that `git apply` takes."""
    parts: list[str] = []
    for path, content in sorted(changes.items()):
        before = (tree.read(path) or b"").decode("utf-8", "surrogateescape")
        after = content.decode("utf-8", "surrogateescape")
        lines = difflib.unified_diff(_lines(before), _lines(after), f"a/{path}", f"b/{path}")
        parts += [line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines]
    return "".join(parts)


def _take(step: Step, source: Source, patch: CarriedPatch) -> bytes | StepFailure:
    reference = patch.file.functions[step.function]
    function = find_function(source.module, reference)
    names = parameter_names(function, reference) if function else {}
    text, lines = rewrite.rewrite_text(source.text, step, patch.file.shared_rules, names)
    places = count(len(lines), "place")
    if not _is_met(step.expect, len(lines)):
        lines_text = f" (line {', '.join(map(str, lines))})" if lines else ""
        return _failure(patch, step.name, source.path, f"{step.expect} to rewrite", places + lines_text)
    return source.encode(text)


def _format_file(path: str, before: bytes, after: bytes) -> bytes:
    old, new = parse_source(path, before), parse_source(path, after)
    if isinstance(old, str) or isinstance(new, str):
        return after
    return new.encode(format_like_before(old.text, new.text))


def _first(patch: CarriedPatch) -> str:
    return (
        f" (where it is affected too, apply {', '.join(patch.file.apply_after)} first)"
        if patch.file.apply_after
        else ""
    )


def _is_met(expectation: str, count: int) -> bool:
    if expectation == "optional":
        return True
    kind, _, number = expectation.rpartition(" ")
    return count >= int(number) if kind == "at least" else count == int(number)


def _failure(patch: CarriedPatch, step: str, file: str, expected: str, actual: str) -> StepFailure:
    return StepFailure(patch=patch.name, step=step, file=file, expected=expected, found=actual)


def _lines(text: str) -> list[str]:
    # git splits at "\n" only; str.splitlines would also split at form feeds and Unicode separators.
    return [line for line in text.replace("\n", "\n\0").split("\0") if line]

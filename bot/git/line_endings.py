"""Gives an original the branch's line ends, if main changed those of a file and the branch did not.

git converts line ends only in a worktree. If the blobs differ in them, every line of the file conflicts, and taking
main's side would rewrite the whole file on the branch.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from difflib import SequenceMatcher

from bot.git.merge_trees import Trees
from bot.git.objects import SUBMODULE, SYMLINK, Entry
from bot.git.repository import Quarantine
from bot.git.trees import changed_tree, differing_paths, find_entry
from bot.git.unmerged_paths import UnmergedFile, is_binary
from bot.models import Sha

_LARGEST = 5_000
"""Lines of a file with both kinds of line ends that are compared one by one."""


def align_trees(repository: Quarantine, trees: Trees, files: Iterable[UnmergedFile]) -> Trees | None:
    """Return the trees in which the conflicting files of the original have the branch's line ends.

    None if no file needs it: both sides have the same line ends, or those of the original are mixed, which may be its
    content.
    """
    blobs: dict[Sha, Sha] = {}
    for file in files:
        blobs |= _aligned_blobs(repository, file)
    if not blobs:
        return None
    paths = tuple(differing_paths(repository, trees.base, trees.theirs))
    base, theirs = (_with_blobs(repository, tree, paths, blobs) for tree in (trees.base, trees.theirs))
    return replace(trees, base=base, theirs=theirs, commits=None)


def _aligned_blobs(repository: Quarantine, file: UnmergedFile) -> dict[Sha, Sha]:
    """Write the original's sides of a file with the branch's line ends; return the new blobs by the old ones."""
    if file.ours is None or file.theirs is None:
        return {}
    entries = [entry for entry in (file.base, file.theirs) if entry is not None]
    if any(entry.mode in (SUBMODULE, SYMLINK) for entry in (file.ours, *entries)):
        return {}
    ours = repository.read_blob(file.ours.sha)
    sides = {entry.sha: repository.read_blob(entry.sha) for entry in entries}
    ends = {_line_end(side) for side in sides.values()}
    if any(map(is_binary, (ours, *sides.values()))) or len(ends) > 1 or ends <= {None, _line_end(ours)}:
        return {}
    texts = {sha: with_line_ends_of(ours, side) for sha, side in sides.items()}
    return {sha: repository.writer.write("blob", text) for sha, text in texts.items() if text != sides[sha]}


def _line_end(content: bytes) -> bytes | None:
    """Return the one line end that a text has; None for one without any, or with both."""
    windows, all_ends = content.count(b"\r\n"), content.count(b"\n")
    if not all_ends or 0 < windows < all_ends:
        return None
    return b"\r\n" if windows else b"\n"


def with_line_ends_of(ours: bytes, text: bytes) -> bytes:
    """Return a text with the line ends of `ours`. If those are mixed, a line keeps the end that it has in `ours`."""
    end = _line_end(ours)
    plain = text.replace(b"\r\n", b"\n")
    if end is not None:
        return plain if end == b"\n" else plain.replace(b"\n", b"\r\n")
    lines, our_lines = plain.splitlines(keepends=True), ours.splitlines(keepends=True)
    if not our_lines or len(lines) + len(our_lines) > _LARGEST:
        return text
    mostly = ours.count(b"\r\n") * 2 > ours.count(b"\n")
    matcher = SequenceMatcher(None, [line.replace(b"\r\n", b"\n") for line in our_lines], lines, autojunk=False)
    result: list[bytes] = []
    for tag, start, end_of_kept, begin, end_of_lines in matcher.get_opcodes():
        if tag == "equal":
            result += our_lines[start:end_of_kept]
            continue
        # A new line ends as the one whose place it takes; one that is put in, as those around it where they agree.
        places = [line.endswith(b"\r\n") for line in our_lines[start:end_of_kept]]
        neighbours = {line.endswith(b"\r\n") for line in our_lines[max(0, start - 1) : start + 1]}
        windows = places or [neighbours.pop() if len(neighbours) == 1 else mostly]
        for offset, line in enumerate(lines[begin:end_of_lines]):
            result.append(line.replace(b"\n", b"\r\n") if windows[min(offset, len(windows) - 1)] else line)
    return b"".join(result)


def _with_blobs(repository: Quarantine, tree: Sha, paths: Iterable[str], blobs: dict[Sha, Sha]) -> Sha:
    changes: dict[str, Entry | None] = {}
    for path in paths:
        entry = find_entry(repository, tree, path)
        if entry is not None and entry.sha in blobs:
            changes[path] = Entry(entry.mode, blobs[entry.sha])
    return changed_tree(repository, tree, changes) if changes else tree

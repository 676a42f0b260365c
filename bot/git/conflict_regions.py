"""Conflicts cut into what is settled and what each side wants, for one pick or for many at once.

Owns how git is made to show the base beside both sides. Only the files in conflict are merged again, each by itself:
in a large tree to look for renames takes most of a merge's time, and the pick has found them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from bot.errors import GitError
from bot.git.conflict_markers import MARKER_SIZE, Parts, split_regions
from bot.git.merge_trees import Attributes, MergeResult, Trees, attributes_of, merge_many
from bot.git.objects import EMPTY_TREE, REGULAR, Entry
from bot.git.repository import Quarantine
from bot.git.trees import changed_tree
from bot.git.trial_pick import UnmergedPick
from bot.git.unmerged_paths import UnmergedFile
from bot.models import ConflictKind, Sha

_LONG = f"* conflict-marker-size={MARKER_SIZE}\n"
# The last line of a .gitattributes that says so is the one that holds, and each of them may.
_LONG_MARKERS = f"\n{_LONG}".encode()

Split = Mapping[str, Parts]
"""Settled text and regions of each file that git could merge in part."""


@dataclass(frozen=True, slots=True)
class _Small:
    """The files of a pick that hold lines in conflict, by the paths that they have in trees of nothing else."""

    files: Mapping[str, UnmergedFile]
    trees: Trees
    attributes: Attributes


def split_unmerged(repository: Quarantine, pick: UnmergedPick) -> Split:
    """Return the parts of a pick's files.

    Raises:
        GitError: git could not do it again.
    """
    found = split_all(repository, [pick])[pick.trees]
    if isinstance(found, GitError):
        raise found
    return found


def split_all(repository: Quarantine, picks: Iterable[UnmergedPick]) -> dict[Trees, Split | GitError]:
    """Return the same of many picks, by what was merged, with one git process; an error where git could not."""
    asked = {pick.trees: _make_small(repository, pick) for pick in picks}
    wanted = {small.trees: small.attributes for small in asked.values() if small.files}
    if not wanted:
        return {trees: {} for trees in asked}
    with _marker_style() as style:
        answers = dict(merge_many(repository, wanted, style))
    return {
        trees: _split(repository, small, answers[small.trees]) if small.files else {} for trees, small in asked.items()
    }


def _make_small(repository: Quarantine, pick: UnmergedPick) -> _Small:
    attributes = tuple((path, content + _LONG_MARKERS) for path, content in attributes_of(repository, pick.trees))
    listed = [file for file in pick.files if file.kind in (ConflictKind.CONTENT, ConflictKind.ADD_ADD)]
    # Without attributes a path says nothing, and one directory costs less than many.
    files = {file.path if attributes else str(at): file for at, file in enumerate(listed)}
    # With the attributes in them, trees that are equal are merged alike.
    bearing = {path: _written(repository, content) for path, content in attributes if path not in files}
    base, ours, theirs = (
        _tree_of(repository, bearing | {path: side(file) for path, file in files.items()})
        for side in (_base, _ours, _theirs)
    )
    return _Small(files, Trees(base=base, ours=ours, theirs=theirs), attributes)


def _written(repository: Quarantine, content: bytes) -> Entry:
    return Entry(REGULAR, repository.writer.write("blob", content))


def _base(file: UnmergedFile) -> Entry | None:
    return file.base


def _ours(file: UnmergedFile) -> Entry | None:
    return file.ours


def _theirs(file: UnmergedFile) -> Entry | None:
    return file.theirs


def _tree_of(repository: Quarantine, entries: Mapping[str, Entry | None]) -> Sha:
    plain = {path: Entry(REGULAR, entry.sha) for path, entry in entries.items() if entry}
    return changed_tree(repository, EMPTY_TREE, plain)


@contextmanager
def _marker_style() -> Iterator[tuple[str, ...]]:
    with tempfile.NamedTemporaryFile("w", prefix="backport-markers-") as attributes:
        attributes.write(_LONG)
        attributes.flush()
        options = {
            "merge.conflictStyle": "diff3",
            "core.attributesFile": attributes.name,
            "merge.renames": "false",
        }
        yield tuple(word for name, value in options.items() for word in ("-c", f"{name}={value}"))


def _split(repository: Quarantine, small: _Small, merged: MergeResult | GitError) -> Split | GitError:
    if isinstance(merged, GitError):
        return merged
    left = repository.read_all((merged.tree, each.written) for each in merged.stages.values())
    found = {}
    for path, written in zip(merged.stages, left, strict=True):
        file = small.files[path]
        base, ours, theirs = (
            repository.read_blob(entry.sha) if entry else None for entry in (file.base, file.ours, file.theirs)
        )
        found[file.path] = split_regions(written or b"", base=base, ours=ours, theirs=theirs)
    return found

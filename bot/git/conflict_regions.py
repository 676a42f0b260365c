"""Splits conflicting files into merged text and regions with both sides and the base, for one pick or for many.

Only the files in conflict are merged again, each alone. The pick has found the renames already, and in a large tree
the search for renames takes most of a merge's time.
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
# The last matching line of a .gitattributes counts, so it is appended to each of them.
_LONG_MARKERS = f"\n{_LONG}".encode()

Split = Mapping[str, Parts]
"""Merged text and conflict regions of each file that git could merge in part."""


@dataclass(frozen=True, slots=True)
class _Small:
    """The files of a pick with lines in conflict, by their paths in trees that hold nothing else."""

    files: Mapping[str, UnmergedFile]
    trees: Trees
    attributes: Attributes


def split_unmerged(repository: Quarantine, pick: UnmergedPick) -> Split:
    """Return the parts of a pick's files.

    Raises:
        GitError: git could not do it again.
    """
    parts = split_all(repository, [pick])[pick.trees]
    if isinstance(parts, GitError):
        raise parts
    return parts


def split_all(repository: Quarantine, picks: Iterable[UnmergedPick]) -> dict[Trees, Split | GitError]:
    """Do the same for many picks in one git process. A pick that git could not merge again gets an error."""
    smalls = {pick.trees: _make_small(repository, pick) for pick in picks}
    merges = {small.trees: small.attributes for small in smalls.values() if small.files}
    if not merges:
        return {trees: {} for trees in smalls}
    with _marker_style() as style:
        answers = dict(merge_many(repository, merges, style))
    return {
        trees: _split(repository, small, answers[small.trees]) if small.files else {} for trees, small in smalls.items()
    }


def _make_small(repository: Quarantine, pick: UnmergedPick) -> _Small:
    attributes = tuple((path, content + _LONG_MARKERS) for path, content in attributes_of(repository, pick.trees))
    text_files = [file for file in pick.files if file.kind in (ConflictKind.CONTENT, ConflictKind.ADD_ADD)]
    # Without attributes the paths do not matter, and one directory costs less than many.
    files = {file.path if attributes else str(index): file for index, file in enumerate(text_files)}
    # With the attributes in them, equal trees give equal merges.
    attribute_entries = {path: _write_blob(repository, content) for path, content in attributes if path not in files}
    base, ours, theirs = (
        _tree_of(repository, attribute_entries | {path: side(file) for path, file in files.items()})
        for side in (_base, _ours, _theirs)
    )
    return _Small(files, Trees(base=base, ours=ours, theirs=theirs), attributes)


def _write_blob(repository: Quarantine, content: bytes) -> Entry:
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


def _split(repository: Quarantine, small: _Small, result: MergeResult | GitError) -> Split | GitError:
    if isinstance(result, GitError):
        return result
    contents = repository.read_all((result.tree, stages.result_path) for stages in result.stages.values())
    parts = {}
    for path, content in zip(result.stages, contents, strict=True):
        file = small.files[path]
        base, ours, theirs = (
            repository.read_blob(entry.sha) if entry else None for entry in (file.base, file.ours, file.theirs)
        )
        parts[file.path] = split_regions(content or b"", base=base, ours=ours, theirs=theirs)
    return parts

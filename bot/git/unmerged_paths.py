"""Describes the paths that git could not merge, by their index stages and never by git's messages.

https://git-scm.com/docs/git-merge-tree#OUTPUT
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.git.objects import SUBMODULE, SYMLINK, Entry, decode_path
from bot.models import ConflictFile, ConflictKind, Sha

if TYPE_CHECKING:
    from bot.git.repository import Repository

# git's own test for binary content: a NUL among the first 8000 bytes.
_BINARY_PROBE = 8000


@dataclass(frozen=True, slots=True, kw_only=True)
class UnmergedFile:
    """One unmerged path with its stages. Base is the original's parent, ours the target, theirs the original.

    A stage is None if that side has no such file. At `result_path` git left what it could merge: for a content conflict
    a file with markers. `aside` are paths that git invented for a side that could not stay at `path`.
    """

    path: str
    result_path: str
    kind: ConflictKind
    regions: int
    base: Entry | None
    ours: Entry | None
    theirs: Entry | None
    aside: tuple[str, ...] = ()

    @property
    def conflict_file(self) -> ConflictFile:
        """The same in the form that reports use."""
        return ConflictFile(self.path, self.kind, self.regions)


@dataclass(slots=True)
class Stages:
    """The stages of one path: 1 base, 2 ours, 3 theirs. `result_path` is the path that git left it at.

    Of a link against a file git leaves one at the path and moves the other `aside`.
    """

    result_path: str
    entries: dict[int, Entry] = field(default_factory=dict)
    aside: dict[str, None] = field(default_factory=dict)


def parse_stages(lines: Iterable[bytes], labels: Iterable[str]) -> dict[str, Stages]:
    """Read lines of the form `<mode> <object> <stage>TAB<path>`, several for one path.

    If two kinds of thing want one path, git moves one aside to `<path>~<label>`: both are one path here.
    """
    stages_by_path: dict[str, Stages] = {}
    for line in lines:
        fields, _, raw = line.partition(b"\t")
        mode, sha, stage = fields.decode().split(" ")
        place = decode_path(raw)
        path = next((place.partition(f"~{label}")[0] for label in labels if f"~{label}" in place), place)
        stages = stages_by_path.setdefault(path, Stages(place))
        stages.entries[int(stage)] = Entry(mode, Sha(sha))
        if place != path:
            stages.aside[place] = None
    return stages_by_path


def describe(
    repository: Repository, stages: Mapping[str, Stages], tree: Sha, ours_label: str
) -> tuple[UnmergedFile, ...]:
    """Name the kind of each conflict and count its regions in the tree that git wrote."""
    contents = repository.read_all((tree, entry.result_path) for entry in stages.values())
    return tuple(
        _describe(repository, path, entry, _count_regions(content or b"", ours_label))
        for (path, entry), content in zip(stages.items(), contents, strict=True)
    )


def _describe(repository: Repository, path: str, stages: Stages, regions: int) -> UnmergedFile:
    base, ours, theirs = (stages.entries.get(stage) for stage in (1, 2, 3))
    kind = _kind(repository, base, ours, theirs, has_markers=regions > 0)
    has_regions = kind in (ConflictKind.CONTENT, ConflictKind.ADD_ADD)
    return UnmergedFile(
        path=path,
        result_path=stages.result_path,
        kind=kind,
        regions=regions if has_regions else 0,
        base=base,
        ours=ours,
        theirs=theirs,
        aside=tuple(stages.aside),
    )


def _kind(
    repository: Repository, base: Entry | None, ours: Entry | None, theirs: Entry | None, *, has_markers: bool
) -> ConflictKind:
    present = [entry for entry in (base, ours, theirs) if entry is not None]
    if any(entry.mode == SUBMODULE for entry in present):
        return ConflictKind.SUBMODULE
    if base is not None and (ours is None) != (theirs is None):
        return ConflictKind.MODIFY_DELETE
    if ours is None or theirs is None:
        return ConflictKind.OTHER
    if any(entry.mode == SYMLINK for entry in present):
        return ConflictKind.OTHER
    # git puts markers only where no side is binary.
    if not has_markers and any(is_binary(repository.read_blob(entry.sha)) for entry in present):
        return ConflictKind.BINARY
    return ConflictKind.CONTENT if base is not None else ConflictKind.ADD_ADD


def is_binary(content: bytes) -> bool:
    """Say whether git would take a content for binary."""
    return b"\0" in content[:_BINARY_PROBE]


def _count_regions(content: bytes, ours_label: str) -> int:
    # The label is an object name made for this trial, so a marker that was in the file before is not counted.
    return len(re.findall(rb"^<{2,} " + ours_label.encode(), content, re.MULTILINE))

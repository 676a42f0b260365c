"""Conflicts cut into what is settled and what each side wants, for one pick or for many at once.

Owns how git is made to show the base beside both sides.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from bot.errors import GitError
from bot.git.merging import Merged, Trees, merge_many
from bot.git.objects import SUBMODULE, SYMLINK
from bot.git.regions import MARKER_SIZE, Parts, split_regions
from bot.git.repository import Quarantined
from bot.git.trial import UnmergedPick

Split = Mapping[str, Parts]
"""Settled text and regions of each file that git could merge in part."""


def split_unmerged(repository: Quarantined, pick: UnmergedPick) -> Split:
    """Return the parts of a pick's files.

    Raises:
        GitError: git could not do it again.
    """
    found = split_all(repository, [pick])[pick.trees]
    if isinstance(found, GitError):
        raise found
    return found


def split_all(repository: Quarantined, picks: Iterable[UnmergedPick]) -> dict[Trees, Split | GitError]:
    """Return the same of many picks, by what was merged, with one git process; an error where git could not."""
    with _marker_style() as style:
        answers = merge_many(repository, (pick.trees for pick in picks), style)
    return {
        trees: merged if isinstance(merged, GitError) else _split(repository, merged)
        for trees, merged in answers.items()
    }


@contextmanager
def _marker_style() -> Iterator[tuple[str, ...]]:
    with tempfile.NamedTemporaryFile("w", prefix="backport-markers-") as attributes:
        attributes.write(f"* conflict-marker-size={MARKER_SIZE}\n")
        attributes.flush()
        yield "-c", "merge.conflictStyle=diff3", "-c", f"core.attributesFile={attributes.name}"


def _split(repository: Quarantined, merged: Merged) -> Split:
    left = repository.read_all((merged.tree, each.written) for each in merged.stages.values())
    found = {}
    for (path, each), written in zip(merged.stages.items(), left, strict=True):
        sides = [each.entries.get(stage) for stage in (1, 2, 3)]
        if written is None or any(entry and entry.mode in (SUBMODULE, SYMLINK) for entry in sides):
            continue
        base, ours, theirs = (repository.read_blob(entry.sha) if entry else None for entry in sides)
        found[path] = split_regions(written, base=base, ours=ours, theirs=theirs)
    return found

"""Merges in which no rename can matter, narrowed to the paths that the original changes.

Owns when that is so, and the way there and back. git looks for renames in whole trees, which in trees that are years
apart takes nearly all of a merge's time; but it looks only for files that one side lacks and the other changed, and for
directories that one side lacks and the other adds to. Where there are none it merges path by path, and what both sides
changed is still merged by git itself, in trees of nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.git.merge_trees import Attributes, MergeResult, Trees, attributes_of, merge_one
from bot.git.objects import DIRECTORY, EMPTY_TREE, EXECUTABLE, REGULAR, Entry
from bot.git.repository import Quarantine
from bot.git.trees import changed_tree, find_entry

_FILES = (REGULAR, EXECUTABLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class MergePlan:
    """What git is to merge, under which attributes, for a merge of three trees; `trees` is None where nothing is left.

    A `narrow` one holds the `disputed` paths, and the attributes that bear on them; the other paths that the original
    changes are `settled`, None for a file that goes.
    """

    whole: Trees
    trees: Trees | None
    attributes: Attributes
    narrow: bool = False
    settled: Mapping[str, Entry | None] = field(default_factory=dict)
    disputed: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class _Path:
    """One path that the original changes, on all three sides."""

    name: str
    base: Entry | None
    ours: Entry | None
    theirs: Entry | None

    @property
    def is_plain(self) -> bool:
        """Whether it is a file wherever it is, and the target has it exactly if the original's parent had it."""
        sides = (self.base, self.ours, self.theirs)
        return all(each is None or each.mode in _FILES for each in sides) and (self.base is None) == (self.ours is None)


def plan_merge(repository: Quarantine, trees: Trees, *, alone: bool = False) -> MergePlan:
    """Return what git is to be asked about a merge: as little as leads to the same answer.

    For one that is asked `alone` no small trees are written where the target differs: git is as quick with the whole
    ones where no rename can matter, and it is for many branches together that small ones pay.
    """
    sides = (trees.base, trees.ours, trees.theirs)
    changed = repository.tree_cache.differing(trees.base, trees.theirs)
    if alone and any(find_entry(repository, trees.ours, p) != find_entry(repository, trees.base, p) for p in changed):
        return MergePlan(whole=trees, trees=trees, attributes=attributes_of(repository, trees))
    paths = [_Path(path, *(find_entry(repository, side, path) for side in sides)) for path in changed]
    if not all(each.is_plain for each in paths) or _may_be_renamed(repository, trees, paths):
        return MergePlan(whole=trees, trees=trees, attributes=attributes_of(repository, trees))
    disputed = [each for each in paths if each.ours not in (each.base, each.theirs)]
    attributes = attributes_of(repository, trees) if disputed else ()
    return MergePlan(
        whole=trees,
        trees=_small_trees(repository, trees, disputed, attributes) if disputed else None,
        attributes=attributes,
        narrow=True,
        settled={each.name: each.theirs for each in paths if each.ours == each.base},
        disputed=tuple(each.name for each in disputed),
    )


def _may_be_renamed(repository: Quarantine, trees: Trees, paths: Sequence[_Path]) -> bool:
    added = [each for each in paths if each.base is None]
    removed = [each for each in paths if each.theirs is None]
    if any(_is_in_moved_directory(repository, trees, each.name) for each in added):
        return True
    # The original itself can only have moved what it both removes and adds. That matters where the target changed what
    # is removed, or where a whole directory went.
    return bool(added) and any(
        each.ours != each.base or not _has_directory(repository, trees, each.name) for each in removed
    )


def _is_in_moved_directory(repository: Quarantine, trees: Trees, path: str) -> bool:
    """Say whether a directory of an added file is not on the target but was once, or is something else there."""
    for directory in _directories(path):
        here = find_entry(repository, trees.ours, directory)
        if here is not None:
            return here.mode != DIRECTORY
        if find_entry(repository, trees.base, directory) is not None:
            return True
    return False


def _has_directory(repository: Quarantine, trees: Trees, path: str) -> bool:
    directory = path.rpartition("/")[0]
    kept = find_entry(repository, trees.theirs, directory) if directory else None
    return not directory or (kept is not None and kept.mode == DIRECTORY)


def _directories(path: str) -> Iterator[str]:
    """Yield the directories that a path is in, the innermost first, without the root."""
    while path := path.rpartition("/")[0]:
        yield path


def _small_trees(repository: Quarantine, trees: Trees, disputed: Sequence[_Path], attributes: Attributes) -> Trees:
    names = {each.name for each in disputed}
    # With the attributes in them, trees that are equal are merged alike.
    bearing = {path: find_entry(repository, trees.ours, path) for path, _content in attributes if path not in names}
    base, ours, theirs = (
        changed_tree(repository, EMPTY_TREE, bearing | side)
        for side in (
            {each.name: each.base for each in disputed},
            {each.name: each.ours for each in disputed},
            {each.name: each.theirs for each in disputed},
        )
    )
    return Trees(base=base, ours=ours, theirs=theirs)


def widen(repository: Quarantine, asked: MergePlan, merged: MergeResult | None) -> MergeResult:
    """Return what the merge of the whole trees comes to, given what git made of those it was asked about."""
    if not asked.narrow and merged is not None:
        return _where_it_lies(repository, asked, merged)
    changes = dict(asked.settled)
    if merged is not None:
        changes |= {path: find_entry(repository, merged.tree, path) for path in asked.disputed}
    tree = changed_tree(repository, asked.whole.ours, changes) if changes else asked.whole.ours
    if merged is None:
        return MergeResult(tree, {}, clean=True, label=asked.whole.ours)
    return replace(merged, tree=tree)


def _where_it_lies(repository: Quarantine, asked: MergePlan, merged: MergeResult) -> MergeResult:
    """Merge once more where git found what the original changes in a directory that has attributes of its own."""
    trees = asked.whole
    changed = repository.tree_cache.differing(trees.base, trees.theirs)
    if not any(_is_gone(repository, trees, path) for path in changed):
        return merged
    moved = {*merged.stages, *repository.tree_cache.differing(trees.ours, merged.tree)}.difference(changed)
    attributes = attributes_of(repository, trees, moved)
    return merged if attributes == asked.attributes else merge_one(repository, trees, attributes)


def _is_gone(repository: Quarantine, trees: Trees, path: str) -> bool:
    return find_entry(repository, trees.ours, path) is None and find_entry(repository, trees.base, path) is not None

"""Reduces a merge to the paths that the original changes, if no rename can matter.

git searches whole trees for renames. In trees that are years apart this takes nearly all of a merge's time. A rename
matters only if one side lacks a file that the other changed, or a directory that the other adds to. If there is none,
git merges path by path. Then git gets trees that hold only the paths that both sides changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.git import fetch_ahead
from bot.git.merge_trees import Attributes, MergeResult, Trees, attributes_of, merge_one
from bot.git.objects import DIRECTORY, EMPTY_TREE, EXECUTABLE, REGULAR, Entry
from bot.git.repository import Quarantine
from bot.git.trees import changed_tree, find_entry

_FILES = (REGULAR, EXECUTABLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class MergePlan:
    """What git is to merge for a merge of `full` trees, and under which attributes; `trees` is None if nothing is left.

    If it `is_narrow`, `trees` hold only the `open_paths` and the attributes that matter for them. The other paths that
    the original changes are `resolved_entries`, None for a file that is removed.
    """

    full: Trees
    trees: Trees | None
    attributes: Attributes
    is_narrow: bool = False
    resolved_entries: Mapping[str, Entry | None] = field(default_factory=dict)
    open_paths: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class _Path:
    """One path that the original changes, on all three sides."""

    name: str
    base: Entry | None
    ours: Entry | None
    theirs: Entry | None

    @property
    def is_plain(self) -> bool:
        """Whether it is a file on every side that has it, and either both target and parent have it or neither."""
        sides = (self.base, self.ours, self.theirs)
        return all(side is None or side.mode in _FILES for side in sides) and (self.base is None) == (self.ours is None)


def plan_merge(repository: Quarantine, trees: Trees, *, single: bool = False) -> MergePlan:
    """Return the least that git has to merge for the same result.

    `single`: merge the full trees if the target differs. Reduced trees pay off only across many branches.
    """
    sides = (trees.base, trees.ours, trees.theirs)
    fetch_ahead.merges(repository, [sides])
    paths = repository.tree_cache.differing_paths(trees.base, trees.theirs)
    if single and any(find_entry(repository, trees.ours, p) != find_entry(repository, trees.base, p) for p in paths):
        return MergePlan(full=trees, trees=trees, attributes=attributes_of(repository, trees))
    items = [_Path(path, *(find_entry(repository, side, path) for side in sides)) for path in paths]
    if not all(item.is_plain for item in items) or _may_be_renamed(repository, trees, items):
        return MergePlan(full=trees, trees=trees, attributes=attributes_of(repository, trees))
    open_paths = [item for item in items if item.ours not in (item.base, item.theirs)]
    attributes = attributes_of(repository, trees) if open_paths else ()
    return MergePlan(
        full=trees,
        trees=_small_trees(repository, trees, open_paths, attributes) if open_paths else None,
        attributes=attributes,
        is_narrow=True,
        resolved_entries={item.name: item.theirs for item in items if item.ours == item.base},
        open_paths=tuple(item.name for item in open_paths),
    )


def _may_be_renamed(repository: Quarantine, trees: Trees, items: Sequence[_Path]) -> bool:
    new_files = [item for item in items if item.base is None]
    removed_files = [item for item in items if item.theirs is None]
    if any(_is_in_moved_directory(repository, trees, item.name) for item in new_files):
        return True
    # The original can only have moved what it both removes and adds. That matters if the target changed what is
    # removed, or if a whole directory is gone.
    return bool(new_files) and any(
        item.ours != item.base or not _has_directory(repository, trees, item.name) for item in removed_files
    )


def _is_in_moved_directory(repository: Quarantine, trees: Trees, path: str) -> bool:
    """Say whether a directory of an added file is not on the target but was once, or is something else there."""
    for directory in _directories(path):
        entry = find_entry(repository, trees.ours, directory)
        if entry is not None:
            return entry.mode != DIRECTORY
        if find_entry(repository, trees.base, directory) is not None:
            return True
    return False


def _has_directory(repository: Quarantine, trees: Trees, path: str) -> bool:
    directory = path.rpartition("/")[0]
    entry = find_entry(repository, trees.theirs, directory) if directory else None
    return not directory or (entry is not None and entry.mode == DIRECTORY)


def _directories(path: str) -> Iterator[str]:
    """Yield the directories that a path is in, the innermost first, without the root."""
    while path := path.rpartition("/")[0]:
        yield path


def _small_trees(repository: Quarantine, trees: Trees, open_paths: Sequence[_Path], attributes: Attributes) -> Trees:
    names = {item.name for item in open_paths}
    # With the attributes in them, equal trees give equal merges.
    attribute_paths = [path for path, _content in attributes if path not in names]
    attribute_files = {path: find_entry(repository, trees.ours, path) for path in attribute_paths}
    base, ours, theirs = (
        changed_tree(repository, EMPTY_TREE, attribute_files | side)
        for side in (
            {item.name: item.base for item in open_paths},
            {item.name: item.ours for item in open_paths},
            {item.name: item.theirs for item in open_paths},
        )
    )
    return Trees(base=base, ours=ours, theirs=theirs)


def widen(repository: Quarantine, plan: MergePlan, result: MergeResult | None) -> MergeResult:
    """Return the merge of the full trees, given git's merge of the planned ones."""
    if not plan.is_narrow and result is not None:
        return _where_it_lies(repository, plan, result)
    changes = dict(plan.resolved_entries)
    if result is not None:
        changes |= {path: find_entry(repository, result.tree, path) for path in plan.open_paths}
    tree = changed_tree(repository, plan.full.ours, changes) if changes else plan.full.ours
    if result is None:
        return MergeResult(tree, {}, clean=True, label=plan.full.ours)
    return replace(result, tree=tree)


def _where_it_lies(repository: Quarantine, plan: MergePlan, result: MergeResult) -> MergeResult:
    """Merge once more if git found the original's files in a directory with attributes of its own."""
    trees = plan.full
    changed_paths = repository.tree_cache.differing_paths(trees.base, trees.theirs)
    if not any(_is_gone(repository, trees, path) for path in changed_paths):
        return result
    more_paths = {*result.stages, *repository.tree_cache.differing_paths(trees.ours, result.tree)}.difference(
        changed_paths
    )
    attributes = attributes_of(repository, trees, more_paths)
    return result if attributes == plan.attributes else merge_one(repository, trees, attributes)


def _is_gone(repository: Quarantine, trees: Trees, path: str) -> bool:
    return find_entry(repository, trees.ours, path) is None and find_entry(repository, trees.base, path) is not None

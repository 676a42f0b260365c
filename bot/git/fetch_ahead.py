"""Fetches what a step will read into a partial mirror, in few requests; does nothing where everything is here.

Each step would get it without these functions too, but with a request for each object.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from bot.git.objects import DIRECTORY, EMPTY_TREE, SUBMODULE
from bot.models import Sha

if TYPE_CHECKING:
    from bot.git.repository import Repository

Place = tuple[Sha, str]
"""A commit or tree, and a path."""


def files(repository: Repository, places: Iterable[Place]) -> None:
    """Fetch the files at these places, as far as there are any."""
    _bring(repository, _blobs(repository, places))


def files_below(repository: Repository, commit: Sha, paths: Iterable[str] = ()) -> None:
    """Fetch all files of a commit, or those at and below `paths`."""
    tree, partial = repository.tree_of(commit), repository.partial
    if partial is None or tree is None:
        return
    partial.bring_trees([tree])
    entries = [repository.tree_cache.find(tree, path) for path in paths]
    files = (entry.sha for entry in entries if entry is not None and entry.mode not in (DIRECTORY, SUBMODULE))
    _bring(repository, files)
    folders = [entry.sha for entry in entries if entry is not None and entry.mode == DIRECTORY]
    partial.bring_files_below(folders if entries else [tree])


def trees(repository: Repository, names: Iterable[Sha]) -> None:
    """Fetch trees with all below them, without files."""
    partial = repository.partial
    if partial is not None:
        tree_names = {tree for tree in names if tree != EMPTY_TREE}
        # What was written here, the remote has not.
        present_trees = {tree for tree in partial.lacking(tree_names) if repository.reader.read(tree) is not None}
        partial.bring_trees(tree_names - present_trees)


def trees_of(repository: Repository, commits: Iterable[Sha]) -> None:
    """Fetch the trees of commits and of their first parents, so that their paths are known without files."""
    partial = repository.partial
    if partial is not None:
        present = [repository.commit(sha) for sha in commits if repository.contains(sha)]
        parents = [commit.parents[0] for commit in present if commit.parents]
        partial.bring_commits(sha for sha in parents if not repository.contains(sha))
        befores = [repository.commit(sha) for sha in parents]
        trees(repository, [commit.tree for commit in (*present, *befores)])


def merges(repository: Repository, sides: Sequence[tuple[Sha, Sha, Sha]]) -> None:
    """Fetch base, ours and theirs of merges: their trees, and the files that theirs changes, on all three sides."""
    partial = repository.partial
    if partial is None or not sides:
        return
    trees(repository, (tree for three in sides for tree in three))
    places = [
        (side, path)
        for base, ours, theirs in sides
        for path in repository.tree_cache.differing_paths(base, theirs)
        for side in (base, ours, theirs)
    ]
    _bring(repository, _blobs(repository, places))


def picks(repository: Repository, pairs: Iterable[tuple[Sha, Sha]]) -> None:
    """Fetch what picks of commits onto trees merge; of a commit that is not here nothing."""
    if repository.partial is None:
        return
    sides = []
    for sha, target in pairs:
        if repository.contains(sha):
            commit = repository.commit(sha)
            base = repository.commit(commit.parents[0]).tree if commit.parents else EMPTY_TREE
            sides.append((base, target, commit.tree))
    merges(repository, sides)


def patches(repository: Repository, commits: Iterable[Sha]) -> None:
    """Fetch what the diffs of commits against their first parents are made of."""
    partial = repository.partial
    if partial is None:
        return
    commits = list(commits)
    trees_of(repository, commits)
    present = [repository.commit(sha) for sha in commits if repository.contains(sha)]
    pairs = [
        (repository.commit(commit.parents[0]).tree if commit.parents else EMPTY_TREE, commit.tree) for commit in present
    ]
    places = [(side, path) for pair in pairs for path in repository.tree_cache.differing_paths(*pair) for side in pair]
    _bring(repository, _blobs(repository, places))


def branch_history(
    repository: Repository, tips: Sequence[Sha], commits: Sequence[Sha], paths: Iterable[str]
) -> Collection[Sha]:
    """Fetch the commits that `tips` have and `commits` have not, and the directories of `paths` in them.

    Returns commits that git must exclude besides, as a partial mirror may not show whose ancestors they are.
    """
    partial = repository.partial
    if partial is None or not partial.is_partial:
        return ()
    fetched = _fetched_ancestors(repository, commits)
    excluded = partial.exclusions(tips, fetched)
    words = ("rev-list", "--parents", *tips, *(f"^{sha}" for sha in (*fetched, *excluded)))
    shas = {Sha(sha) for sha in partial.git.text(*words).split()}
    partial.bring_paths({repository.commit(sha).tree for sha in shas}, paths)
    return excluded


def _fetched_ancestors(repository: Repository, commits: Iterable[Sha]) -> list[Sha]:
    """Return the commits; for one that was only written here, the nearest ancestors that the remote may have."""
    fetched: dict[Sha, None] = {}
    pending = list(commits)
    while pending:
        sha = pending.pop()
        if repository.partial is not None and repository.partial.lacking([sha]) and repository.contains(sha):
            pending += repository.commit(sha).parents
        else:
            fetched[sha] = None
    return list(fetched)


def file_histories(repository: Repository, since: Sha | None, tip: Sha, paths: Sequence[str], most: int) -> None:
    """Fetch what the last `most` changes of files along first parents are made of, between two commits."""
    partial = repository.partial
    if partial is None:
        return
    partial.complete_history()
    line = partial.git.text("rev-list", "--first-parent", tip, *([f"^{since}"] if since else [])).split()
    commits = [repository.commit(Sha(sha)) for sha in line]
    # What the oldest one changed is seen in its parent.
    oldest = [repository.commit(parent) for commit in commits[-1:] for parent in commit.parents[:1]]
    trees_in_order = list(dict.fromkeys(commit.tree for commit in (*commits, *oldest)))
    partial.bring_paths(trees_in_order, paths)
    blobs: list[Sha] = []
    for path in paths:
        versions = [entry.sha for tree in trees_in_order if (entry := repository.tree_cache.find(tree, path))]
        blobs += list(dict.fromkeys(versions))[: most + 1]
    _bring(repository, blobs)


def _bring(repository: Repository, names: Iterable[Sha]) -> None:
    partial = repository.partial
    if partial is not None:
        partial.bring([sha for sha in partial.lacking(names) if repository.reader.read(sha) is None])


def _blobs(repository: Repository, places: Iterable[Place]) -> Iterator[Sha]:
    for name, path in places:
        tree = repository.tree_of(name)
        entry = repository.tree_cache.find(tree, path) if tree is not None else None
        if entry is not None and entry.mode not in (DIRECTORY, SUBMODULE):
            yield entry.sha

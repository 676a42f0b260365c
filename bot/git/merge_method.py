"""Finds out from git alone how a pull request was merged and which commits it left.

The proof is by trees: merging the pull request's head into the commit before must give the tree of the commit after.
None is returned if no merge of the head explains it. GitHub's own record of the commits is empty for a while after a
merge, and names several pull requests for a commit that is also part of a later one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bot.git.repository import Quarantine, Repository
from bot.git.trial_pick import CleanPick, EmptyPick, try_pick
from bot.models import Commit, MergeMethod, Sha

PullRequestMerge = tuple[MergeMethod, tuple[Sha, ...]]
"""How it was merged, and the commits to pick, oldest first."""

# GitHub itself lists no more: https://docs.github.com/rest/pulls/pulls#list-commits-on-a-pull-request
_MOST_COMMITS = 250


def read_merge(
    repository: Repository,
    merge: Sha,
    head: Sha,
    *,
    mainline: bool = False,
    is_foreign: Callable[[Sha], bool] = lambda _commit: False,
) -> PullRequestMerge | None:
    """Return what a pull request left on its base branch; None if git cannot tell.

    `merge` is the last commit that it left, `head` the pull request's own last one; both are here. Of a merge commit
    the pull request's own commits are returned, or with `mainline` the merge itself. `is_foreign` says whether a commit
    of a rebase is known to have come by another pull request only.
    """
    with repository.quarantine() as quarantine:
        merge_commit = quarantine.commit(merge)
        if len(merge_commit.parents) > 1:
            return _read_merge_commit(quarantine, merge_commit, head, mainline=mainline)
        return _read_rebase(quarantine, merge_commit, head, is_foreign) or _read_squash(quarantine, merge_commit, head)


def own_commits(repository: Repository, merge: Sha) -> tuple[Sha, ...]:
    """Return the commits that a merge of two brought, oldest first, if picking them gives the result of the merge.

    Empty otherwise: the merge itself changed something, as when it resolved a conflict.
    """
    with repository.quarantine() as quarantine:
        merge_commit = quarantine.commit(merge)
        return _own_commits(quarantine, merge_commit, merge_commit.parents[1]) if len(merge_commit.parents) == 2 else ()


def _read_merge_commit(repository: Quarantine, merge: Commit, head: Sha, *, mainline: bool) -> PullRequestMerge | None:
    # If main was merged into the topic and then moved to that merge, the first parent is the topic: the merge's diff is
    # main's changes. A push that merged several pull requests at once ends in one merge of them all.
    if head not in merge.parents[1:]:
        return None
    is_sole_merge = len(merge.parents) == 2
    if mainline and is_sole_merge:
        return MergeMethod.MERGE, (merge.sha,)
    pull_commits = _own_commits(repository, merge, head)
    # With more than two parents the merge holds what the other pull requests bring.
    return (MergeMethod.MERGE, pull_commits or (merge.sha,)) if pull_commits or is_sole_merge else None


def _own_commits(repository: Quarantine, merge: Commit, head: Sha) -> tuple[Sha, ...]:
    base, *heads = merge.parents
    pull_commits = _list_commits(repository, head, [base, *(parent for parent in heads if parent != head)])
    expected_tree = merge.tree if len(heads) == 1 else _merged_tree(repository, base, head)
    if expected_tree is None or _replay_tree(repository, pull_commits, base) != expected_tree:
        return ()
    return pull_commits


def _read_rebase(
    repository: Quarantine, last: Commit, head: Sha, is_foreign: Callable[[Sha], bool]
) -> PullRequestMerge | None:
    pull_commits = [repository.commit(sha) for sha in _list_commits(repository, head, [last.sha])]
    identities = {_identity(commit) for commit in pull_commits}
    series: list[Sha] = []
    commit = last
    while len(series) < len(pull_commits) and len(commit.parents) == 1 and _identity(commit) in identities:
        # A pull request that was made on another one's commits has these as well, and main got them by that one.
        if len(pull_commits) > 1 and is_foreign(commit.sha):
            break
        series.insert(0, commit.sha)
        commit = repository.commit(commit.parents[0])
    if not series or not _brings(repository, commit.sha, head, last):
        return None
    return MergeMethod.REBASE if len(series) > 1 else MergeMethod.SQUASH, tuple(series)


def _read_squash(repository: Quarantine, squash: Commit, head: Sha) -> PullRequestMerge | None:
    if not squash.parents or head == squash.sha or not _brings(repository, squash.parents[0], head, squash):
        return None
    return MergeMethod.SQUASH, (squash.sha,)


def _identity(commit: Commit) -> tuple[str, str, str]:
    """Return what a rebase keeps of a commit."""
    return commit.author.email, commit.author.date.partition(" ")[0], commit.subject


def _list_commits(repository: Repository, head: Sha, excluded_tips: Sequence[Sha]) -> tuple[Sha, ...]:
    options = ("--reverse", "--topo-order", "--no-merges", f"--max-count={_MOST_COMMITS + 1}")
    names = repository.git.text("rev-list", *options, head, *(f"^{sha}" for sha in excluded_tips)).split()
    return tuple(map(Sha, names)) if len(names) <= _MOST_COMMITS else ()


def _replay_tree(repository: Quarantine, commits: Sequence[Sha], base: Sha) -> Sha | None:
    """Return the tree that picking commits onto a base gives, or None if one conflicts."""
    tree = repository.commit(base).tree
    for sha in commits:
        pick = try_pick(repository, sha, tree)
        if isinstance(pick, CleanPick):
            tree = pick.tree
        elif not isinstance(pick, EmptyPick):
            return None
    return tree


def _brings(repository: Quarantine, before: Sha, head: Sha, after: Commit) -> bool:
    """Say whether merging a head into a commit gives the tree of a later one, and changes anything."""
    changes = repository.commit(before).tree != after.tree
    return changes and _merged_tree(repository, before, head) == after.tree


def _merged_tree(repository: Quarantine, base: Sha, head: Sha) -> Sha | None:
    result = repository.git.attempt("merge-tree", "--write-tree", "--no-messages", base, head)
    return Sha(result.stdout.decode().split("\n", 1)[0]) if result.code == 0 else None

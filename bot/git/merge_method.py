"""How a pull request was merged and which commits it left, told from git alone.

Owns the proof: what a merge left is what the pull request's head merged into the commit before it gives, tree by tree.
What no merge of the head explains is left to the caller. GitHub's own record of which commit came by which pull request
is empty for a while after a merge, and names several where a commit is also part of a later pull request.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bot.git.repository import Quarantine, Repository
from bot.git.trial_pick import CleanPick, EmptyPick, try_pick
from bot.models import Commit, MergeMethod, Sha

PullRequestMerge = tuple[MergeMethod, tuple[Sha, ...]]
"""How it was merged, and the commits to pick, oldest first."""

# GitHub itself lists no more commits of one pull request.
_MOST_COMMITS = 250


def read_merge(
    repository: Repository,
    merge: Sha,
    head: Sha,
    *,
    mainline: bool = False,
    is_foreign: Callable[[Sha], bool] = lambda _commit: False,
) -> PullRequestMerge | None:
    """Return what a pull request left on its base branch; None where git cannot tell.

    `merge` is the last commit that it left, `head` the pull request's own last one; both are here. Of a merge commit
    the pull request's own commits are returned, or with `mainline` the merge itself. `is_foreign` says whether a commit
    of a rebase is known to have come by another pull request only.
    """
    with repository.quarantine() as quarantine:
        landed = quarantine.commit(merge)
        if len(landed.parents) > 1:
            return _read_merge_commit(quarantine, landed, head, mainline=mainline)
        return _read_rebase(quarantine, landed, head, is_foreign) or _read_squash(quarantine, landed, head)


def own_commits(repository: Repository, merge: Sha) -> tuple[Sha, ...]:
    """Return the commits that a merge of two brought, oldest first, where picking them gives what the merge gave.

    Empty otherwise: the merge itself changed something, as when it resolved a conflict.
    """
    with repository.quarantine() as quarantine:
        landed = quarantine.commit(merge)
        return _own_commits(quarantine, landed, landed.parents[1]) if len(landed.parents) == 2 else ()


def _read_merge_commit(repository: Quarantine, merge: Commit, head: Sha, *, mainline: bool) -> PullRequestMerge | None:
    # A merge of main into the topic, to which main then moved, is against its first parent what the others did. A push
    # that merged several pull requests at once ends in a merge of them all.
    if head not in merge.parents[1:]:
        return None
    alone = len(merge.parents) == 2
    if mainline and alone:
        return MergeMethod.MERGE, (merge.sha,)
    own = _own_commits(repository, merge, head)
    # With more than two parents the merge holds what the other pull requests bring.
    return (MergeMethod.MERGE, own or (merge.sha,)) if own or alone else None


def _own_commits(repository: Quarantine, merge: Commit, head: Sha) -> tuple[Sha, ...]:
    base, *brought = merge.parents
    own = _listed(repository, head, [base, *(each for each in brought if each != head)])
    wanted = merge.tree if len(brought) == 1 else _merged_tree(repository, base, head)
    return own if own and wanted is not None and _replayed(repository, own, base) == wanted else ()


def _read_rebase(
    repository: Quarantine, last: Commit, head: Sha, is_foreign: Callable[[Sha], bool]
) -> PullRequestMerge | None:
    own = [repository.commit(sha) for sha in _listed(repository, head, [last.sha])]
    identities = {_identity(commit) for commit in own}
    series: list[Sha] = []
    commit = last
    while len(series) < len(own) and len(commit.parents) == 1 and _identity(commit) in identities:
        # A pull request that was made on another one's commits has these as well, and main got them by that one.
        if len(own) > 1 and is_foreign(commit.sha):
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


def _listed(repository: Repository, head: Sha, excluded: Sequence[Sha]) -> tuple[Sha, ...]:
    options = ("--reverse", "--topo-order", "--no-merges", f"--max-count={_MOST_COMMITS + 1}")
    listed = repository.git.text("rev-list", *options, head, *(f"^{sha}" for sha in excluded)).split()
    return tuple(map(Sha, listed)) if len(listed) <= _MOST_COMMITS else ()


def _replayed(repository: Quarantine, commits: Sequence[Sha], base: Sha) -> Sha | None:
    """Return the tree that picking commits onto a base gives, or None where one conflicts."""
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
    done = repository.git.attempt("merge-tree", "--write-tree", "--no-messages", base, head)
    return Sha(done.stdout.decode().split("\n", 1)[0]) if done.code == 0 else None

"""Which commits a merged pull request really left on its base branch."""

from __future__ import annotations

from github.Repository import Repository as ForgeRepository

from bot.errors import PullRequestNotMerged
from bot.model import MergeMethod, PullRequest, Sha


def merged_commits(repository: ForgeRepository, original: PullRequest) -> tuple[MergeMethod, tuple[Sha, ...]]:
    """Return the merge method and the commits on the base branch, oldest first.

    A merge commit is returned by itself, to be picked against its first parent. A rebase merge is told from a squash
    by asking GitHub whether the commit before the last one belongs to the same pull request.

    Raises:
        PullRequestNotMerged: there is no merge commit.
    """
    if not original.merged or original.merge_commit is None:
        raise PullRequestNotMerged(
            f"#{original.number} is not merged, so there is nothing to backport yet.",
            hint="Merge it, then ask again.",
        )
    last = repository.get_commit(original.merge_commit)
    if len(last.parents) > 1:
        return MergeMethod.MERGE, (original.merge_commit,)
    commits = [original.merge_commit]
    parent = last.parents[0].sha if last.parents else None
    while parent and len(commits) < original.commit_count and _belongs(repository, parent, original.number):
        commits.append(Sha(parent))
        parents = repository.get_commit(parent).parents
        parent = parents[0].sha if len(parents) == 1 else None
    method = MergeMethod.REBASE if len(commits) > 1 else MergeMethod.SQUASH
    return method, tuple(reversed(commits))


def _belongs(repository: ForgeRepository, sha: str, number: int) -> bool:
    return any(pull.number == number for pull in repository.get_commit(sha).get_pulls())

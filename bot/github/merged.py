"""Which commits a merged pull request really left on its base branch.

Owns telling squash, rebase and merge commit apart by what is on the branch, never by what a repository allows. What
cannot be told for certain is refused: a guess here would backport somebody else's change.
"""

from __future__ import annotations

from collections.abc import Iterator

from github.Commit import Commit as ForgeCommit
from github.Repository import Repository as ForgeRepository

from bot.errors import PullRequestNotMerged, RequestRejected
from bot.model import MergeMethod, PullRequest, Sha

_Authored = tuple[str, str, str]


def merged_commits(repository: ForgeRepository, original: PullRequest) -> tuple[MergeMethod, tuple[Sha, ...]]:
    """Return the merge method and the commits on the base branch, oldest first.

    A merge commit is returned by itself, to be picked against its first parent.

    Raises:
        PullRequestNotMerged: there is no merge commit.
        RequestRejected: the pull request was merged by hand in a way that hides what it changed.
    """
    if not original.merged or original.merge_commit is None:
        raise PullRequestNotMerged(
            f"#{original.number} is not merged, so there is nothing to backport yet.",
            hint="Merge it, then ask again.",
        )
    last = repository.get_commit(original.merge_commit)
    if len(last.parents) > 1:
        return MergeMethod.MERGE, (_onto_base(last, original),)
    commits = tuple(_series(repository, last, original))[::-1]
    return MergeMethod.REBASE if len(commits) > 1 else MergeMethod.SQUASH, commits


def _onto_base(merge: ForgeCommit, original: PullRequest) -> Sha:
    # A merge of main into the topic, to which main then moved, is against its first parent what the others did. A push
    # that merged several pull requests at once ends in a merge of them all.
    if original.head_sha not in [parent.sha for parent in merge.parents[1:]]:
        raise _hidden(merge, original)
    return Sha(merge.sha)


def _series(repository: ForgeRepository, last: ForgeCommit, original: PullRequest) -> Iterator[Sha]:
    """Yield the commits of a squash or a rebase, newest first."""
    own = {_authored(commit) for commit in repository.get_pull(original.number).get_commits()}
    if not _is_of(last, original.number, own):
        raise _hidden(last, original)
    yield Sha(last.sha)
    at = last
    for _ in range(original.commit_count - 1):
        if len(at.parents) != 1:
            return
        at = repository.get_commit(at.parents[0].sha)
        if not _is_of(at, original.number, own):
            return
        if len(at.parents) > 1:
            raise _hidden(at, original)
        yield Sha(at.sha)


def _is_of(commit: ForgeCommit, number: int, own: set[_Authored]) -> bool:
    """Say whether a commit of the base branch came by a pull request whose `own` commits these are."""
    # GitHub's record counts first. A push that merged several pull requests may stand there as the merge of each, and
    # some commits have no record: then author, date and title tell, which a rebase keeps.
    recorded = {pull.number for pull in commit.get_pulls() if pull.merged_at}
    return recorded == {number} or (_authored(commit) in own and (number in recorded or not recorded))


def _authored(commit: ForgeCommit) -> _Authored:
    # Of a commit that old tools wrote GitHub may name no author.
    author, subject = commit.commit.author, commit.commit.message.partition("\n")[0]
    return (author.email, author.date.isoformat(), subject) if author and author.date else ("", "", subject)


def _hidden(merge: ForgeCommit, original: PullRequest) -> RequestRejected:
    return RequestRejected(
        f"#{original.number} reached `{original.base}` by hand with {merge.sha[:12]}, which holds more than the pull "
        "request. What it changed cannot be told for certain, so nothing was started.",
        hint="Name its commits: `/backport BRANCH --commits SHA…`.",
    )

"""Which commits a merged pull request left on its base branch, by GitHub's record.

Owns the reading of that record, which is a hint: it is empty for tens of seconds after a merge, and names every pull
request that a commit is part of. git is asked first (`bot.git.merge_method`); this is for what git cannot prove, as
where a landing queue rewrote the commits. What cannot be told for certain is refused: a guess here would backport
somebody else's change.
"""

from __future__ import annotations

from collections.abc import Iterator

from github import GithubException
from github.Commit import Commit as PyGithubCommit
from github.Repository import Repository as PyGithubRepository

from bot.errors import NotYetKnown, RequestRejected
from bot.github.lazy import lazy_commit
from bot.models import MergeMethod, PullRequest, Sha

# "No commit found for SHA".
_UNKNOWN = (404, 422)

_Authored = tuple[str, str, str]


def merged_commits(repository: PyGithubRepository, original: PullRequest) -> tuple[MergeMethod, tuple[Sha, ...]]:
    """Return the merge method and the commits on the base branch, oldest first.

    A merge commit is returned by itself, to be picked against its first parent.

    Raises:
        NotYetKnown: there is no record of the merge commit yet.
        RequestRejected: the pull request was merged by hand in a way that hides what it changed.
    """
    if original.merge_commit is None:
        raise _no_record(original)
    last = _read_commit(repository, original.merge_commit, original)
    if len(last.parents) > 1:
        return MergeMethod.MERGE, (_onto_base(last, original),)
    commits = tuple(_series(repository, last, original))[::-1]
    return MergeMethod.REBASE if len(commits) > 1 else MergeMethod.SQUASH, commits


def _onto_base(merge: PyGithubCommit, original: PullRequest) -> Sha:
    # A merge of main into the topic, to which main then moved, is against its first parent what the others did. A push
    # that merged several pull requests at once ends in a merge of them all.
    # So does one of more than two.
    if [parent.sha for parent in merge.parents[1:]] != [original.head_sha]:
        raise _hidden(merge, original)
    return Sha(merge.sha)


def _series(repository: PyGithubRepository, last: PyGithubCommit, original: PullRequest) -> Iterator[Sha]:
    """Yield the commits of a squash or a rebase, newest first."""
    own = {_authored(commit) for commit in repository.get_pull(original.number).get_commits()}
    if not _is_of(last, original.number, own):
        raise _hidden(last, original) if _recorded(last) else _no_record(original)
    yield Sha(last.sha)
    at = last
    for _ in range(original.commit_count - 1):
        if len(at.parents) != 1:
            return
        at = _read_commit(repository, at.parents[0].sha, original)
        if not _is_of(at, original.number, own):
            return
        if len(at.parents) > 1:
            raise _hidden(at, original)
        yield Sha(at.sha)


def _is_of(commit: PyGithubCommit, number: int, own: set[_Authored]) -> bool:
    """Say whether a commit of the base branch came by a pull request whose `own` commits these are."""
    # GitHub's record counts first. A push that merged several pull requests may stand there as the merge of each, and
    # some commits have no record: then author, date and title tell, which a rebase keeps.
    recorded = _recorded(commit)
    return recorded == {number} or (_authored(commit) in own and (number in recorded or not recorded))


def _recorded(commit: PyGithubCommit) -> frozenset[int]:
    return frozenset(pull.number for pull in commit.get_pulls() if pull.merged_at)


def pull_requests_of(repository: PyGithubRepository, commit: Sha) -> frozenset[int]:
    """Return the merged pull requests that a commit is recorded to have come by; none where there is no record."""
    try:
        return _recorded(lazy_commit(repository, commit))
    except GithubException as error:
        if error.status in _UNKNOWN:
            return frozenset()
        raise


def _read_commit(repository: PyGithubRepository, sha: str, original: PullRequest) -> PyGithubCommit:
    try:
        return repository.get_commit(sha)
    except GithubException as error:
        if error.status in _UNKNOWN:
            raise _no_record(original) from error
        raise


def _no_record(original: PullRequest) -> NotYetKnown:
    # Of several commits a rebase left more than the last one, which is all that GitHub names.
    known = original.merge_commit[:12] if original.merge_commit and original.commit_count == 1 else "SHA…"
    return NotYetKnown(
        f"GitHub has no record yet of the commits by which #{original.number} was merged, so nothing was started.",
        hint=f"Ask again in a few minutes, or add its commits to the command: `--commits {known}`.",
    )


def _authored(commit: PyGithubCommit) -> _Authored:
    # Of a commit that old tools wrote GitHub may name no author.
    author, subject = commit.commit.author, commit.commit.message.partition("\n")[0]
    return (author.email, author.date.isoformat(), subject) if author and author.date else ("", "", subject)


def _hidden(merge: PyGithubCommit, original: PullRequest) -> RequestRejected:
    return RequestRejected(
        f"#{original.number} reached `{original.base}` by hand with {merge.sha[:12]}, which holds more than the pull "
        "request. What it changed cannot be told for certain, so nothing was started.",
        hint="Add its commits to the command: `--commits SHA…`.",
    )

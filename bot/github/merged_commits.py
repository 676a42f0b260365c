"""Reads from GitHub's record which commits a merged pull request left on its base branch.

The record is a hint: it is empty for tens of seconds after a merge, and names every pull request that a commit is part
of. `bot.git.merge_method` is asked first. This module is for merges that git cannot prove, e.g. if a merge queue
rewrote the commits. It refuses an uncertain record: a guess would backport another pull request's change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

from github import GithubException
from github.Commit import Commit as PyGithubCommit
from github.Repository import Repository as PyGithubRepository

from bot.errors import NotYetKnown, RequestRejected
from bot.github.lazy_objects import lazy_pull
from bot.models import MergeMethod, PullRequest, Sha

# "No commit found for SHA".
_UNKNOWN = (404, 422)

_Authorship = tuple[str, str, str]


def merged_commits(repository: PyGithubRepository, original: PullRequest) -> tuple[MergeMethod, tuple[Sha, ...]]:
    """Return the merge method and the commits on the base branch, oldest first.

    A merge commit is returned by itself, to be picked against its first parent.

    Raises:
        NotYetKnown: there is no record of the merge commit yet.
        RequestRejected: the pull request was merged by hand, and its own commits cannot be found.
    """
    if original.merge_commit is None:
        raise _no_record(original)
    last = _read_commit(repository, original.merge_commit, original)
    if len(last.parents) > 1:
        return MergeMethod.MERGE, (_onto_base(last, original),)
    commits = tuple(_series(repository, last, original))[::-1]
    return MergeMethod.REBASE if len(commits) > 1 else MergeMethod.SQUASH, commits


def _onto_base(merge: PyGithubCommit, original: PullRequest) -> Sha:
    # If main was merged into the topic and then moved to that merge, the first parent is the topic: the merge's diff is
    # main's changes. A push that merged several pull requests at once ends in one merge of them all.
    if [parent.sha for parent in merge.parents[1:]] != [original.head_sha]:
        raise _unclear_merge(merge, original)
    return Sha(merge.sha)


def _series(repository: PyGithubRepository, last: PyGithubCommit, original: PullRequest) -> Iterator[Sha]:
    """Yield the commits of a squash or a rebase, newest first."""
    pull_commits = cache(
        lambda: {_authorship(commit) for commit in lazy_pull(repository, original.number).get_commits()}
    )
    if not _is_of(last, original.number, pull_commits):
        raise _unclear_merge(last, original) if _recorded_pulls(last) else _no_record(original)
    yield Sha(last.sha)
    commit = last
    for _ in range(original.commit_count - 1):
        if len(commit.parents) != 1:
            return
        commit = _read_commit(repository, commit.parents[0].sha, original)
        if not _is_of(commit, original.number, pull_commits):
            return
        if len(commit.parents) > 1:
            raise _unclear_merge(commit, original)
        yield Sha(commit.sha)


def _is_of(commit: PyGithubCommit, number: int, pull_commits: Callable[[], set[_Authorship]]) -> bool:
    """Say whether a commit of the base branch came by a pull request; its own commits are read only if they decide."""
    # GitHub's record counts first. It may name a push that merged several pull requests as the merge of each, and it
    # lacks some commits: then author, date and title decide, which a rebase keeps.
    pulls = _recorded_pulls(commit)
    return pulls == {number} or ((number in pulls or not pulls) and _authorship(commit) in pull_commits())


def _recorded_pulls(commit: PyGithubCommit) -> frozenset[int]:
    return frozenset(pull.number for pull in commit.get_pulls() if pull.merged_at)


def pull_requests_of(repository: PyGithubRepository, commit: Sha) -> frozenset[int]:
    """Return the merged pull requests that brought a commit, by GitHub's record; none if there is no record."""
    try:
        # PyGithub would read the commit first; its name is enough.
        url = f"{repository.url}/commits/{commit}/pulls"
        _, pulls = repository.requester.requestJsonAndCheck("GET", url, parameters={"per_page": 100})
        return frozenset(pull["number"] for pull in pulls if pull["merged_at"])
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
    # A rebase left several commits, and GitHub names only the last of them.
    sha = original.merge_commit[:12] if original.merge_commit and original.commit_count == 1 else "SHA…"
    return NotYetKnown(
        f"GitHub has no record yet of the commits by which #{original.number} was merged, so nothing was started.",
        hint=f"Ask again in a few minutes, or add its commits to the command: `--commits {sha}`.",
    )


def _authorship(commit: PyGithubCommit) -> _Authorship:
    # GitHub may name no author for a commit that an old tool wrote.
    author, subject = commit.commit.author, commit.commit.message.partition("\n")[0]
    return (author.email, author.date.isoformat(), subject) if author and author.date else ("", "", subject)


def _unclear_merge(merge: PyGithubCommit, original: PullRequest) -> RequestRejected:
    return RequestRejected(
        f"#{original.number} reached `{original.base}` by hand with {merge.sha[:12]}, which holds more than the pull "
        "request. Its own change is not certain, so nothing was started.",
        hint="Add its commits to the command: `--commits SHA…`.",
    )

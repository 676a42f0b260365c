"""The error tree. Every error says a fact, its consequence and a remedy.

    BackportError(message, *, hint)
    ├ RequestRejected        the requester acts; answered in the comment
    │ ├ CommandError         a `/backport` line that cannot be read
    │ ├ NotAuthorized
    │ ├ PullRequestNotMerged
    │ └ TargetBranchNotFound
    ├ ConfigError            a maintainer edits backport.yaml or a patch.yaml: file, key path, nearest key
    ├ DownloadError          a package that the demo or a test needs could not be downloaded
    ├ GitError               args, exit code, end of stderr
    │ ├ OutOfTime            it exceeded its time limit
    │ ├ FetchFailed
    │ │ └ MirrorDamaged      objects are missing, or a killed git left a lock
    │ ├ PushRejected         the branch moved or exists
    │ └ PushForbidden        the token may not push this
    ├ GitHubError            HTTP status, request id
    │ ├ RateLimited          retry_at; retryable
    │ ├ Unavailable          retryable
    │ │ └ NotYetKnown        GitHub does not know yet of a push or a merge
    │ ├ Forbidden
    │ │ └ BadCredentials     the token or the key is not accepted; a later one may be
    │ ├ NotFound
    │ ├ ValidationFailed
    │ │ └ NoDrafts           the plan of the repository has no draft pull requests
    │ └ NotOpened            the branch is pushed, its pull request was refused
    ├ StoreUnavailable       the database of the service does not answer; retryable
    ├ RunFolderError         a file that one stage left for the next is missing, damaged or foreign
    └ SuiteError             the suite did not run; failing cases are not this
      ├ NoDevice
      ├ SuiteTimeout
      └ SuiteCrashed

Expected endings of a target branch are values in `models`, not errors.
"""

from __future__ import annotations

from datetime import datetime


class BackportError(Exception):
    """`message` has a fact and its consequence, `hint` the remedy."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[object, ...]:
        # An exception is otherwise made again from its positional arguments alone, which breaks a pool of processes.
        return _make, (type(self), self.args), self.__dict__


def _make(kind: type[BackportError], positional: tuple[object, ...]) -> BackportError:
    return kind.__new__(kind, *positional)


class RequestRejected(BackportError):
    """The request cannot be served as it stands; the requester can change it."""


class CommandError(RequestRejected):
    """A command line that cannot be read.

    `word` is the word that cannot be a branch name, empty if none is named; None if the hint is complete.
    """

    def __init__(self, message: str, *, hint: str, word: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.word = word


class NotAuthorized(RequestRejected):
    """The requester's permission on the repository is too low for the command."""


class PullRequestNotMerged(RequestRejected):
    """There is nothing to pick yet."""


class TargetBranchNotFound(RequestRejected):
    """A target branch that the repository does not have."""


class ConfigError(BackportError):
    """A configuration file that cannot be used; names file and key path."""


class DownloadError(BackportError):
    """A released package could not be downloaded or is not what its hash says."""


class GitError(BackportError):
    """git failed. `code` is its exit code, `stderr` the end of its messages."""

    def __init__(self, message: str, *, hint: str, code: int = 0, stderr: str = "") -> None:
        super().__init__(message, hint=hint)
        self.code = code
        self.stderr = stderr


class OutOfTime(GitError):
    """git was ended because it exceeded its time limit."""


class FetchFailed(GitError):
    """Objects could not be fetched."""


class MirrorDamaged(FetchFailed):
    """A mirror lacks objects, or a git process that was killed left a lock in it. It can be made anew."""


class PushRejected(GitError):
    """The remote refused because the ref is at another commit than expected."""


class PushForbidden(GitError):
    """The remote refused because the token may not do this."""


class GitHubError(BackportError):
    """GitHub answered with an error. GitHub's support asks for `request_id`."""

    def __init__(self, message: str, *, hint: str, http_status: int = 0, request_id: str = "") -> None:
        super().__init__(message, hint=hint)
        self.http_status = http_status
        self.request_id = request_id


class RateLimited(GitHubError):
    """A primary or secondary limit was hit; asking before `retry_at` makes it worse."""

    def __init__(
        self, message: str, *, hint: str, retry_at: datetime, http_status: int = 403, request_id: str = ""
    ) -> None:
        super().__init__(message, hint=hint, http_status=http_status, request_id=request_id)
        self.retry_at = retry_at


class Unavailable(GitHubError):
    """GitHub did not answer usefully (5xx, time-out, connection reset); the same call may work later."""


class NotYetKnown(Unavailable):
    """GitHub refused a call, or its answer is out of date: it does not know yet of a push or a merge."""


class Forbidden(GitHubError):
    """The token may not do this."""


class BadCredentials(Forbidden):
    """GitHub accepts no such token or key (401). It may have been revoked, or this machine's clock is wrong."""


class NotFound(GitHubError):
    """No such thing, or the token may not see it."""


class ValidationFailed(GitHubError):
    """GitHub refused the content of a request (422)."""


class NoDrafts(ValidationFailed):
    """The plan of the repository has no draft pull requests."""


class NotOpened(GitHubError):
    """A backport branch was pushed and GitHub refused its pull request; the branch is still there."""


class StoreUnavailable(BackportError):
    """The database of the service does not answer or refuses, so the result of a step cannot be recorded."""


TEMPORARY = (RateLimited, Unavailable, BadCredentials, StoreUnavailable)
"""Errors that say nothing about what was asked for: a service takes the step again later."""


class RunFolderError(BackportError):
    """A run folder lacks a file that a stage needs, or was changed after it was sealed."""


class SuiteError(BackportError):
    """The regression suite did not run to a result."""


class NoDevice(SuiteError):
    """The device asked for is not on this machine."""


class SuiteTimeout(SuiteError):
    """The suite was stopped at its time limit."""


class SuiteCrashed(SuiteError):
    """The suite's process died."""

"""The remote of a mirror: lists its branches, fetches objects, pushes one commit to one branch.

Fetches and pushes through GitPython. A token is in the environment of the git processes started here and nowhere else.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from git import GitCommandError, PushInfo, SymbolicReference
from git import Remote as GitRemote

from bot.errors import FetchFailed, GitError, PushForbidden, PushRejected
from bot.git.environment import authorization
from bot.git.process import ProcessResult
from bot.git.push_rejections import explain_refusal, is_refusal
from bot.git.transfer_output import TransferOutput
from bot.models import Progress, Sha, silent

if TYPE_CHECKING:
    from bot.git.repository import Repository

REMOTE = "origin"
_KEPT_REFS = "refs/backport-bot/fetched/"
_HEADS = "refs/heads/"
_SHA = re.compile(r"[0-9a-f]{40}")
# curl's and git's fixed words for a failure of the connection or the server; the locale is always C.
_CONNECTION = re.compile(
    r"error: (?:429|5\d\d)\b|HTTP (?:429|5\d\d)\b|reset by peer|[Ee]mpty reply|timed out|Operation too slow"
    r"|early EOF|unexpected disconnect|hung up unexpectedly|Could not resolve host"
)
_BUSY = re.compile(r"\[remote rejected\] \((?:Internal Server Error|failed to lock|failure)\)", re.IGNORECASE)
"""What GitHub answers for a branch if its storage did not answer in time."""
_STDERR_LIMIT = 2000
"""Characters of git's messages that an error keeps."""
_PAUSES = (1.0, 4.0)
"""Seconds before the second and third attempt."""
_DENIED = re.compile(r"error: 40[13]\b|Authentication failed|could not read (Username|Password)|Permission denied")

Token = str | Callable[[], str]


@dataclass(slots=True)
class Connection:
    """A remote by its name in the mirror's configuration, its address, and the token that is for that address alone."""

    name: str = REMOTE
    url: str = ""
    token: Token | None = field(default=None, repr=False)
    progress: Progress = silent

    def authorization(self) -> Mapping[str, str]:
        """Return the variables with the token, as it is now, for a process that talks to the remote."""
        token = self.token() if callable(self.token) else self.token
        return authorization(self.url, token) if token else {}


@dataclass(frozen=True, slots=True)
class _Answer:
    """How a command that talks to the remote ended; `info` is the remote's answer for the branch, if it gave one."""

    result: ProcessResult
    info: PushInfo | None = None

    @property
    def summary(self) -> str:
        return self.info.summary.strip() if self.info else ""

    @property
    def is_lost(self) -> bool:
        """Whether the connection or the server failed, so that another attempt may succeed."""
        return bool(self.result.code and (_CONNECTION.search(self.result.stderr) or _BUSY.search(self.summary)))


def _retry(attempt: Callable[[], _Answer]) -> _Answer:
    """Run a command that talks to the remote; up to three times if the connection fails.

    A push may be repeated as well: it names the tip that it replaces, so that a second one cannot replace more.
    """
    for pause in _PAUSES:
        answer = attempt()
        if not answer.is_lost:
            return answer
        time.sleep(pause)
    return attempt()


def _connect(repository: Repository) -> GitRemote:
    """Return GitPython's remote, whose processes may send the token."""
    connection = repository.connection
    return GitRemote(repository.repo.with_variables(connection.authorization()), connection.name)


def list_branches(repository: Repository) -> dict[str, Sha]:
    """Ask the remote for its branches, in one round trip. Names that are no UTF-8 are left out: no API can say them.

    Raises:
        FetchFailed: the remote could not be asked.
    """

    def attempt() -> _Answer:
        variables = repository.connection.authorization()
        return _Answer(repository.git.attempt("ls-remote", "--heads", repository.connection.name, variables=variables))

    result = _retry(attempt).result
    if result.code:
        raise _fetch_error(repository, result, "The branches of the remote could not be listed")
    output = result.stdout.decode(errors="surrogateescape")
    lines = (line.split("\t") for line in output.split("\n") if line)
    return {ref.removeprefix(_HEADS): Sha(sha) for sha, ref in lines if ref.startswith(_HEADS) and _is_utf8(ref)}


def _is_utf8(name: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in name)


def fetch(repository: Repository, names: Iterable[str]) -> None:
    """Fetch commits (by object name) or refs (by refspec); costs nothing for commits that are here already.

    A commit fetched by its name is kept by a ref of its own, so that the next fetch need not bring its history again.

    Raises:
        FetchFailed: the remote could not be asked or does not have it.
    """
    refspecs = [
        f"+{name}:{_KEPT_REFS}{name}" if _SHA.fullmatch(name) else name
        for name in dict.fromkeys(names)
        if not (_SHA.fullmatch(name) and _is_complete(repository, name))
    ]
    if not refspecs:
        return
    result = _retry(lambda: _fetch_once(repository, refspecs)).result
    if result.code:
        names = ", ".join(refspec.removeprefix("+").partition(":")[0] for refspec in refspecs)
        raise _fetch_error(repository, result, f"{names} could not be fetched")
    repository.close()


def _fetch_once(repository: Repository, refspecs: list[str]) -> _Answer:
    output = TransferOutput(repository.connection.progress)
    try:
        _connect(repository).fetch(refspecs, progress=output, verbose=False, no_tags=True, no_auto_maintenance=True)
    except GitCommandError as error:
        return _Answer(_result(repository, output, cast("int", error.status)))
    return _Answer(_result(repository, output, 0))


def _result(repository: Repository, output: TransferOutput, code: int) -> ProcessResult:
    return ProcessResult(code, b"", repository.git.scrub(output.messages))


def _is_complete(repository: Repository, sha: str) -> bool:
    # A lone object proves nothing about its history; a ref is only written once the history is here.
    try:
        return SymbolicReference.dereference_recursive(repository.repo, f"{_KEPT_REFS}{sha}") == sha
    except ValueError:
        return repository.contains(Sha(sha)) and bool(
            repository.git.attempt("for-each-ref", "--count=1", f"--contains={sha}").stdout
        )


def _fetch_error(repository: Repository, result: ProcessResult, action: str) -> GitError:
    is_denied = bool(_DENIED.search(result.stderr))
    hint = "Check the token's access to the repository." if is_denied else "Check the repository's URL and the network."
    return repository.git.error(result, action, FetchFailed, hint)


def push(repository: Repository, commit: Sha, branch: str, *, expected: Sha | None) -> None:
    """Put a commit on a branch of the remote that is at `expected`, or that does not exist when that is None.

    Pushing what is there already changes nothing and is no error. The commit is kept by a ref, as a fetched one is.

    Raises:
        PushRejected: the branch has moved; it was not changed.
        PushForbidden: the remote does not let this token push that.
        GitError: the remote could not be reached.
    """
    ref = f"{_HEADS}{branch}"
    if repository.git.attempt("check-ref-format", ref).code:
        raise PushRejected(f"git does not allow `{branch}` as a branch name, so nothing was pushed.", hint="Rename it.")
    # GitPython reads the remote's answer only if what is pushed is a ref.
    repository.git.run("update-ref", f"{_KEPT_REFS}{commit}", commit)
    answer = _retry(lambda: _push_once(repository, f"{_KEPT_REFS}{commit}", ref, expected))
    if answer.result.code and not _has_landed(repository, commit, branch):
        raise _push_error(repository, answer, branch, expected)


def _push_once(repository: Repository, source: str, ref: str, expected: Sha | None) -> _Answer:
    """Push a ref (empty: delete `ref`) under the condition that the remote's is at `expected`.

    https://git-scm.com/docs/git-push#Documentation/git-push.txt---force-with-leaseltrefnamegtltexpectgt
    """
    output = TransferOutput(repository.connection.progress)
    lease = f"{ref}:{expected or ''}"
    try:
        results = _connect(repository).push(f"{source}:{ref}", progress=output, no_verify=True, force_with_lease=lease)
    except GitCommandError as error:
        return _Answer(_result(repository, output, cast("int", error.status)))
    info = next((result for result in results if result.remote_ref_string == ref), None)
    is_failure = info is None or bool(info.flags & PushInfo.ERROR)
    return _Answer(_result(repository, output, int(is_failure)), info)


def _has_landed(repository: Repository, commit: Sha, branch: str) -> bool:
    """Say whether an attempt without an answer did push the commit."""
    try:
        return list_branches(repository).get(branch) == commit
    except FetchFailed:
        return False


def delete_branch(repository: Repository, branch: str, *, expected: Sha) -> None:
    """Remove a branch of the remote that is at `expected`; one that is gone, or somewhere else by now, is left.

    Raises:
        GitError: the remote could not be reached, or does not let this token do it.
    """
    if list_branches(repository).get(branch) != expected:
        return
    result = _push_once(repository, "", f"{_HEADS}{branch}", expected).result
    if result.code:
        hint = "Remove it by hand; the token needs write access to contents."
        raise repository.git.error(result, f"`{branch}` was not removed", GitError, hint)


def _push_error(repository: Repository, answer: _Answer, branch: str, expected: Sha | None) -> GitError:
    result, summary = answer.result, answer.summary
    if not is_refusal(result.stderr, summary):
        hint = "Check the repository's URL and the network."
        return repository.git.error(result, f"`{branch}` was not pushed", GitError, hint)
    # git words a refusal by a hook, a rule and a lost race alike, so the branch itself is asked.
    if summary and list_branches(repository).get(branch) != expected:
        hint = "The branch got another push meanwhile: look at it, then ask again."
        return repository.git.error(result, f"`{branch}` was not pushed ({summary})", PushRejected, hint)
    refusal = explain_refusal(result.stderr, summary)
    message = f"The push of `{branch}` was refused, so no pull request was opened or changed: {refusal.words}"
    return PushForbidden(message, hint=refusal.hint, code=result.code, stderr=result.stderr.strip()[-_STDERR_LIMIT:])

"""The remote of a mirror: lists its branches, fetches objects, pushes one commit to one branch.

Fetches and pushes through GitPython. A token is in the environment of the git processes started here and nowhere else.
"""

from __future__ import annotations

import fcntl
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

from git import GitCommandError, PushInfo, SymbolicReference
from git import Remote as GitRemote

from bot.environment.data_folder import private_file
from bot.environment.trace import span
from bot.errors import FetchFailed, GitError, PushForbidden, PushRejected
from bot.git.connection import Answer, is_denied, retry
from bot.git.partial import KEPT_REFS
from bot.git.process import ProcessResult
from bot.git.push_rejections import explain_refusal, is_refusal
from bot.git.transfer_output import TransferOutput
from bot.models import Sha

if TYPE_CHECKING:
    from bot.git.repository import Repository

_HEADS = "refs/heads/"
_SHA = re.compile(r"[0-9a-f]{40}")
_STDERR_LIMIT = 2000
"""Characters of git's messages that an error keeps."""


def _connect(repository: Repository) -> GitRemote:
    """Return GitPython's remote, whose processes may send the token."""
    connection, partial = repository.connection, repository.partial
    # The repository's own variables may still name it as a promisor, which fetches by the promisor's filter.
    whole = {"GIT_CONFIG_COUNT": "0", **connection.authorization()}
    variables = partial.variables() if partial is not None and partial.is_partial else whole
    return GitRemote(repository.repo.with_variables(variables), connection.name)


def list_branches(repository: Repository) -> dict[str, Sha]:
    """Ask the remote for its branches, in one round trip. Names that are no UTF-8 are left out: no API can say them.

    Raises:
        FetchFailed: the remote could not be asked.
    """

    def attempt() -> Answer:
        variables = repository.connection.authorization()
        return Answer(repository.git.attempt("ls-remote", "--heads", repository.connection.name, variables=variables))

    result = retry(attempt).result
    if result.code:
        raise _fetch_error(repository, result, "The branches of the remote could not be listed")
    output = result.stdout.decode(errors="surrogateescape")
    lines = (line.split("\t") for line in output.split("\n") if line)
    return {ref.removeprefix(_HEADS): Sha(sha) for sha, ref in lines if ref.startswith(_HEADS) and _is_utf8(ref)}


def read_head(repository: Repository) -> tuple[str, Sha | None]:
    """Ask the remote for the name and the tip of its default branch; the tip is None if the remote is empty.

    Raises:
        FetchFailed: the remote could not be asked.
    """

    def attempt() -> Answer:
        variables = repository.connection.authorization()
        arguments = ("ls-remote", "--symref", repository.connection.name, "HEAD")
        return Answer(repository.git.attempt(*arguments, variables=variables))

    result = retry(attempt).result
    if result.code:
        raise _fetch_error(repository, result, "The default branch of the remote could not be read")
    # Two lines: "ref: refs/heads/main\tHEAD" and "<object name>\tHEAD".
    values = [line.partition("\t")[0] for line in result.stdout.decode(errors="replace").splitlines()]
    name = next((value.removeprefix(f"ref: {_HEADS}") for value in values if value.startswith("ref: ")), "main")
    return name, next((Sha(value) for value in values if _SHA.fullmatch(value)), None)


def _is_utf8(name: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in name)


def fetch(repository: Repository, names: Iterable[str]) -> None:
    """Fetch commits (by object name) or refs (by refspec); costs nothing for commits that are here already.

    A commit fetched by its name is kept by a ref of its own, so that the next fetch need not bring its history again.

    Raises:
        FetchFailed: the remote could not be asked or does not have it.
    """
    partial, names = repository.partial, list(dict.fromkeys(names))
    if partial is not None and partial.is_partial:
        with alone(repository):
            partial.fetch(names)
        return
    if not _missing(repository, names):
        return
    with alone(repository):
        refspecs = _missing(repository, names)  # others may have brought it meanwhile
        result = retry(lambda: _fetch_once(repository, refspecs)).result if refspecs else None
    if result is None:
        return
    if result.code:
        names = ", ".join(refspec.removeprefix("+").partition(":")[0] for refspec in refspecs)
        raise _fetch_error(repository, result, f"{names} could not be fetched")
    repository.close()


def _missing(repository: Repository, names: Iterable[str]) -> list[str]:
    shas = [Sha(name) for name in names if _SHA.fullmatch(name)]
    complete_shas = set(shas) - _incomplete(repository, shas)
    return [
        f"+{name}:{KEPT_REFS}{name}" if _SHA.fullmatch(name) else name for name in names if name not in complete_shas
    ]


@contextmanager
def alone(repository: Repository) -> Iterator[None]:
    """Let one thread of one process at a time fetch into a mirror: two that write one ref would fail."""
    with private_file(repository.git.directory / "backport-fetch.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _fetch_once(repository: Repository, refspecs: list[str]) -> Answer:
    output = TransferOutput(repository.connection.progress)
    try:
        with span("fetch", objects=len(refspecs), what="everything"):
            _connect(repository).fetch(refspecs, progress=output, verbose=False, no_tags=True, no_auto_maintenance=True)
    except GitCommandError as error:
        return Answer(_result(repository, output, cast("int", error.status)))
    return Answer(_result(repository, output, 0))


def _result(repository: Repository, output: TransferOutput, code: int) -> ProcessResult:
    return ProcessResult(code, b"", repository.git.scrub(output.messages))


def _incomplete(repository: Repository, shas: Iterable[Sha]) -> set[Sha]:
    """Return the commits that are not here with their whole history."""
    shas = [sha for sha in shas if not _is_kept(repository, sha)]
    here = [sha for sha in shas if repository.contains(sha)]
    # A lone object proves nothing about its history; a ref is only written once the history is here.
    words, stdin = ("rev-list", "--stdin", "--not", "--all"), "".join(f"{sha}\n" for sha in here).encode()
    result = repository.git.attempt(*words, stdin=stdin) if here else None
    if result is None or result.code:
        return set(shas)
    return set(shas) - (set(here) - set(map(Sha, result.stdout.decode().split())))


def _is_kept(repository: Repository, sha: Sha) -> bool:
    try:
        return SymbolicReference.dereference_recursive(repository.repo, f"{KEPT_REFS}{sha}") == sha
    except ValueError:
        return False


def _fetch_error(repository: Repository, result: ProcessResult, action: str) -> GitError:
    denied = "Check the token's access to the repository."
    hint = denied if is_denied(result.stderr) else "Check the repository's URL and the network."
    return repository.git.error(result, action, FetchFailed, hint)


def push(repository: Repository, commit: Sha, branch: str, *, expected: Sha | None) -> None:
    """Put a commit on a branch of the remote that is at `expected`, or that does not exist when that is None.

    Pushing what is there already changes nothing and is no error. A pushed commit is kept by a ref, like a fetched one.

    Raises:
        PushRejected: the branch has moved; it was not changed.
        PushForbidden: the remote does not let this token push that.
        GitError: the remote could not be reached.
    """
    ref = f"{_HEADS}{branch}"
    if repository.git.attempt("check-ref-format", ref).code:
        raise PushRejected(f"git does not allow `{branch}` as a branch name, so nothing was pushed.", hint="Rename it.")
    # GitPython reads the remote's answer only if what is pushed is a ref.
    repository.git.run("update-ref", f"{KEPT_REFS}{commit}", commit)
    answer = retry(lambda: _push_once(repository, f"{KEPT_REFS}{commit}", ref, expected))
    if answer.result.code and not _has_landed(repository, commit, branch):
        # A partial mirror asks the remote for the history of all that is kept, and the remote has nothing of this one.
        repository.git.run("update-ref", "-d", f"{KEPT_REFS}{commit}")
        raise _push_error(repository, answer, branch, expected)


def _push_once(repository: Repository, source: str, ref: str, expected: Sha | None) -> Answer:
    """Push a ref (empty: delete `ref`) under the condition that the remote's is at `expected`.

    https://git-scm.com/docs/git-push#Documentation/git-push.txt---force-with-leaseltrefnamegtltexpectgt
    """
    output = TransferOutput(repository.connection.progress)
    lease = f"{ref}:{expected or ''}"
    try:
        with span("push"):
            refspec = f"{source}:{ref}"
            results = _connect(repository).push(refspec, progress=output, no_verify=True, force_with_lease=lease)
    except GitCommandError as error:
        return Answer(_result(repository, output, cast("int", error.status)))
    info = next((result for result in results if result.remote_ref_string == ref), None)
    is_failure = info is None or bool(info.flags & PushInfo.ERROR)
    return Answer(_result(repository, output, int(is_failure)), info)


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


def _push_error(repository: Repository, answer: Answer, branch: str, expected: Sha | None) -> GitError:
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

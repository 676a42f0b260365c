"""The remote of a mirror: what branches it has, bringing objects here, pushing one commit to one branch.

Owns the wire. A token is in the environment of the git processes started here and nowhere else.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from bot.errors import FetchFailed, GitError, PushForbidden, PushRejected
from bot.git.process import Completed
from bot.git.push_rejections import explain_refusal, is_refusal
from bot.models import Sha

if TYPE_CHECKING:
    from bot.git.repository import Repository

REMOTE = "origin"
_FETCHED = "refs/backport-bot/fetched/"
_HEADS = "refs/heads/"
_SHA = re.compile(r"[0-9a-f]{40}")
# curl's and git's fixed words for a refusal by the server; the locale is always C.
_CONNECTION = re.compile(
    r"error: (?:429|5\d\d)\b|HTTP (?:429|5\d\d)\b|reset by peer|[Ee]mpty reply|timed out|Operation too slow"
    r"|early EOF|unexpected disconnect|hung up unexpectedly|Could not resolve host"
)
_BUSY = re.compile(rb"\[remote rejected\] \((?:Internal Server Error|failed to lock|failure)\)", re.IGNORECASE)
"""What GitHub says of a branch when its storage did not answer in time."""
_STDERR_KEPT = 2000
"""Characters of what git said that an error holds."""
_PAUSES = (1.0, 4.0)
"""Seconds before the second and third attempt."""
_STALLED = ("-c", "http.lowSpeedLimit=1", "-c", "http.lowSpeedTime=60")
"""git itself waits for ever for a server that says nothing."""
_REFUSED = re.compile(r"error: 40[13]\b|Authentication failed|could not read (Username|Password)|Permission denied")


def list_branches(repository: Repository) -> dict[str, Sha]:
    """Ask the remote for its branches, in one round trip. Left out are names that are no UTF-8: no API can say them.

    Raises:
        FetchFailed: the remote could not be asked.
    """
    done = _ask(repository, "ls-remote", "--heads", repository.remote)
    if done.code:
        raise _fetch_error(repository, done, "The branches of the remote could not be listed")
    lines = (line.split("\t") for line in done.stdout.decode(errors="surrogateescape").split("\n") if line)
    return {ref.removeprefix(_HEADS): Sha(sha) for sha, ref in lines if ref.startswith(_HEADS) and _is_utf8(ref)}


def _is_utf8(name: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in name)


def fetch(repository: Repository, wanted: Iterable[str]) -> None:
    """Bring commits (by object name) or refs (by refspec) here; commits that are here already cost nothing.

    A commit fetched by its name is kept by a ref of its own, so that the next fetch need not bring its history again.

    Raises:
        FetchFailed: the remote could not be asked or does not have it.
    """
    refspecs = [
        f"+{each}:{_FETCHED}{each}" if _SHA.fullmatch(each) else each
        for each in dict.fromkeys(wanted)
        if not (_SHA.fullmatch(each) and _is_complete(repository, each))
    ]
    if not refspecs:
        return
    arguments = (
        "-c",
        "fetch.writeCommitGraph=true",
        "fetch",
        "--quiet",
        "--no-tags",
        "--no-write-fetch-head",
        "--no-auto-maintenance",
    )
    done = _ask(repository, *arguments, repository.remote, *refspecs)
    if done.code:
        shown = ", ".join(each.removeprefix("+").partition(":")[0] for each in refspecs)
        raise _fetch_error(repository, done, f"{shown} could not be fetched")
    repository.forget()


def _ask(repository: Repository, *arguments: str) -> Completed:
    """Run a command that talks to the remote; where the connection failed it is run again.

    That goes for a push as well: it names the tip that it replaces, so that a second one cannot replace more.
    """
    for pause in _PAUSES:
        done = repository.git.attempt(*_STALLED, *arguments, variables=repository.authorize())
        if not done.code or not (_CONNECTION.search(done.stderr) or _BUSY.search(done.stdout)):
            return done
        time.sleep(pause)
    return repository.git.attempt(*_STALLED, *arguments, variables=repository.authorize())


def _is_complete(repository: Repository, sha: str) -> bool:
    # A lone object proves nothing about its history; a ref is only written once the history is here.
    if repository.resolve(f"{_FETCHED}{sha}"):
        return True
    return repository.contains(Sha(sha)) and bool(
        repository.git.attempt("for-each-ref", "--count=1", f"--contains={sha}").stdout
    )


def _fetch_error(repository: Repository, done: Completed, what: str) -> GitError:
    refused = bool(_REFUSED.search(done.stderr))
    hint = "Check the token's access to the repository." if refused else "Check the repository's URL and the network."
    return repository.git.error(done, what, FetchFailed, hint)


def push(repository: Repository, commit: Sha, branch: str, *, expected: Sha | None) -> None:
    """Put a commit on a branch of the remote that is at `expected`, or that does not exist when that is None.

    Pushing what is there already changes nothing and is no error.

    Raises:
        PushRejected: the branch is somewhere else by now; it was left as it is.
        PushForbidden: the remote does not let this token push that.
        GitError: the remote could not be reached.
    """
    ref = f"{_HEADS}{branch}"
    if repository.git.attempt("check-ref-format", ref).code:
        raise PushRejected(f"git does not allow `{branch}` as a branch name, so nothing was pushed.", hint="Rename it.")
    lease = f"--force-with-lease={ref}:{expected or ''}"
    done = _ask(repository, "push", "--porcelain", "--no-verify", lease, repository.remote, f"{commit}:{ref}")
    flag, summary = _pushed_line(done, ref)
    if flag in (" ", "+", "*", "="):
        return
    if _has_landed(repository, commit, branch):
        return
    raise _push_error(repository, done, branch, expected, summary)


def _has_landed(repository: Repository, commit: Sha, branch: str) -> bool:
    """Say whether an attempt whose answer was lost had pushed the commit after all."""
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
    ref = f"{_HEADS}{branch}"
    lease = f"--force-with-lease={ref}:{expected}"
    done = repository.git.attempt(
        *_STALLED, "push", "--porcelain", "--no-verify", lease, REMOTE, f":{ref}", variables=repository.authorize()
    )
    if done.code:
        hint = "Remove it by hand; the token needs write access to contents."
        raise repository.git.error(done, f"`{branch}` was not removed", GitError, hint)


def _pushed_line(done: Completed, ref: str) -> tuple[str, str]:
    """Return flag and summary of the porcelain line for a ref, empty where the remote gave none."""
    for line in done.stdout.decode(errors="replace").splitlines():
        flag, _, rest = line.partition("\t")
        refs, _, summary = rest.partition("\t")
        if refs.endswith(f":{ref}"):
            return flag, summary
    return "", ""


def _push_error(repository: Repository, done: Completed, branch: str, expected: Sha | None, summary: str) -> GitError:
    if not is_refusal(done.stderr, summary):
        hint = "Check the repository's URL and the network."
        return repository.git.error(done, f"`{branch}` was not pushed", GitError, hint)
    # git words a refusal by a hook, a rule and a lost race alike, so the branch itself is asked.
    if summary and list_branches(repository).get(branch) != expected:
        hint = "Somebody else pushed to the branch meanwhile: look at it, then ask again."
        return repository.git.error(done, f"`{branch}` was not pushed ({summary})", PushRejected, hint)
    refusal = explain_refusal(done.stderr, summary)
    message = f"The push of `{branch}` was refused, so no pull request was opened or changed: {refusal.words}"
    return PushForbidden(message, hint=refusal.hint, code=done.code, stderr=done.stderr.strip()[-_STDERR_KEPT:])

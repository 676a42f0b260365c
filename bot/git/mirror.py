"""Opens the bare repository that mirrors a remote; creates it the first time."""

from __future__ import annotations

import hashlib
from pathlib import Path

from bot.errors import GitError
from bot.git.connection import REMOTE, Connection, Token
from bot.git.open import Repo, create_repo, open_repo
from bot.git.partial import PartialMirror
from bot.git.process import Git
from bot.git.repository import Repository
from bot.models import Progress, silent


def open_mirror(
    url: str,
    directory: Path,
    *,
    token: Token | None = None,
    remote: str = REMOTE,
    progress: Progress = silent,
    partial: bool = False,
) -> Repository:
    """Find or create the bare repository that mirrors a remote. Fetches nothing yet.

    A token that expires is given as a function, which is called whenever git talks to the remote. A new mirror can be
    `partial`: then it fetches only what it is asked for. One that is there stays what it is.

    Raises:
        GitError: the directory cannot be used, or the URL holds credentials.
    """
    if "@" in url.partition("://")[2].partition("/")[0] and url.startswith("http"):
        raise GitError("The URL of a remote must not hold credentials.", hint="Give the token by itself.")
    is_new = not (directory / "HEAD").exists()
    repo = create_repo(directory) if is_new else open_repo(directory)
    # git would create it with the umask's permissions, and leaves those of a file that exists:
    # https://github.com/git/git/blob/v2.39.5/builtin/fetch.c (truncate_fetch_head)
    (directory / "FETCH_HEAD").touch(mode=0o600)
    repo.git.secrets = (token,) if isinstance(token, str) else ()
    repo.git.is_mirror = True
    repo.git.run("config", f"remote.{remote}.url", url)
    connection = Connection(remote, url, token, progress)
    if (is_new and partial) or PartialMirror.is_marked(repo.git):
        return _open_partial(repo, connection)
    if repo.git.attempt("config", "--get", "extensions.partialClone").code == 0:
        # In a partial clone any git process may have to ask the remote for an object.
        repo = repo.with_variables(connection.authorization())
    return Repository(repo, connection)


def _open_partial(repo: Repo, connection: Connection) -> Repository:
    partial = PartialMirror(Git(repo.git.directory, secrets=repo.git.secrets, is_mirror=True), connection)
    partial.mark()
    repo = repo.with_variables(partial.variables())
    repo.git.before, repo.git.through = partial.require_history, partial.run
    return Repository(repo, connection, partial)


def open_beside(mirror: Repository, name: str, url: str, *, token: Token) -> Repository:
    """Return a mirror with another remote, under a name of its own: the objects are the same."""
    # Two names may be written alike; two addresses are never one remote.
    remote = f"{name}-{hashlib.sha256(url.encode()).hexdigest()[:12]}"
    return open_mirror(url, mirror.git.directory, token=token, remote=remote)

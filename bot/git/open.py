"""Opens and creates git directories with GitPython."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import Any, Self

import git

from bot.errors import GitError
from bot.git.process import Git

# GitPython prefers them to the path that it is given. A git hook that starts the bot sets them:
# https://git-scm.com/docs/githooks#_description
CALLERS_REPOSITORY = ("GIT_DIR", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY", "GIT_WORK_TREE")
_lock = threading.Lock()


@contextmanager
def _without_callers_repository() -> Iterator[None]:
    """Hide these variables while GitPython reads the environment of this process."""
    with _lock:
        hidden_variables = {name: os.environ.pop(name) for name in CALLERS_REPOSITORY if name in os.environ}
        try:
            yield
        finally:
            os.environ.update(hidden_variables)


class Repo(git.Repo):
    """GitPython's repository, with processes that get the environment of `bot.git.environment`.

    It reads the directory's own configuration: only for directories that the bot or its user set up.
    """

    GitCommandWrapperType = Git  # type: ignore[assignment]  # GitPython means a subclass, and declares its own class
    git: Git

    def __init__(self, path: Path, **options: Any) -> None:  # noqa: ANN401 - GitPython's
        with _without_callers_repository():
            super().__init__(path, expand_vars=False, **options)
        # GitPython gives its runner the directory that the files are in.
        self.git.directory = Path(self.git_dir)

    def with_variables(self, variables: Mapping[str, str]) -> Self:
        """Return this repository with further variables for its processes; it is not read again."""
        repo = copy(self)
        old = self.git
        repo.git = Git(
            old.directory,
            variables={**old.variables, **variables},
            secrets=old.secrets,
            before=old.before,
            through=old.through,
            is_mirror=old.is_mirror,
        )
        repo.odb = git.GitCmdObjectDB(self.odb.root_path(), repo.git)
        return repo


def open_repo(directory: Path) -> Repo:
    """Open a git directory, or the one in a checkout.

    Raises:
        GitError: there is no repository.
    """
    if (directory / ".git").is_dir():
        directory /= ".git"
    try:
        return Repo(directory)
    except (git.InvalidGitRepositoryError, git.NoSuchPathError):
        raise GitError(f"There is no git repository at {directory}.", hint="Give a git directory.") from None


def create_repo(directory: Path) -> Repo:
    """Create a bare repository without the hooks of a template, and open it.

    Raises:
        GitError: the directory cannot be used.
    """
    directory.mkdir(parents=True, exist_ok=True)
    Git(directory.resolve()).run("init", "--quiet", "--bare", "--template=", "--object-format=sha1")
    return Repo(directory)

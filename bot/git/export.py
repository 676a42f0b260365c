"""Writes a commit's files to a directory, for a run that needs files.

The directory gets the files and links that a checkout would have, and no repository. No filter of the repository runs,
as a filter is a program: https://git-scm.com/docs/gitattributes#_filter
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bot.git import fetch_ahead
from bot.models import Sha

if TYPE_CHECKING:
    from bot.git.repository import Repository


def export(repository: Repository, commit: Sha, directory: Path, paths: Sequence[str] = ()) -> None:
    """Write a commit's files below a directory, which is made if need be; `paths` limits it to files or directories.

    `git archive` would leave out what .gitattributes marks export-ignore; a temporary index leaves out nothing.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="backport-index-") as scratch:
        variables = {"GIT_INDEX_FILE": f"{scratch}/index", "GIT_WORK_TREE": str(directory.resolve())}
        _fill_index(repository, commit, paths, variables)
        repository.git.run("checkout-index", "--all", "--force", "--quiet", variables=variables)


def _fill_index(repository: Repository, commit: Sha, paths: Sequence[str], variables: dict[str, str]) -> None:
    fetch_ahead.files_below(repository, commit, paths)
    if not paths:
        repository.git.run("read-tree", commit, variables=variables)
        return
    literal = {**variables, "GIT_LITERAL_PATHSPECS": "1"}
    entries = repository.git.run("ls-tree", "-r", "-z", "--full-tree", commit, "--", *paths, variables=literal)
    repository.git.run("update-index", "-z", "--index-info", stdin=entries, variables=variables)

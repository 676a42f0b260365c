"""Commits that GitHub writes and signs: made by the Git Data API, without naming an author or committer.

GitHub signs a commit only if it is the one who writes it, in the name of the token's account. Owns the requests; which
commits are written so, and what becomes of their authors, is decided elsewhere.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from github.Repository import Repository as PyGithubRepository

from bot.git.objects import SUBMODULE, Entry
from bot.models import Sha


def upload_tree(
    repository: PyGithubRepository, base_tree: Sha, changes: Mapping[str, Entry | None], contents: Mapping[Sha, bytes]
) -> Sha:
    """Store the tree that differs from one that GitHub has in these entries; `contents` are those of new blobs."""
    for content in contents.values():
        encoded = base64.b64encode(content).decode()
        _post(repository, "git/blobs", {"content": encoded, "encoding": "base64"})
    entries = [_entry(path, entry) for path, entry in changes.items()]
    return Sha(_post(repository, "git/trees", {"base_tree": base_tree, "tree": entries})["sha"])


def write_signed(repository: PyGithubRepository, tree: Sha, parent: Sha, message: str) -> Sha:
    """Let GitHub write a commit of a tree that it has, in the name of the token's account."""
    # Either of author and committer, if it were named, would be taken as it is and the commit left unsigned.
    body = {"message": message, "tree": tree, "parents": [parent]}
    return Sha(_post(repository, "git/commits", body)["sha"])


def _entry(path: str, entry: Entry | None) -> dict[str, str | None]:
    if entry is None:
        return {"path": path, "mode": "100644", "type": "blob", "sha": None}
    kind = "commit" if entry.mode == SUBMODULE else "blob"
    return {"path": path, "mode": entry.mode, "type": kind, "sha": entry.sha}


def _post(repository: PyGithubRepository, path: str, body: dict[str, Any]) -> dict[str, Any]:
    _, answer = repository.requester.requestJsonAndCheck("POST", f"{repository.url}/{path}", input=body)
    found: dict[str, Any] = answer
    return found

"""Commits that GitHub writes and signs, through the Git Data API.

GitHub signs a commit only if it writes it itself, in the name of the token's account:
https://docs.github.com/authentication/managing-commit-signature-verification/about-commit-signature-verification
`bot.pipeline.verified_commits` decides which commits are written so, and where their authors are named.
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
        text = base64.b64encode(content).decode()
        _post(repository, "git/blobs", {"content": text, "encoding": "base64"})
    entries = [_entry(path, entry) for path, entry in changes.items()]
    return Sha(_post(repository, "git/trees", {"base_tree": base_tree, "tree": entries})["sha"])


def write_signed(repository: PyGithubRepository, tree: Sha, parent: Sha, message: str) -> Sha:
    """Let GitHub write a commit of a tree that it has, in the name of the token's account."""
    # If the request named an author or a committer, GitHub would leave the commit unsigned.
    body = {"message": message, "tree": tree, "parents": [parent]}
    return Sha(_post(repository, "git/commits", body)["sha"])


def _entry(path: str, entry: Entry | None) -> dict[str, str | None]:
    if entry is None:
        return {"path": path, "mode": "100644", "type": "blob", "sha": None}
    kind = "commit" if entry.mode == SUBMODULE else "blob"
    return {"path": path, "mode": entry.mode, "type": kind, "sha": entry.sha}


def _post(repository: PyGithubRepository, path: str, body: dict[str, Any]) -> dict[str, Any]:
    _, answer = repository.requester.requestJsonAndCheck("POST", f"{repository.url}/{path}", input=body)
    result: dict[str, Any] = answer
    return result

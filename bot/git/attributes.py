"""Reads the attributes of a path from the target's .gitattributes, as git does: https://git-scm.com/docs/gitattributes."""

from __future__ import annotations

import tempfile
from pathlib import Path, PurePosixPath

from bot.git.repository import Repository
from bot.models import Sha

_FILE = ".gitattributes"


def has_attribute(repository: Repository, tree: Sha, path: str, name: str) -> bool:
    """Say whether a tree's .gitattributes set an attribute for a path, to anything but false."""
    places = [str(folder / _FILE) for folder in PurePosixPath(path).parents]
    files = {place: content for place in places if (content := repository.read(tree, place))}
    if not any(name.encode() in content for content in files.values()):
        return False
    # git reads no attributes in a bare repository, so they are written to a folder of their own.
    with tempfile.TemporaryDirectory(prefix="backport-attributes-") as folder:
        for place, content in files.items():
            Path(folder, place).parent.mkdir(parents=True, exist_ok=True)
            Path(folder, place).write_bytes(content)
        answer = repository.git.attempt(
            *("check-attr", "-z", name, "--", path), variables={"GIT_WORK_TREE": folder}, cwd=Path(folder)
        )
    return answer.stdout.split(b"\0")[2:3] not in ([], [b"unspecified"], [b"unset"], [b"false"])

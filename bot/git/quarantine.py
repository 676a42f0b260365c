"""A directory for throw-away objects beside a repository: trials write there, and only the result is copied out.

git's own name for it is a quarantine: https://git-scm.com/docs/git-receive-pack#_quarantine_environment
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from bot.git.objects import SUBMODULE, ObjectReader, loose_path, parse_commit, split_tree
from bot.models import Sha

_ALTERNATES = "GIT_ALTERNATE_OBJECT_DIRECTORIES"


def quarantine_variables(quarantine: Path, objects: Path, outer: Mapping[str, str]) -> dict[str, str]:
    """Return the variables under which git writes into the quarantine and still sees the repository's objects.

    `outer` are the variables of a quarantine around it, if there is one.
    """
    alternates = [_quote(objects), *([outer[_ALTERNATES]] if _ALTERNATES in outer else [])]
    return {"GIT_OBJECT_DIRECTORY": str(quarantine), _ALTERNATES: os.pathsep.join(alternates)}


def _quote(path: Path) -> str:
    # The variable is a list: a separator within a path has to be quoted, in git's C style.
    text = str(path)
    if os.pathsep not in text and not text.startswith('"'):
        return text
    quoted_text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted_text}"'


def promote(reader: ObjectReader, quarantine: Path, objects: Path, commit: Sha) -> None:
    """Copy a commit and all it needs out of the quarantine, the commit itself last.

    A crash in between leaves objects that nothing refers to; a second call completes them.
    """
    for sha in _needed_first(reader, quarantine, commit):
        target = loose_path(objects, sha)
        if not target.exists():
            target.parent.mkdir(mode=0o700, exist_ok=True)
            partial = target.with_name(f"tmp_obj_{sha[:12]}_{os.getpid()}")
            shutil.copy(loose_path(quarantine, sha), partial)
            partial.replace(target)


def _needed_first(reader: ObjectReader, quarantine: Path, commit: Sha) -> Iterator[Sha]:
    # An object that is not in the quarantine is in the repository with all it needs, so the walk ends there.
    visited: set[Sha] = set()
    stack: list[tuple[Sha, bool]] = [(commit, False)]
    while stack:
        sha, needs_done = stack.pop()
        if needs_done:
            yield sha
        elif sha not in visited and loose_path(quarantine, sha).exists():
            visited.add(sha)
            stack.append((sha, True))
            stack.extend((need, False) for need in _needs(reader, sha))


def _needs(reader: ObjectReader, sha: Sha) -> list[Sha]:
    entry = reader.read(sha)
    if entry is None or entry[0] not in ("commit", "tree"):
        return []
    if entry[0] == "commit":
        commit = parse_commit(sha, entry[2])
        return [commit.tree, *commit.parents]
    return [Sha(sha.hex()) for mode, _name, sha in split_tree(entry[2]) if mode != SUBMODULE.encode()]

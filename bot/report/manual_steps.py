"""Writes the shell commands by which a person finishes a backport by hand.

A person pastes them as they are. So each name is quoted, and the commands work from any folder of the reader's clone.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from urllib.parse import quote

from bot.models import MergeMethod, Sha
from bot.text.branch_names import slug


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Two blocks: up to the conflict, and after it is resolved. `compare` is the page that opens the pull request."""

    begin: str
    finish: str
    compare: str = ""


def recipe(
    *,
    branch: str,
    backport_branch: str,
    commits: Sequence[Sha],
    merge_method: MergeMethod,
    files: Sequence[str] = (),
    parts: Mapping[Sha, Sequence[str]] = {},
    remote: str = "origin",
    compare: str = "",
) -> Recipe:
    """Return the commands to pick `commits` onto a target branch in a worktree beside the reader's clone.

    The commits come from origin. The branch is on `remote`, a name or an address. `parts` restricts commits to paths:
    only their changes there are taken. `files` are the paths known to conflict. The second block stops if one of them
    has a conflict marker, so nothing is pushed too early.
    """
    directory = shlex.quote(f"../{slug(backport_branch)}")
    # git 2.39 takes `-m 1` on a commit with one parent as well, so a merged pull request needs no second look.
    mainline = " -m 1" if merge_method is MergeMethod.MERGE else ""
    shas = " ".join(commits)
    paths = " ".join(map(_quote, files)) or "."
    ref, remote = shlex.quote(f"refs/heads/{branch}"), shlex.quote(remote)
    # FETCH_HEAD begins with the ref that the last fetch names first, so the branch is fetched last.
    fetches = [f"git fetch {remote} {ref} {shas}"]
    if remote != "origin":
        fetches = [f"git fetch origin {shas}", f"git fetch {remote} {ref}"]
    begin = [
        *fetches,
        f"git worktree add -b {shlex.quote(backport_branch)} {directory} FETCH_HEAD",
        *_pick(directory, mainline, commits, parts),
    ]
    finish = [
        f"! git -C {directory} grep -nE '^(<{{7}}|>{{7}}) ' -- {paths}",
        f"git -C {directory} add --all -- {paths}",
        f"git -C {directory} -c core.editor=true cherry-pick --continue",
        f"git -C {directory} push {remote} {shlex.quote(f'HEAD:refs/heads/{backport_branch}')}",
    ]
    return Recipe(begin="\n".join(begin), finish=" &&\n".join(finish), compare=compare)


def taking_back(steps: Recipe, backport_branch: str, files: Sequence[str]) -> Recipe:
    """Return the same commands, which also take back what the commit that conflicts changes in these files."""
    if not files:
        return steps
    directory, paths = shlex.quote(f"../{slug(backport_branch)}"), " ".join(map(_quote, files))
    # A file that only the original has is removed: https://git-scm.com/docs/git-restore
    restore = f"git -C {directory} restore --source=HEAD --staged --worktree -- {paths}"
    return replace(steps, begin=f"{steps.begin}\n{restore}")


def _pick(directory: str, mainline: str, commits: Sequence[Sha], parts: Mapping[Sha, Sequence[str]]) -> Iterator[str]:
    for in_part, group in groupby(commits, key=parts.__contains__):
        if not in_part:
            yield f"git -C {directory} cherry-pick -x{mainline} {' '.join(group)}"
            continue
        for sha in group:
            paths = " ".join(map(_quote, parts[sha]))
            yield f"git -C {directory} diff --binary {sha}^1 {sha} -- {paths} | git -C {directory} apply --3way --index"
            yield f"git -C {directory} commit --reuse-message {sha}"


def _quote(path: str) -> str:
    """Quote a path for a shell. Bytes that are not UTF-8 become escapes, which bash and zsh read."""
    if not re.search("[\ud800-\udfff]", path):
        return shlex.quote(path)
    characters = (chr(byte) if byte in _PLAIN else f"\\x{byte:02x}" for byte in path.encode("utf-8", "surrogateescape"))
    return f"$'{''.join(characters)}'"


_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-")


def compare_page(repository: str, branch: str, backport_branch: str, *, body: str) -> str:
    """Return the URL of the page that opens the pull request with this body. `repository` is the repository's URL.

    The bot recognises the pull request by its two branches, no matter who opens it.
    """
    base, head = (quote(name, safe="/") for name in (branch, backport_branch))
    return f"{repository}/compare/{base}...{head}?quick_pull=1&body={quote(body, safe='')}"


def resolve_recipe(backport_branch: str, files: Sequence[str], *, remote: str = "origin") -> Recipe:
    """Return the commands to resolve conflicts that were pushed to a backport branch with their markers.

    The second block stops if one of the files has a conflict marker.
    """
    directory, ref = shlex.quote(f"../{slug(backport_branch)}"), shlex.quote(f"refs/heads/{backport_branch}")
    paths = " ".join(map(_quote, files)) or "."
    begin = [
        f"git fetch {remote} {ref}",
        f"git worktree add --detach {directory} FETCH_HEAD",
        f"git -C {directory} grep -nE '^(<{{7}}|>{{7}}) ' -- {paths}",
    ]
    finish = [
        f"! git -C {directory} grep -nE '^(<{{7}}|>{{7}}) ' -- {paths}",
        f"git -C {directory} commit --all --message 'Resolve the conflicts'",
        f"git -C {directory} push {remote} {shlex.quote(f'HEAD:refs/heads/{backport_branch}')}",
    ]
    return Recipe(begin="\n".join(begin), finish=" &&\n".join(finish))

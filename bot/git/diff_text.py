"""Compares patches as texts, with and without their line numbers.

`git patch-id` drops all white space before it compares, so that two fixes of a Python block's indentation can share an
id (https://git-scm.com/docs/git-patch-id); here white space counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from bot.git import fetch_ahead
from bot.models import Fidelity, Sha

if TYPE_CHECKING:
    from bot.git.repository import Repository

_PLAIN = ("--no-ext-diff", "--no-textconv", "--no-color", "--no-renames", "--full-index")
_HUNK = re.compile(rb"^@@ -(\d+(?:,\d+)?) \+(\d+(?:,\d+)?) @@.*", re.MULTILINE)
_INDEX = re.compile(rb"^index [0-9a-f.]+", re.MULTILINE)
_COMMIT = re.compile(rb"^([0-9a-f]{40})\n", re.MULTILINE)


_OF_COMMITS = ("diff-tree", "--stdin", "-r", "-p", "--root", "--always", "--diff-merges=first-parent", *_PLAIN)


def commit_patches(repository: Repository, commits: Iterable[Sha]) -> dict[Sha, bytes]:
    """Return what each commit changes, as a diff against its first parent."""
    commit_list = list(commits)
    fetch_ahead.patches(repository, commit_list)
    return _split(repository.git.run(*_OF_COMMITS, stdin=_lines_of(repository, commit_list)))


def readable_patches(repository: Repository, commits: Sequence[Sha]) -> dict[Sha, bytes]:
    """Return the same, leaving out commits whose files are not all here."""
    patches_read: dict[Sha, bytes] = {}
    fetch_ahead.patches(repository, commits)
    while commits:
        result = repository.git.attempt(*_OF_COMMITS, stdin=_lines_of(repository, commits))
        patches = _split(result.stdout)
        if result.code == 0:
            return patches_read | patches
        # git ends at the first object that is missing: what it had begun to print may be cut off.
        complete = dict(list(patches.items())[:-1])
        patches_read |= complete
        commits = commits[len(complete) or 1 :]
    return patches_read


def _lines_of(repository: Repository, commits: Iterable[Sha]) -> bytes:
    """Name each commit, in a shallow history with its parents: git takes a commit that was cut for one without."""
    is_shallow = repository.partial is not None and repository.partial.is_shallow
    parents = {sha: repository.commit(sha).parents[:1] for sha in commits} if is_shallow else {}
    return "".join(f"{' '.join((sha, *parents.get(sha, ())))}\n" for sha in commits).encode()


def difference(repository: Repository, base: Sha, tip: Sha, *, context_lines: int) -> bytes:
    """Return what the commits from `base` to `tip` change together."""
    fetch_ahead.patches(repository, [commit.sha for commit in repository.commits_between(base, tip)])
    return repository.git.run("diff-tree", "-r", "-p", f"-U{context_lines}", *_PLAIN, base, tip)


def _split(patches: bytes) -> dict[Sha, bytes]:
    # Within a diff every line starts with a sign or a keyword, so a line that is an object name starts a commit.
    _, *pieces = _COMMIT.split(patches)
    return {Sha(sha.decode()): patch for sha, patch in zip(pieces[::2], pieces[1::2], strict=True)}


def normalize(patch: bytes, *, positions: bool = False) -> bytes:
    """Return a patch without the names of text blobs and, unless asked for, without line positions.

    Two patches that come out equal make the same change. Headings after `@@` are context that git guessed: left out.
    """
    files = re.split(rb"^(?=diff --git )", patch, flags=re.MULTILINE)
    hunk = rb"@@ -\1 +\2 @@" if positions else b"@@"
    # Of a binary file the blobs' names are all that the patch says.
    texts = (text if b"\nBinary files " in text else _INDEX.sub(b"index", text) for text in files)
    return b"".join(_HUNK.sub(hunk, text) for text in texts)


def range_diff(repository: Repository, originals: Sequence[Sha], base: Sha, tip: Sha) -> str:
    """Return how the commits from `base` to `tip` differ from the originals, oldest first.

    Empty if the originals do not follow one another: git compares only ranges.
    """
    parents = [repository.commit(sha).parents[:1] for sha in originals]
    if parents != [parents[0], *((sha,) for sha in originals[:-1])] or not parents[0]:
        return ""
    fetch_ahead.patches(repository, [*originals, *(commit.sha for commit in repository.commits_between(base, tip))])
    # The factor makes git pair commits that were adapted, however much, in place of calling one gone and one new.
    # How many digits git writes by itself depends on how many other objects are here.
    options = ("-c", "core.abbrev=12", "range-diff", "--no-color", "--no-notes", "--creation-factor=100")
    return repository.git.text(*options, f"{parents[0][0]}..{originals[-1]}", f"{base}..{tip}")


def differ_in_line_ends(original: bytes, pick: bytes) -> bool:
    """Say whether two patches that differ make the same change in other line ends."""
    texts = normalize(original), normalize(pick)
    return texts[0] != texts[1] and texts[0].replace(b"\r\n", b"\n") == texts[1].replace(b"\r\n", b"\n")


def compare(original: bytes, pick: bytes) -> Fidelity:
    """Say how near a picked patch is to the original one."""
    if normalize(original) != normalize(pick):
        return Fidelity.ADAPTED
    same_lines = normalize(original, positions=True) == normalize(pick, positions=True)
    return Fidelity.EXACT if same_lines else Fidelity.OFFSET

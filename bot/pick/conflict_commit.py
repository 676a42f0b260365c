"""Conflicts as commits: git's conflict markers stay in the files, for a person to resolve in a draft.

The result is never proven or merged. If a conflict has no lines to mark (a binary file, a link, a submodule), a file
beside it describes both sides between markers. The draft is unfinished until that file is deleted.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.analysis.file_checks import LARGEST, left_markers
from bot.git.conflict_markers import Parts, Region
from bot.git.objects import DIRECTORY, SUBMODULE, SYMLINK, Entry
from bot.git.repository import Repository
from bot.git.trees import changed_files, changed_tree, find_entry
from bot.git.trial_pick import UnmergedPick
from bot.git.unmerged_paths import UnmergedFile, is_binary
from bot.models import AlreadyApplied, Certainty, ConflictKind, Fidelity, Match, Method, Sha
from bot.pick.attempt import Attempt
from bot.pick.series import pick_series
from bot.pick.strategy import NotApplicable, Picked


class ConflictMarkerCommit:
    """Picks the series and commits each conflict as it stands, one commit for each original that conflicts."""

    name = "conflict markers"

    def apply(self, attempt: Attempt) -> Picked | AlreadyApplied | NotApplicable:
        """Make the series with markers. Not applicable if a conflict cannot be marked."""
        series = pick_series(attempt, lambda pick: _tree_with_markers(attempt, pick))
        if isinstance(series, UnmergedPick):
            return NotApplicable("the conflict has no lines that could be marked", series)
        if not series:
            return AlreadyApplied(target=attempt.plan.branch, how="picking it changes nothing on the branch")
        return Picked(
            commits=series,
            method=Method.CHERRY_PICK,
            fidelity=Fidelity.ADAPTED,
            detail="conflicts are left in the files, marked",
            certainty=Certainty.PROPOSED,
        )


def find_markers(repository: Repository, base: Sha, tip: Sha, original: Sha | None) -> tuple[Match, ...]:
    """Return the conflict markers in files changed since `base` that neither `base` nor the original contains.

    Markers in the original are content, e.g. in a fixture or in documentation. Without an `original` every new marker
    counts.
    """
    return tuple(
        place
        for path in repository.changed_paths(base, tip)
        if (content := repository.read(tip, path)) is not None and len(content) <= LARGEST
        for place in left_markers(
            path, content, (repository.read(base, path), *_original_contents(repository, original, path))
        )
    )


def _original_contents(repository: Repository, original: Sha | None, path: str) -> Iterator[bytes | None]:
    """Yield the original's file at a path. If it has none, the branch moved the file: yield all files it changes."""
    if original is None:
        return
    content = repository.read(original, path)
    if content is not None:
        yield content
        return
    parents = repository.commit(original).parents
    if parents:
        # The branch may have the file at any path, so all texts of the original count as known.
        for other_path in repository.changed_paths(parents[0], original):
            yield repository.read(original, other_path)


def _tree_with_markers(attempt: Attempt, pick: UnmergedPick) -> Sha | None:
    repository = attempt.repository
    parts = attempt.split(pick)
    contents: dict[str, bytes | None] = {}
    for file in pick.files:
        labels = _labels(attempt, pick)
        folder = _is_folder(repository, pick, file)
        content = None if folder else _content_with_markers(repository, file, parts.get(file.path, ()), labels)
        if content is None:
            placeholder = (
                "a folder" if folder else "the content on the branch" if file.ours else "the content in the original"
            )
            contents[file.conflict_file.beside] = _companion_file(repository, file, placeholder, labels)
        else:
            contents[file.path] = content
    if not contents:
        return None
    # git moves a file aside if a folder has its path (`path~HEAD`). The folder stays and the copy goes.
    entries: dict[str, Entry | None] = {
        file.path: file.ours or file.theirs for file in pick.files if not _is_folder(repository, pick, file)
    }
    aside: dict[str, Entry | None] = {path: None for file in pick.files for path in file.aside}
    return changed_files(repository, changed_tree(repository, pick.tree, entries | aside), contents)


Labels = tuple[bytes, bytes, bytes]
"""The labels after the markers of ours, base and theirs."""


def _labels(attempt: Attempt, pick: UnmergedPick) -> Labels:
    commit = pick.commit[:12]
    # git allows branch names that are not UTF-8.
    return attempt.plan.branch.encode(errors="replace"), f"before {commit}".encode(), commit.encode()


def _content_with_markers(repository: Repository, file: UnmergedFile, parts: Parts, labels: Labels) -> bytes | None:
    if file.kind in (ConflictKind.CONTENT, ConflictKind.ADD_ADD) and any(isinstance(part, Region) for part in parts):
        return b"".join(_region(part, labels) if isinstance(part, Region) else part for part in parts)
    if file.kind is ConflictKind.MODIFY_DELETE:
        sides = [_text(repository, entry) for entry in (file.base, file.ours, file.theirs)]
        # A binary side has no lines to mark.
        if None not in sides:
            base, ours, theirs = (side or b"" for side in sides)
            return _region(Region(base=base, ours=ours, theirs=theirs), labels)
    return None


def _is_folder(repository: Repository, pick: UnmergedPick, file: UnmergedFile) -> bool:
    """Return True if the branch has a folder at the path of the original's file."""
    entry = find_entry(repository, pick.trees.ours, file.path)
    return entry is not None and entry.mode == DIRECTORY


def _companion_file(repository: Repository, file: UnmergedFile, placeholder: str, labels: Labels) -> bytes:
    lead = (
        f"{file.path} has no lines that could be marked. It now has {placeholder}.\n"
        "Replace it by the right content, then delete this file.\n"
    )
    sides = (_describe_entry(repository, entry) for entry in (file.base, file.ours, file.theirs))
    base, ours, theirs = sides
    sides_text = _region(Region(base=base, ours=ours, theirs=theirs), labels)
    return lead.encode("utf-8", "surrogateescape") + sides_text


def _describe_entry(repository: Repository, entry: Entry | None) -> bytes:
    """Describe one side of a path in one line."""
    if entry is None:
        return b"nothing\n"
    if entry.mode == SUBMODULE:
        return f"a submodule at {entry.sha}\n".encode()
    content = repository.read_blob(entry.sha)
    if entry.mode == SYMLINK:
        return b"a link to " + content.replace(b"\n", b" ") + b"\n"
    return f"a file of {len(content)} bytes: git cat-file blob {entry.sha}\n".encode()


def _text(repository: Repository, entry: Entry | None) -> bytes | None:
    """Return a side's text: empty if it has no such file, None if the entry has no lines."""
    if entry is None:
        return b""
    content = None if entry.mode in (SUBMODULE, SYMLINK) else repository.read_blob(entry.sha)
    return None if content is None or is_binary(content) else content


def _region(region: Region, labels: Labels) -> bytes:
    ours, base, theirs = labels
    return b"".join(
        (
            b"<<<<<<< " + ours + b"\n",
            _with_newline(region.ours),
            b"||||||| " + base + b"\n",
            _with_newline(region.base),
            b"=======\n",
            _with_newline(region.theirs),
            b">>>>>>> " + theirs + b"\n",
        )
    )


def _with_newline(text: bytes) -> bytes:
    return text if not text or text.endswith(b"\n") else text + b"\n"

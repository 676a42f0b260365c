"""Decides whether a merged backport is a precedent: people met the same conflict on another branch and resolved it.

A sibling is certain only if it is a precedent. It is not enough that its text applies: its resolution must be the one
that the finer merge would choose, or text that no machine proposes and a person wrote by hand.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.git.conflict_markers import Parts
from bot.git.repository import Repository
from bot.git.same_change import makes
from bot.git.trees import commit_paths, differing_paths
from bot.git.trial_pick import UnmergedPick
from bot.git.unmerged_paths import UnmergedFile
from bot.models import ConflictKind, Sha
from bot.pick.align import edits
from bot.pick.attempt import Attempt
from bot.pick.merge.regions import LineRegion, cut_file, split_lines
from bot.pick.merge.resolver import SiblingMatch, match_sibling

# The most lines in which the files in conflict may differ between the two branches. Of siblings that meet all other
# conditions, people merged 195 of 198 if the files are equal, 121 of 126 up to this limit, and 55 of 62 beyond it.
_MOST_APART = 50


def is_precedent(attempt: Attempt, conflict: UnmergedPick, source: Sha, tree: Sha) -> bool:
    """Return True if the tree that picking `source` led to resolves a conflict as people resolved the same one.

    A candidate of the same request is no precedent, because nobody merged it. Neither is a backport that changes a file
    which the original leaves alone, because it contains something else.
    """
    is_landed = source in {match.commit for match in attempt.backports(conflict.commit)}
    if not is_landed or _carries_more(attempt, conflict.commit, source) or not _met_there(attempt, conflict, source):
        return False
    if not (
        makes(attempt.repository, source, conflict.commit, attempt.leave_out)
        or _answers_the_conflict_alone(attempt, conflict.commit, source)
    ):
        return False
    # If people chose a resolution that the finer merge finds less likely, they chose otherwise on the next branch more
    # often.
    return all(
        match in (SiblingMatch.LIKELIEST, SiblingMatch.BY_HAND) for match in match_sibling(attempt, conflict, tree)
    )


def _carries_more(attempt: Attempt, original: Sha, source: Sha) -> bool:
    paths, original_paths = (
        set(commit_paths(attempt.repository, attempt.repository.commit(c))) for c in (source, original)
    )
    return not paths <= original_paths


def _met_there(attempt: Attempt, conflict: UnmergedPick, source: Sha) -> bool:
    """Return True if every conflict of a pick also occurred when `source` was made."""
    parents = attempt.repository.commit(source).parents
    if not parents or not conflict.files:
        return False
    earlier = attempt.try_pick(conflict.commit, attempt.repository.commit(parents[0]).tree)
    if not isinstance(earlier, UnmergedPick):
        return False
    # Each conflict here must have occurred there. More conflicts there do no harm.
    files = {file.path: file for file in earlier.files}
    if any(file.path not in files for file in conflict.files):
        return False
    parts, earlier_parts = attempt.split(conflict), attempt.split(earlier)
    pairs = [(file, files[file.path]) for file in conflict.files]
    is_same = all(
        _is_same_conflict(file, earlier_file, parts.get(file.path, ()), earlier_parts.get(file.path, ()))
        for file, earlier_file in pairs
    )
    return (
        is_same
        and sum(_lines_apart(attempt.repository, file, earlier_file) for file, earlier_file in pairs) <= _MOST_APART
    )


def _answers_the_conflict_alone(attempt: Attempt, original: Sha, source: Sha) -> bool:
    """Return True if `source` equals a pick of the original there, except in the regions that conflict.

    Anyone can write that a commit is a pick. A commit that leaves out parts that apply, or adds others, is none.
    """
    commit = attempt.repository.commit(source)
    conflict = attempt.try_pick(original, attempt.repository.commit(commit.parents[0]).tree)
    if not isinstance(conflict, UnmergedPick):
        return False
    paths = {file.path for file in conflict.files}
    parts = attempt.split(conflict)
    return paths.issuperset(differing_paths(attempt.repository, conflict.tree, commit.tree)) and all(
        _holds(attempt.repository.read(source, path) or b"", parts.get(path, ())) for path in paths
    )


def _holds(text: bytes, parts: Parts) -> bool:
    """Return True if a text contains the settled parts of a file in order, with any text in place of the regions."""
    position = 0
    for part in (part for part in parts if isinstance(part, bytes)):
        position = text.find(part, position) + len(part)
        if position < len(part):
            return False
    return True


def _is_same_conflict(file: UnmergedFile, earlier: UnmergedFile, parts: Parts, earlier_parts: Parts) -> bool:
    if file.ours == earlier.ours:
        return True
    if file.kind is not earlier.kind:
        return False
    # Such a conflict has no regions to compare.
    if file.kind is ConflictKind.MODIFY_DELETE:
        return (file.ours is None) == (earlier.ours is None)
    regions = set(_regions(parts))
    return bool(regions) and regions <= set(_regions(earlier_parts))


def _lines_apart(repository: Repository, file: UnmergedFile, earlier: UnmergedFile) -> int:
    """Return the number of lines that the two branches' versions of a file do not share."""
    if file.ours == earlier.ours or file.ours is None or earlier.ours is None:
        return 0
    lines, earlier_lines = (split_lines(repository.read_blob(entry.sha)) for entry in (file.ours, earlier.ours))
    return sum(edit.end - edit.start + len(edit.new) for edit in edits(lines, earlier_lines))


def _regions(parts: Parts) -> Iterator[LineRegion]:
    return (piece for piece in cut_file(parts) if isinstance(piece, LineRegion))

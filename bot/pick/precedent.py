"""Whether a backport that people landed is a precedent: they met the very conflict that is met here, and answered it.

Owns when a sibling's text is certain. That the text fits is not enough: the same conflict must have been there, and the
text must be what the finer merge would choose, or what no machine would have come by and somebody wrote by hand.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.git.conflict_markers import Parts
from bot.git.line_changes import makes
from bot.git.repository import Repository
from bot.git.trees import commit_paths, differing_paths
from bot.git.trial_pick import UnmergedPick
from bot.git.unmerged_paths import UnmergedFile
from bot.models import ConflictKind, Sha
from bot.pick.merge.align import edits
from bot.pick.merge.regions import LineRegion, cut_file, split_lines
from bot.pick.merge.resolver import SiblingMatch, match_sibling
from bot.pick.strategy import Attempt

# In how many lines, over all files in conflict, the other branch may differ from this one. Of siblings that are
# precedents otherwise people landed 195 of 198 where the files are the same, 121 of 126 up to here, 55 of 62 beyond.
_MOST_APART = 50


def is_precedent(attempt: Attempt, own: UnmergedPick, source: Sha, tree: Sha) -> bool:
    """Say whether a tree that picking `source` led to answers a conflict as people answered the same one.

    What this request made for another branch is no precedent: nobody landed it yet. Nor is a backport that
    touches a file which the original leaves alone: it carries something else as well.
    """
    landed = source in {each.commit for each in attempt.backports(own.commit)}
    if not landed or _carries_more(attempt, own.commit, source) or not _met_there(attempt, own, source):
        return False
    if not (makes(attempt.repository, source, own.commit) or _answers_the_conflict_alone(attempt, own.commit, source)):
        return False
    # Where people chose an answer that the finer merge knows and would not choose, they may choose otherwise here.
    return all(each in (SiblingMatch.LIKELIEST, SiblingMatch.BY_HAND) for each in match_sibling(attempt, own, tree))


def _carries_more(attempt: Attempt, original: Sha, source: Sha) -> bool:
    touched, asked = (set(commit_paths(attempt.repository, attempt.repository.commit(c))) for c in (source, original))
    return not touched <= asked


def _met_there(attempt: Attempt, own: UnmergedPick, source: Sha) -> bool:
    """Say whether every conflict of a pick also came up where `source` was landed."""
    parents = attempt.repository.commit(source).parents
    if not parents or not own.files:
        return False
    there = attempt.try_pick(own.commit, attempt.repository.commit(parents[0]).tree)
    if not isinstance(there, UnmergedPick):
        return False
    files = {file.path: file for file in there.files}
    if any(file.path not in files for file in own.files):
        return False
    here_parts, there_parts = attempt.split(own), attempt.split(there)
    pairs = [(file, files[file.path]) for file in own.files]
    same = all(
        _same(here, other, here_parts.get(here.path, ()), there_parts.get(here.path, ())) for here, other in pairs
    )
    return same and sum(_lines_apart(attempt.repository, here, other) for here, other in pairs) <= _MOST_APART


def _answers_the_conflict_alone(attempt: Attempt, original: Sha, source: Sha) -> bool:
    """Say whether `source` is what picking an original there gives, but for the regions that conflict.

    Anybody can write that a commit is a pick; one that leaves out what applies, or does something else, is none.
    """
    landed = attempt.repository.commit(source)
    there = attempt.try_pick(original, attempt.repository.commit(landed.parents[0]).tree)
    if not isinstance(there, UnmergedPick):
        return False
    conflicting = {file.path for file in there.files}
    parts = attempt.split(there)
    return conflicting.issuperset(differing_paths(attempt.repository, there.tree, landed.tree)) and all(
        _holds(attempt.repository.read(source, path) or b"", parts.get(path, ())) for path in conflicting
    )


def _holds(text: bytes, parts: Parts) -> bool:
    """Say whether a text has the settled parts of a file in their order, with anything in place of the regions."""
    at = 0
    for part in (part for part in parts if isinstance(part, bytes)):
        at = text.find(part, at) + len(part)
        if at < len(part):
            return False
    return True


def _same(here: UnmergedFile, there: UnmergedFile, here_parts: Parts, there_parts: Parts) -> bool:
    if here.ours == there.ours:
        return True
    if here.kind is not there.kind:
        return False
    if here.kind is ConflictKind.MODIFY_DELETE:
        return (here.ours is None) == (there.ours is None)
    regions = set(_regions(here_parts))
    return bool(regions) and regions <= set(_regions(there_parts))


def _lines_apart(repository: Repository, here: UnmergedFile, there: UnmergedFile) -> int:
    """Return how many lines the two branches' versions of a file do not share."""
    if here.ours == there.ours or here.ours is None or there.ours is None:
        return 0
    one, other = (split_lines(repository.read_blob(entry.sha)) for entry in (here.ours, there.ours))
    return sum(edit.end - edit.start + len(edit.new) for edit in edits(one, other))


def _regions(parts: Parts) -> Iterator[LineRegion]:
    return (piece for piece in cut_file(parts) if isinstance(piece, LineRegion))

"""The finer merge: conflict regions cut smaller than git's, each with the answer that people most likely commit.

Owns the way from a conflicting file to its answer. Proposes only: how sure a pick is, is judged over all of its files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from enum import Enum

from bot.analysis.file_words import words
from bot.git.trial_pick import UnmergedPick
from bot.models import Certainty, ConflictKind, Resolution, Sha
from bot.pick.generated import holds_pins, is_written_by_a_tool
from bot.pick.merge.features import FileFeatures, circumstances, file_features, weigh
from bot.pick.merge.proposers import Proposals, propose
from bot.pick.merge.regions import LineRegion, Lines, Piece, cut_file, join_pieces, place_regions
from bot.pick.merge.renamed_identifiers import find_renames
from bot.pick.merge.scoring import chances
from bot.pick.merge.unsafe_joins import discards_the_target, takes_half_of_a_guard
from bot.pick.merge.version_pins import takes_whole_pins
from bot.pick.strategy import Attempt, ConflictedFile, Decision, FileResolution, load_conflict

_MOST_SIBLINGS = 4
# Beyond this a file is data: its lines are many and alike, and aligning them tells little.
_LARGEST = 600_000
# A text that is less likely is none that a proposer would choose, whatever it has in common with the sides.
_HARDLY_AN_ANSWER = 0.05
# What people landed on another branch is more than a guess.
_BACKED = frozenset(["sibling", "older sibling"])


@dataclass(frozen=True, slots=True)
class _Best:
    """The likeliest answer to a region, how likely it is, who proposes it, and the circumstances."""

    region: LineRegion
    lines: Lines
    chance: float
    names: tuple[str, ...]
    known: frozenset[str]

    @property
    def traits(self) -> frozenset[str]:
        """What holds for the decision, by name."""
        return self.known | frozenset(self.names)


@dataclass(frozen=True, slots=True)
class _Judged:
    """Who proposes what for a region, how likely each answer is, and the circumstances."""

    region: LineRegion
    proposals: Proposals
    chances: Mapping[Lines, float]
    known: frozenset[str]

    @property
    def likeliest(self) -> Lines:
        """The answer that people most likely commit."""
        return max(self.proposals, key=lambda each: self.chances[each])


class FinerMerge:
    """Answers content conflicts, region by region."""

    name = "finer merge"

    def resolve_file(self, file: ConflictedFile, attempt: Attempt) -> FileResolution | None:
        """Answer every region of a file that git could merge in part; always with the likeliest text."""
        sides = (file.base, file.ours, file.theirs)
        if file.unmerged.kind not in (ConflictKind.CONTENT, ConflictKind.ADD_ADD) or not file.parts:
            return None
        if any(len(side or b"") > _LARGEST for side in sides):
            return None
        if is_written_by_a_tool(attempt.repository, attempt.plan.base_commit, file.path, sides):
            return None
        # Neighbouring branches mostly have the same file, and the same answer then.
        return attempt.caches.resolutions.of(_seen(file, attempt), lambda: self._answer(file, attempt))

    def _answer(self, file: ConflictedFile, attempt: Attempt) -> FileResolution | None:
        pieces = cut_file(file.parts)
        best = dict(_answers(file, pieces, attempt))
        if _is_refused(file, best.values()):
            return None
        return FileResolution(
            changes={file.path: join_pieces(pieces, {at: each.lines for at, each in best.items()})},
            certainty=Certainty.PROPOSED,
            how=", ".join(dict.fromkeys(each.names[0] for each in best.values())),
            regions=tuple(_shown(file, each) for each in best.values()),
            decisions=tuple(Decision(each.chance, each.traits) for each in best.values()),
        )


def _seen(file: ConflictedFile, attempt: Attempt) -> Hashable:
    """Return all that an answer follows from."""
    text = hashlib.sha256()
    sides = (side for part in file.parts for side in ((part,) if isinstance(part, bytes) else astuple(part)))
    for each in (*sides, _forked(file, attempt) or b""):
        text.update(b"%d:%s" % (len(each), each))
    siblings = tuple(each.commit for each in attempt.backports(file.commit)[:_MOST_SIBLINGS])
    return file.commit, file.unmerged, text.digest(), siblings


def _is_refused(file: ConflictedFile, best: Collection[_Best]) -> bool:
    if any(discards_the_target(each.region, each.lines) for each in best if not _BACKED.intersection(each.names)):
        return True
    if holds_pins(file.path) and not all(takes_whole_pins(each.region, each.lines) for each in best):
        return True
    answers = [(each.region, each.lines) for each in best]
    return takes_half_of_a_guard(file.base or b"", file.theirs or b"", answers)


class SiblingMatch(Enum):
    """How a file that an earlier backport led to compares with what the finer merge would make of the conflict."""

    LIKELIEST = "the very same"
    OTHER = "made of other answers"
    BY_HAND = "holds what is no answer, or hardly one"
    LOST = "a place of the conflict is not found again"


def match_sibling(attempt: Attempt, pick: UnmergedPick, tree: Sha) -> Iterator[SiblingMatch]:
    """Yield how each conflicting file of a pick stands in a tree."""
    parts = attempt.split(pick)
    for unmerged in pick.files:
        content = attempt.repository.read(tree, unmerged.path)
        file = load_conflict(attempt.repository, pick, unmerged, parts.get(unmerged.path, ()))
        if file.parts:
            yield _match(file, content or b"", attempt)
        else:
            dropped = content is None and unmerged.kind is ConflictKind.MODIFY_DELETE
            yield SiblingMatch.LIKELIEST if dropped else SiblingMatch.BY_HAND


def _match(file: ConflictedFile, content: bytes, attempt: Attempt) -> SiblingMatch:
    pieces = cut_file(file.parts)
    placed = place_regions(pieces, content)
    judged = dict(_judged(file, pieces, [placed], attempt))
    if placed.keys() != judged.keys():
        return SiblingMatch.LOST
    if any(each.chances.get(placed[at], 0.0) < _HARDLY_AN_ANSWER for at, each in judged.items()):
        return SiblingMatch.BY_HAND
    made = join_pieces(pieces, {at: each.likeliest for at, each in judged.items()})
    return SiblingMatch.LIKELIEST if made == content else SiblingMatch.OTHER


def _answers(file: ConflictedFile, pieces: Sequence[Piece], attempt: Attempt) -> Iterator[tuple[int, _Best]]:
    siblings = [place_regions(pieces, content) for content in _sibling_files(file, attempt)]
    for at, judged in _judged(file, pieces, siblings, attempt):
        answer = judged.likeliest
        yield at, _Best(judged.region, answer, judged.chances[answer], judged.proposals[answer], judged.known)


def _judged(
    file: ConflictedFile, pieces: Sequence[Piece], siblings: Sequence[Mapping[int, Lines]], attempt: Attempt
) -> Iterator[tuple[int, _Judged]]:
    """Yield each region with its answers."""
    evidence = _evidence(file, attempt)
    regions = [(at, piece) for at, piece in enumerate(pieces) if isinstance(piece, LineRegion)]
    disputed = words(b"".join(line for _at, each in regions for line in (*each.base, *each.theirs)))
    renames = find_renames(file.base or b"", file.ours or b"", file.theirs or b"", disputed)
    for at, region in regions:
        before = [placed[at] for placed in siblings if at in placed]
        known = circumstances(region, evidence, alone=len(regions) == 1, has_sibling=bool(siblings))
        proposals = propose(region, renames, before)
        weighed = {answer: weigh(region, answer, names, evidence) for answer, names in proposals.items()}
        yield at, _Judged(region, proposals, chances(region, known, weighed), frozenset(known))


def _evidence(file: ConflictedFile, attempt: Attempt) -> FileFeatures:
    return file_features(file.path, file.base, file.ours, file.theirs, _forked(file, attempt))


def _forked(file: ConflictedFile, attempt: Attempt) -> bytes | None:
    """Return the file where the histories part."""
    fork = attempt.fork(file.commit)
    return attempt.repository.read(fork, file.path) if fork else None


def _sibling_files(file: ConflictedFile, attempt: Attempt) -> Iterator[bytes]:
    """Yield what the file became where the same original was backported before, newest first."""
    for backported in attempt.backports(file.commit)[:_MOST_SIBLINGS]:
        content = attempt.repository.read(backported.commit, file.path)
        if content is not None:
            yield content


def _shown(file: ConflictedFile, best: _Best) -> Resolution:
    return Resolution(
        path=file.path,
        base=b"".join(best.region.base),
        ours=b"".join(best.region.ours),
        theirs=b"".join(best.region.theirs),
        result=b"".join(best.lines),
        rung=FinerMerge.name,
        certainty=Certainty.PROPOSED,
        how=f"{best.names[0]}; people would commit it in about {round(100 * best.chance)} of 100 such cases",
    )

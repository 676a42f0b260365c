"""The resolver "finer merge": it cuts regions smaller than git does and takes the likeliest resolution of each.

Its resolutions are only proposed. `bot.pick.merge.confidence` rates the pick over all of its files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from enum import Enum

from bot.analysis.file_words import words
from bot.git.trial_pick import UnmergedPick
from bot.models import Certainty, ConflictKind, Resolution, Sha
from bot.pick.attempt import Attempt
from bot.pick.generated_files import holds_pins, is_written_by_a_tool
from bot.pick.merge.features import FileFeatures, circumstances, file_features, weigh
from bot.pick.merge.proposers import Proposals, propose
from bot.pick.merge.regions import LineRegion, Lines, Piece, cut_file, join_pieces, place_regions
from bot.pick.merge.renamed_identifiers import find_renames
from bot.pick.merge.scoring import chances
from bot.pick.merge.unsafe_joins import discards_the_target, takes_half_of_a_guard
from bot.pick.merge.version_pins import takes_whole_pins
from bot.pick.resolver import ConflictedFile, Decision, FileResolution, load_conflict

_MOST_SIBLINGS = 4
# Bytes. A larger file is data: its lines are many and alike, so an alignment tells little.
_LARGEST = 600_000
# A less likely text counts as written by hand, even if a proposer happens to propose it.
_HARDLY_AN_ANSWER = 0.05
# People merged these texts on another branch, so it is no guess if they drop the target's text.
_FROM_SIBLINGS = frozenset(["sibling", "older sibling"])


@dataclass(frozen=True, slots=True)
class _BestResolution:
    """The likeliest resolution of a region with its chance, its proposers and its circumstances."""

    region: LineRegion
    lines: Lines
    chance: float
    names: tuple[str, ...]
    circumstances: frozenset[str]

    @property
    def traits(self) -> frozenset[str]:
        """The names of all that is true of the decision."""
        return self.circumstances | frozenset(self.names)


@dataclass(frozen=True, slots=True)
class _RatedRegion:
    """The proposals for a region, the chance of each, and its circumstances."""

    region: LineRegion
    proposals: Proposals
    chances: Mapping[Lines, float]
    circumstances: frozenset[str]

    @property
    def likeliest(self) -> Lines:
        """The resolution that people most likely commit."""
        return max(self.proposals, key=lambda lines: self.chances[lines])


class FinerMerge:
    """Resolves content conflicts, region by region."""

    name = "finer merge"

    def resolve_file(self, file: ConflictedFile, attempt: Attempt) -> FileResolution | None:
        """Resolve every region of a file that git could merge in part, each with its likeliest text."""
        sides = (file.base, file.ours, file.theirs)
        if file.unmerged_file.kind not in (ConflictKind.CONTENT, ConflictKind.ADD_ADD) or not file.parts:
            return None
        # Aligning a large file takes seconds.
        if any(len(side or b"") > _LARGEST for side in sides):
            return None
        if is_written_by_a_tool(attempt.repository, attempt.plan.base_commit, file.path, sides):
            return None
        # Neighbouring branches mostly have the same file, and then the same resolution.
        return attempt.caches.resolutions.of(_cache_key(file, attempt), lambda: self._resolve(file, attempt))

    def _resolve(self, file: ConflictedFile, attempt: Attempt) -> FileResolution | None:
        pieces = cut_file(file.parts)
        best = dict(_best_resolutions(file, pieces, attempt))
        if _is_refused(file, best.values()):
            return None
        return FileResolution(
            changes={file.path: join_pieces(pieces, {index: resolution.lines for index, resolution in best.items()})},
            certainty=Certainty.PROPOSED,
            explanation=", ".join(dict.fromkeys(resolution.names[0] for resolution in best.values())),
            regions=tuple(_report(file, resolution) for resolution in best.values()),
            decisions=tuple(Decision(resolution.chance, resolution.traits) for resolution in best.values()),
        )


def _cache_key(file: ConflictedFile, attempt: Attempt) -> Hashable:
    """Return every input that a resolution depends on."""
    digest = hashlib.sha256()
    sides = (side for part in file.parts for side in ((part,) if isinstance(part, bytes) else astuple(part)))
    for side in (*sides, _fork_text(file, attempt) or b""):
        digest.update(b"%d:%s" % (len(side), side))
    siblings = tuple(backport.commit for backport in attempt.backports(file.commit)[:_MOST_SIBLINGS])
    return file.commit, file.unmerged_file, digest.digest(), siblings


def _is_refused(file: ConflictedFile, best: Collection[_BestResolution]) -> bool:
    if any(
        discards_the_target(resolution.region, resolution.lines)
        for resolution in best
        if not _FROM_SIBLINGS.intersection(resolution.names)
    ):
        return True
    # Half of one side's pin is a version that nobody chose.
    if holds_pins(file.path) and not all(takes_whole_pins(resolution.region, resolution.lines) for resolution in best):
        return True
    texts = [(resolution.region, resolution.lines) for resolution in best]
    return takes_half_of_a_guard(file.base or b"", file.theirs or b"", texts)


class SiblingMatch(Enum):
    """The result of comparing a file of an earlier backport with the finer merge of the same conflict."""

    LIKELIEST = "the very same"
    OTHER_TEXTS = "made of other resolutions"
    BY_HAND = "contains a text that is hardly proposed"
    NOT_PLACED = "a region is not found in it"


def match_sibling(attempt: Attempt, pick: UnmergedPick, tree: Sha) -> Iterator[SiblingMatch]:
    """Compare each conflicting file of a pick with its version in a tree."""
    parts = attempt.split(pick)
    for unmerged_file in pick.files:
        content = attempt.repository.read(tree, unmerged_file.path)
        file = load_conflict(attempt.repository, pick, unmerged_file, parts.get(unmerged_file.path, ()))
        if file.parts:
            yield _compare_file(file, content or b"", attempt)
        else:
            leaves_file_out = content is None and unmerged_file.kind is ConflictKind.MODIFY_DELETE
            yield SiblingMatch.LIKELIEST if leaves_file_out else SiblingMatch.BY_HAND


def _compare_file(file: ConflictedFile, content: bytes, attempt: Attempt) -> SiblingMatch:
    pieces = cut_file(file.parts)
    placements = place_regions(pieces, content)
    ratings = dict(_rate_regions(file, pieces, [placements], attempt))
    # A region whose neighbouring lines were changed as well cannot be compared.
    if placements.keys() != ratings.keys():
        return SiblingMatch.NOT_PLACED
    if any(rating.chances.get(placements[index], 0.0) < _HARDLY_AN_ANSWER for index, rating in ratings.items()):
        return SiblingMatch.BY_HAND
    merge = join_pieces(pieces, {index: rating.likeliest for index, rating in ratings.items()})
    return SiblingMatch.LIKELIEST if merge == content else SiblingMatch.OTHER_TEXTS


def _best_resolutions(
    file: ConflictedFile, pieces: Sequence[Piece], attempt: Attempt
) -> Iterator[tuple[int, _BestResolution]]:
    siblings = [place_regions(pieces, content) for content in _sibling_files(file, attempt)]
    for index, rating in _rate_regions(file, pieces, siblings, attempt):
        lines = rating.likeliest
        yield (
            index,
            _BestResolution(rating.region, lines, rating.chances[lines], rating.proposals[lines], rating.circumstances),
        )


def _rate_regions(
    file: ConflictedFile, pieces: Sequence[Piece], siblings: Sequence[Mapping[int, Lines]], attempt: Attempt
) -> Iterator[tuple[int, _RatedRegion]]:
    """Yield each region with its rated resolutions."""
    file_facts = _features(file, attempt)
    regions = [(index, piece) for index, piece in enumerate(pieces) if isinstance(piece, LineRegion)]
    # Only renames of words in a region matter.
    disputed_words = words(b"".join(line for _index, region in regions for line in (*region.base, *region.theirs)))
    renames = find_renames(file.base or b"", file.ours or b"", file.theirs or b"", disputed_words)
    for index, region in regions:
        sibling_texts = [placements[index] for placements in siblings if index in placements]
        facts = circumstances(region, file_facts, is_only_region=len(regions) == 1, has_sibling=bool(siblings))
        proposals = propose(region, renames, sibling_texts)
        features = {lines: weigh(region, lines, names, file_facts) for lines, names in proposals.items()}
        yield index, _RatedRegion(region, proposals, chances(region, facts, features), frozenset(facts))


def _features(file: ConflictedFile, attempt: Attempt) -> FileFeatures:
    return file_features(file.path, file.base, file.ours, file.theirs, _fork_text(file, attempt))


def _fork_text(file: ConflictedFile, attempt: Attempt) -> bytes | None:
    """Return the file at the fork point, or None."""
    fork = attempt.fork(file.commit)
    return attempt.repository.read(fork, file.path) if fork else None


def _sibling_files(file: ConflictedFile, attempt: Attempt) -> Iterator[bytes]:
    """Yield the file's versions in earlier backports of the same original, newest first."""
    for backport in attempt.backports(file.commit)[:_MOST_SIBLINGS]:
        content = attempt.repository.read(backport.commit, file.path)
        if content is not None:
            yield content


def _report(file: ConflictedFile, best: _BestResolution) -> Resolution:
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

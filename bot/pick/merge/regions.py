"""Cuts conflict regions into the smallest ones that the lines shared by all versions allow.

git's own regions are larger: with the base shown it joins regions that are close together. Text that git settled stays
settled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.git.conflict_markers import Parts
from bot.pick.align import align

Lines = tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class SettledLines:
    """Lines without a conflict: unchanged, changed by one side, or changed equally by both."""

    lines: Lines


@dataclass(frozen=True, slots=True)
class LineRegion:
    """A conflict region: the lines of the original's parent (base), the target (ours) and the original (theirs)."""

    base: Lines
    ours: Lines
    theirs: Lines


Piece = SettledLines | LineRegion


def cut_file(parts: Parts) -> list[Piece]:
    """Cut each region of a file as small as possible."""
    pieces: list[Piece] = []
    for part in parts:
        if isinstance(part, bytes):
            pieces.append(SettledLines(tuple(split_lines(part))))
        else:
            pieces += cut(split_lines(part.base), split_lines(part.ours), split_lines(part.theirs))
    return pieces


def join_pieces(pieces: Sequence[Piece], resolutions: Mapping[int, Lines]) -> bytes:
    """Join the pieces of a file, with a resolution for each region by its index among the pieces."""
    contents = (
        resolutions[index] if isinstance(piece, LineRegion) else piece.lines for index, piece in enumerate(pieces)
    )
    return b"".join(line for lines in contents for line in lines)


def split_lines(content: bytes) -> list[bytes]:
    """Return the lines with their ends; only a newline ends a line."""
    lines = content.split(b"\n")
    complete = [line + b"\n" for line in lines[:-1]]
    return [*complete, lines[-1]] if lines[-1] else complete


def cut(base: Sequence[bytes], ours: Sequence[bytes], theirs: Sequence[bytes]) -> list[Piece]:
    """Cut three versions between the lines that all of them share."""
    # A line of the base that both sides still have is a point at which all three versions can be cut.
    in_ours, in_theirs = dict(align(base, ours)), dict(align(base, theirs))
    common = [
        (start, in_ours[start], in_theirs[start])
        for start in range(len(base))
        if start in in_ours and start in in_theirs
    ]
    pieces: list[Piece] = []
    settled_lines: list[bytes] = []
    start, ours_start, theirs_start = 0, 0, 0
    for end, ours_end, theirs_end in [*common, (len(base), len(ours), len(theirs))]:
        span = (tuple(base[start:end]), tuple(ours[ours_start:ours_end]), tuple(theirs[theirs_start:theirs_end]))
        merge = merge_trivially(*span)
        if merge is None:
            pieces += [SettledLines(tuple(settled_lines))] if settled_lines else []
            pieces.append(LineRegion(*span))
            settled_lines = []
        else:
            # git joined a region with lines that one side alone changed.
            settled_lines += merge
        settled_lines += base[end : end + 1]
        start, ours_start, theirs_start = end + 1, ours_end + 1, theirs_end + 1
    return [*pieces, SettledLines(tuple(settled_lines))] if settled_lines else pieces


def merge_trivially(base: Lines, ours: Lines, theirs: Lines) -> Lines | None:
    """Return the merge if at most one side changed, or both sides equally; else None."""
    if ours in (base, theirs):
        return theirs
    return ours if theirs == base else None


def place_regions(pieces: Sequence[Piece], content: bytes) -> dict[int, Lines]:
    """Return the text in another version of the file at the place of each region, by its index among the pieces.

    A region is found by the settled lines before and after it.
    """
    settled_lines: list[bytes] = []
    regions: list[tuple[int, int]] = []
    for index, piece in enumerate(pieces):
        if isinstance(piece, LineRegion):
            regions.append((index, len(settled_lines)))
        else:
            settled_lines += piece.lines
    lines = split_lines(content)
    # The start and the end of the file count as neighbours too.
    place = dict(align(settled_lines, lines)) | {-1: -1, len(settled_lines): len(lines)}
    placements = {}
    for index, position in regions:
        before, after = place.get(position - 1), place.get(position)
        # The text between moved neighbours is not the region.
        if before is not None and after is not None and before < after:
            placements[index] = tuple(lines[before + 1 : after])
    return placements

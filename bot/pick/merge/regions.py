"""Conflict regions by lines, as small as the lines that all versions share allow.

Owns the cut. git's own regions are larger: with the base shown it joins what stands close together. What is settled for
git stays settled; only its regions are cut further. Resolves nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.git.conflict_markers import Parts
from bot.pick.merge.align import align

Lines = tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Agreed:
    """Lines that need no decision: unchanged, changed by one side, or by both alike."""

    lines: Lines


@dataclass(frozen=True, slots=True)
class LineRegion:
    """A conflict region: the lines of the original's parent (base), the target (ours) and the original (theirs)."""

    base: Lines
    ours: Lines
    theirs: Lines


Piece = Agreed | LineRegion


def cut_file(parts: Parts) -> list[Piece]:
    """Cut each region of a file as small as may be."""
    pieces: list[Piece] = []
    for part in parts:
        if isinstance(part, bytes):
            pieces.append(Agreed(tuple(split_lines(part))))
        else:
            pieces += cut(split_lines(part.base), split_lines(part.ours), split_lines(part.theirs))
    return pieces


def join_pieces(pieces: Sequence[Piece], answers: Mapping[int, Lines]) -> bytes:
    """Put a file together again, with an answer for each region by its index among the pieces."""
    taken = (answers[at] if isinstance(piece, LineRegion) else piece.lines for at, piece in enumerate(pieces))
    return b"".join(line for lines in taken for line in lines)


def split_lines(content: bytes) -> list[bytes]:
    """Return the lines with their ends; only a newline ends a line."""
    lines = content.split(b"\n")
    ended = [line + b"\n" for line in lines[:-1]]
    return [*ended, lines[-1]] if lines[-1] else ended


def cut(base: Sequence[bytes], ours: Sequence[bytes], theirs: Sequence[bytes]) -> list[Piece]:
    """Cut three versions between the lines that all of them share."""
    in_ours, in_theirs = dict(align(base, ours)), dict(align(base, theirs))
    shared = [(at, in_ours[at], in_theirs[at]) for at in range(len(base)) if at in in_ours and at in in_theirs]
    pieces: list[Piece] = []
    agreed: list[bytes] = []
    at, ours_at, theirs_at = 0, 0, 0
    for here, ours_here, theirs_here in [*shared, (len(base), len(ours), len(theirs))]:
        span = (tuple(base[at:here]), tuple(ours[ours_at:ours_here]), tuple(theirs[theirs_at:theirs_here]))
        merged = merge_trivially(*span)
        if merged is None:
            pieces += [Agreed(tuple(agreed))] if agreed else []
            pieces.append(LineRegion(*span))
            agreed = []
        else:
            agreed += merged
        agreed += base[here : here + 1]
        at, ours_at, theirs_at = here + 1, ours_here + 1, theirs_here + 1
    return [*pieces, Agreed(tuple(agreed))] if agreed else pieces


def merge_trivially(base: Lines, ours: Lines, theirs: Lines) -> Lines | None:
    """Return the merge where at most one side changed, or both alike; else None."""
    if ours in (base, theirs):
        return theirs
    return ours if theirs == base else None


def place_regions(pieces: Sequence[Piece], content: bytes) -> dict[int, Lines]:
    """Return what stands in another version of the file where the regions are, by their index among the pieces.

    A region is found by its neighbours: the settled lines before and after it.
    """
    settled: list[bytes] = []
    regions: list[tuple[int, int]] = []
    for at, piece in enumerate(pieces):
        if isinstance(piece, LineRegion):
            regions.append((at, len(settled)))
        else:
            settled += piece.lines
    lines = split_lines(content)
    place = dict(align(settled, lines)) | {-1: -1, len(settled): len(lines)}
    found = {}
    for at, position in regions:
        before, after = place.get(position - 1), place.get(position)
        if before is not None and after is not None and before < after:
            found[at] = tuple(lines[before + 1 : after])
    return found

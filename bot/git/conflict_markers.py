"""Reads conflict markers: merged text and, between it, regions with each side's text.

Our markers are longer than those in any file and labelled with an object name, so that text which looks like a marker
stays text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MARKER_SIZE = 97


@dataclass(frozen=True, slots=True)
class Region:
    """One conflict region. The sides hold whole lines, with their line ends."""

    base: bytes
    ours: bytes
    theirs: bytes


Parts = tuple[bytes | Region, ...]
"""A file in order: merged text and regions."""

_REGION = re.compile(
    rb"""
    ^<{%(n)d}\ [^\n]*\n (?P<ours>.*?)
    ^\|{%(n)d}\ [^\n]*\n (?P<base>.*?)
    ^={%(n)d}\r?\n (?P<theirs>.*?)
    ^>{%(n)d}\ [^\n]*(?:\n|\Z)
    """
    % {b"n": MARKER_SIZE},
    re.MULTILINE | re.DOTALL | re.VERBOSE,
)


def split_regions(content: bytes, *, base: bytes | None, ours: bytes | None, theirs: bytes | None) -> Parts:
    """Split a file that was merged with diff3 markers of MARKER_SIZE; the whole sides say how the file ends.

    Empty for a file without regions.
    """
    parts: list[bytes | Region] = []
    position = 0
    for match in _REGION.finditer(content):
        parts.append(content[position : match.start()])
        parts.append(Region(match["base"], match["ours"], match["theirs"]))
        position = match.end()
    if not parts:
        return ()
    last = parts[-1]
    if position == len(content) and isinstance(last, Region):
        # Before a marker git ends a last line that has no end; the sides do not have that end.
        parts[-1] = Region(_as_ended(last.base, base), _as_ended(last.ours, ours), _as_ended(last.theirs, theirs))
    else:
        parts.append(content[position:])
    return tuple(part for part in parts if part != b"")


def _as_ended(text: bytes, side: bytes | None) -> bytes:
    return text.removesuffix(b"\n") if side and not side.endswith(b"\n") else text


def join_parts(parts: Parts, texts: dict[int, bytes]) -> bytes:
    """Put a file together again, with a text for each region by its index among the parts."""
    return b"".join(texts[index] if isinstance(part, Region) else part for index, part in enumerate(parts))

"""Version pins and lock files: lists of lines that are taken or left, but never merged.

Owns what an answer may be there. A version that one side names with a hash that the other side names is nobody's.
"""

from __future__ import annotations

from collections import Counter

from bot.pick.merge.regions import LineRegion, Lines


def takes_whole_pins(region: LineRegion, resolution: Lines) -> bool:
    """Say whether the original's lines are taken where the target stands at the original's old ones, and only there.

    Every line is one of a side, what the original takes away was there, what it brings is there, and so is what the
    target has of its own.
    """
    base, ours, theirs, text = (
        Counter(line.strip() for line in side) for side in (region.base, region.ours, region.theirs, resolution)
    )
    new_lines = set(text) - set(ours) - set(theirs)
    missing_lines = (theirs - base) - text
    return not new_lines and not (base - theirs) - ours and not missing_lines and not (ours - base) - text

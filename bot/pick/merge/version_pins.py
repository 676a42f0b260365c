"""Version pins and lock files: their lines are taken or left, but never merged.

A line with one side's version and the other side's hash would be nobody's.
"""

from __future__ import annotations

from collections import Counter

from bot.pick.merge.regions import LineRegion, Lines


def takes_whole_pins(region: LineRegion, resolution: Lines) -> bool:
    """Return True if the original's lines are taken only if the target has the original's old ones.

    Every line must come from a side. The lines that the original removes must have been there, the lines that it adds
    must be there, and so must the target's own lines.
    """
    base, ours, theirs, text = (
        Counter(line.strip() for line in side) for side in (region.base, region.ours, region.theirs, resolution)
    )
    # Hashes and versions belong together, so no line may be new.
    new_lines = set(text) - set(ours) - set(theirs)
    # A pin that the original adds must not get lost among equal lines, so lines are counted.
    missing_lines = (theirs - base) - text
    return not new_lines and not (base - theirs) - ours and not missing_lines and not (ours - base) - text

"""Proposals that take one side whole.

They are right more often than one expects: people often bring in the code that the original needs instead of adapting
the original.
"""

from __future__ import annotations

from bot.pick.merge.regions import LineRegion, Lines


def take_original(region: LineRegion) -> Lines | None:
    """Take the original's text with everything it stands on."""
    return region.theirs


def keep_target(region: LineRegion) -> Lines | None:
    """Leave the region as the target has it; the original's change to it is not taken."""
    return region.ours

"""Proposals that take one side whole.

Right more often than one would think: people often bring in what the original stands on instead of adapting it.
"""

from __future__ import annotations

from bot.pick.merge.regions import LineRegion, Lines


def take_original(region: LineRegion) -> Lines | None:
    """Take the original's text with everything it stands on."""
    return region.theirs


def keep_target(region: LineRegion) -> Lines | None:
    """Leave the region as the target has it; the original's change to it is not taken."""
    return region.ours

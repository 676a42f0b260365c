"""Answers to conflicting files that were found of late, by all that they follow from.

Owns how many are kept. What an answer follows from, whoever gives it has to say.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.pick.resolver import FileResolution

# Each holds a whole file, and those of one original are asked for one after the other.
_CAPACITY = 40


class ResolutionCache:
    """The last answers. Threads may share it."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, FileResolution | None] = {}

    def of(self, key: Hashable, find: Callable[[], FileResolution | None]) -> FileResolution | None:
        """Return the answer that was found when the same was seen, or find it."""
        resolutions = self._kept
        if key not in resolutions:
            resolution = find()
            self._kept = {**dict(list(resolutions.items())[1 - _CAPACITY :]), key: resolution}
            return resolution
        return resolutions[key]

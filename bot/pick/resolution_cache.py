"""A cache of file resolutions, keyed by every input that a resolution depends on."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.pick.resolver import FileResolution

# A resolution holds a whole file. The branches of one original ask for its files in a row, so few are kept.
_CAPACITY = 40


class ResolutionCache:
    """The last resolutions. Threads may share it."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, FileResolution | None] = {}

    def of(self, key: Hashable, find: Callable[[], FileResolution | None]) -> FileResolution | None:
        """Return the resolution with this key, or compute and keep it."""
        resolutions = self._kept
        if key not in resolutions:
            resolution = find()
            # A new dict instead of a change in place: another thread may be reading the old one.
            self._kept = {**dict(list(resolutions.items())[1 - _CAPACITY :]), key: resolution}
            return resolution
        return resolutions[key]

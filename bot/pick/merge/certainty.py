"""Decides when a finer merge is certain: if it merges no text and only leaves out files that the branch has no place
for.

No merge of a region is certain, however plain and likely it is. People bring more over than was asked for, and how
often they do differs too much between repositories; docs/measurements.md has the figures.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.pick.merge.line_counts import line_count, lines_changed
from bot.pick.merge.missing_files import CAME_LATER, WITH_ITS_FOLDER
from bot.pick.resolver import ConflictedFile, FileResolution

# People often bring a shorter file along whole, and they rewrite a part of a larger change.
_FEWEST_LINES = 20
_MOST_CHANGED = 24
# People bring a shorter test module along with its fix: 3 of 12.
_FEWEST_LINES_OF_TESTS = 200
_TESTS = re.compile(r"(^|/)test_[^/]*$|[._-](test|spec)\.\w+$", re.IGNORECASE)


def is_certain(resolutions: Sequence[tuple[ConflictedFile, FileResolution]]) -> bool:
    """Return True if each file is removed by the original or came to main later, with its folder or as the only such
    file.

    Of several such files in folders that the branch has, people bring some along: 17 of 19 picks.
    """
    main_only = [
        (file, resolution)
        for file, resolution in resolutions
        if not _is_removed(file) and not _lacks_its_folder(resolution)
    ]
    return len(main_only) <= 1 and all(_belongs_to_main(file, resolution) for file, resolution in main_only)


def _is_removed(file: ConflictedFile) -> bool:
    return file.theirs is None and file.ours is not None and line_count(file) >= _FEWEST_LINES


def _lacks_its_folder(resolution: FileResolution) -> bool:
    return WITH_ITS_FOLDER in resolution.traits


def _belongs_to_main(file: ConflictedFile, resolution: FileResolution) -> bool:
    """Return True if only main has the file and the original hardly changes it."""
    fewest = _FEWEST_LINES_OF_TESTS if _TESTS.search(file.path) else _FEWEST_LINES
    return CAME_LATER in resolution.traits and lines_changed(file) <= _MOST_CHANGED and line_count(file) >= fewest

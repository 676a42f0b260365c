"""When a finer merge is certain: where nothing is merged, and only what the branch has no place for is left out.

Owns the conditions. No merge of a region is certain, however plain it is and however likely: people bring more over
than was asked for, and how often they do differs too much between repositories. docs/pick.md has the figures. What is
refused or fails a check never comes this far.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.pick.finer.measures import line_count, lines_changed
from bot.pick.finer.missing import CAME_LATER
from bot.pick.rung import ConflictedFile, FileAnswer

# A file of fewer lines people often bring along whole, and of a larger change they write a part anew.
_FEWEST_LINES = 20
_MOST_CHANGED = 24


def is_certain(answers: Sequence[tuple[ConflictedFile, FileAnswer]]) -> bool:
    """Say whether every file is removed by the original, or came to main later and is hardly changed by it."""
    return all(_is_removed(file) or _belongs_to_main(file, answer) for file, answer in answers)


def _is_removed(file: ConflictedFile) -> bool:
    return file.theirs is None and file.ours is not None


def _belongs_to_main(file: ConflictedFile, answer: FileAnswer) -> bool:
    small = lines_changed(file) <= _MOST_CHANGED and line_count(file) >= _FEWEST_LINES
    return CAME_LATER in answer.traits and small

"""When a finer merge is certain: two plain cases that people bear out, not a high chance.

Owns the conditions. A chance cannot tell: of the likeliest tenth of the picks people committed 87 % on the repositories
that the weights were fitted on, as they often bring more over than was asked for. docs/pick.md has what the two cases
are right in. What is refused or fails a check never comes this far.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.pick.finer.measures import is_short, lines_changed
from bot.pick.finer.missing import CAME_LATER
from bot.pick.rung import ConflictedFile, Decision, FileAnswer

# What changes more of a file that the branch lacks, people often bring along or write anew.
_MOST_CHANGED_ON_MAIN = 16
_MOST_CHANGED = 6

Answers = Sequence[tuple[ConflictedFile, FileAnswer]]


def is_certain(answers: Answers) -> bool:
    """Say whether every file is answered in one of the plain ways.

    Left out are only small edits of files that main got later and that are no stubs. Regions are merged only where the
    merge by lines and the merge by words are the same, and no side could have been taken instead.
    """
    missing = [(file, answer) for file, answer in answers if not answer.decisions]
    merged = [(file, answer) for file, answer in answers if answer.decisions]
    decisions = [decision for _file, answer in merged for decision in answer.decisions]
    return all(_belongs_to_main(file, answer) for file, answer in missing) and (
        not decisions
        or (_agree(decisions) and (_differ(decisions) or _is_small([file for file, _ in merged], decisions)))
    )


def _belongs_to_main(file: ConflictedFile, answer: FileAnswer) -> bool:
    return CAME_LATER in answer.traits and not is_short(file) and lines_changed(file) <= _MOST_CHANGED_ON_MAIN


def _agree(decisions: Sequence[Decision]) -> bool:
    return all({"neighbouring lines", "independent words"} <= each.traits for each in decisions)


def _differ(decisions: Sequence[Decision]) -> bool:
    """Say whether the branch has other text here and the original edits little, so that no side is right as a whole."""
    return all("original nearly base" in each.traits and "target nearly base" not in each.traits for each in decisions)


def _is_small(files: Sequence[ConflictedFile], decisions: Sequence[Decision]) -> bool:
    """Say whether a few lines change beside text that the branch has had since it left main."""
    held = all("target untouched" in each.traits and "long" not in each.traits for each in decisions)
    return held and sum(map(lines_changed, files)) <= _MOST_CHANGED

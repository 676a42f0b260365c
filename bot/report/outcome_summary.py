"""Counts outcomes in one line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import assert_never

from bot.models import (
    AlreadyApplied,
    Cancelled,
    Conflicted,
    Failed,
    NotAffected,
    NothingLeft,
    NotProven,
    Opened,
    TargetOutcome,
    WouldOpen,
)
from bot.text.markdown import count


def summary(results: Sequence[TargetOutcome]) -> str:
    """Count the outcomes in one line, e.g. "3 pull requests opened, 1 branch not affected"."""
    numbers = Counter(map(_summary_words, results))
    counts = (f"{count(number, noun)} {state}" for (_, noun, state), number in sorted(numbers.items()))
    return ", ".join(counts) or "nothing to do"


def _summary_words(result: TargetOutcome) -> tuple[int, str, str]:
    """Return the place of an outcome in the summary, the noun that is counted, and what became of it."""
    match result:
        case Opened():
            words = (0, "pull request", "opened") if result.created else (1, "pull request", "already open")
        case WouldOpen():
            words = 2, "pull request", "would be opened"
        case NotAffected():
            words = 3, "branch", "not affected"
        case AlreadyApplied():
            words = 4, "branch", "up to date already"
        case NothingLeft():
            words = 5, "branch", "with nothing left to bring"
        case Conflicted():
            words = 6, "branch", "in conflict"
        case NotProven():
            words = 7, "branch", "not proven"
        case Failed():
            words = 8, "branch", "failed"
        case Cancelled():
            words = 9, "branch", "cancelled"
        case _:
            assert_never(result)
    return words

"""What a rehearsal came to, in figures.

Owns the counting. `right` and `wrong` are conflicts that some rung resolved; a conflict that none did is neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields

from bot.rehearse.rehearsal import Rehearsal
from bot.rehearse.replay import Ending, Replayed


@dataclass(slots=True)
class Figures:
    """Counts over some pairs; `certain` counts the conflicts that a rung was certain to have resolved."""

    pairs: int = 0
    clean_identical: int = 0
    clean_different: int = 0
    conflicts: int = 0
    right: int = 0
    wrong: int = 0
    certain: int = 0
    certain_right: int = 0

    def count(self, each: Replayed) -> None:
        """Take in one pair."""
        clean, resolved = each.ending is Ending.CLEAN, each.ending is Ending.RESOLVED
        self.pairs += 1
        self.clean_identical += clean and each.identical
        self.clean_different += clean and not each.identical
        self.conflicts += not clean
        self.right += resolved and each.right
        self.wrong += resolved and not each.right
        self.certain += resolved and each.certain
        self.certain_right += resolved and each.certain and each.right

    def as_json(self) -> dict[str, int]:
        """Return the counts by name."""
        return {each.name: getattr(self, each.name) for each in fields(self)}


@dataclass(frozen=True, slots=True)
class Summary:
    """The figures of all pairs, by the rung that ended them ("" where none did) and by branch; seconds by rung."""

    all: Figures
    rungs: Mapping[str, Figures]
    branches: Mapping[str, Figures]
    seconds: Mapping[str, float]
    left_out: Mapping[str, int]
    picks_per_second: float


def summarize(rehearsal: Rehearsal) -> Summary:
    """Count the replays; those left out are counted by reason, with what mining left out."""
    total = Figures()
    rungs: dict[str, Figures] = {}
    branches: dict[str, Figures] = {}
    seconds: dict[str, float] = {}
    left_out = dict(rehearsal.mined.left_out)
    for each in rehearsal.replayed:
        if each.ending is Ending.LEFT_OUT:
            left_out[each.detail] = left_out.get(each.detail, 0) + 1
            continue
        total.count(each)
        rungs.setdefault(each.rung, Figures()).count(each)
        branches.setdefault(each.pair.branch, Figures()).count(each)
        seconds[each.rung] = seconds.get(each.rung, 0.0) + each.seconds
    return Summary(total, rungs, branches, seconds, left_out, rehearsal.picks_per_second)


def summary_to_json(summary: Summary) -> dict[str, object]:
    """Return the summary as `--json` ends with it."""
    rate = round(summary.picks_per_second, 1)
    rungs = {
        rung: {**figures.as_json(), "picks_per_second": _rate(figures.pairs, summary.seconds[rung])}
        for rung, figures in _named(summary.rungs)
    }
    return {**summary.all.as_json(), "picks_per_second": rate, "rungs": rungs}


def _named(rungs: Mapping[str, Figures]) -> Iterable[tuple[str, Figures]]:
    return ((rung, figures) for rung, figures in rungs.items() if rung)


def _rate(pairs: int, seconds: float) -> float:
    return round(pairs / seconds, 1) if seconds else 0.0

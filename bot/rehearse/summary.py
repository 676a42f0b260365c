"""Counts the outcomes of a rehearsal.

`right` and `wrong` count conflicts that a strategy resolved; a conflict that none resolved is neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields

from bot.rehearse.rehearsal import Rehearsal
from bot.rehearse.replay import ReplayOutcome, ReplayResult


@dataclass(slots=True)
class Figures:
    """Counts over some pairs; `certain` counts the conflicts that a strategy resolved with certainty."""

    pairs: int = 0
    clean_identical: int = 0
    clean_different: int = 0
    conflicts: int = 0
    right: int = 0
    wrong: int = 0
    certain: int = 0
    certain_right: int = 0

    def count(self, replay: ReplayResult) -> None:
        """Count one replay."""
        clean, is_resolvable = replay.ending is ReplayOutcome.CLEAN, replay.ending is ReplayOutcome.RESOLVABLE
        self.pairs += 1
        self.clean_identical += clean and replay.identical
        self.clean_different += clean and not replay.identical
        self.conflicts += not clean
        self.right += is_resolvable and replay.right
        self.wrong += is_resolvable and not replay.right
        self.certain += is_resolvable and replay.certain
        self.certain_right += is_resolvable and replay.certain and replay.right

    def as_json(self) -> dict[str, int]:
        """Return the counts by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True, slots=True)
class Summary:
    """The figures of all pairs, by deciding strategy ("" if none decided) and by branch. Seconds by strategy."""

    all: Figures
    rungs: Mapping[str, Figures]
    branches: Mapping[str, Figures]
    seconds: Mapping[str, float]
    left_out: Mapping[str, int]
    picks_per_second: float


def summarize(rehearsal: Rehearsal) -> Summary:
    """Count the replays. Pairs that were left out are counted by reason, with the backports that were."""
    total = Figures()
    rungs: dict[str, Figures] = {}
    branches: dict[str, Figures] = {}
    seconds: dict[str, float] = {}
    left_out = dict(rehearsal.past_backports.left_out)
    for replay in rehearsal.replays:
        if replay.ending is ReplayOutcome.LEFT_OUT:
            left_out[replay.detail] = left_out.get(replay.detail, 0) + 1
            continue
        total.count(replay)
        rungs.setdefault(replay.rung, Figures()).count(replay)
        branches.setdefault(replay.pair.branch, Figures()).count(replay)
        seconds[replay.rung] = seconds.get(replay.rung, 0.0) + replay.seconds
    return Summary(total, rungs, branches, seconds, left_out, rehearsal.picks_per_second)


def summary_to_json(summary: Summary) -> dict[str, object]:
    """Return the summary that `--json` prints last."""
    rate = round(summary.picks_per_second, 1)
    rungs = {
        rung: {**figures.as_json(), "picks_per_second": _rate(figures.pairs, summary.seconds[rung])}
        for rung, figures in _by_rung(summary.rungs)
    }
    return {**summary.all.as_json(), "picks_per_second": rate, "rungs": rungs}


def _by_rung(rungs: Mapping[str, Figures]) -> Iterable[tuple[str, Figures]]:
    return ((rung, figures) for rung, figures in rungs.items() if rung)


def _rate(pairs: int, seconds: float) -> float:
    return round(pairs / seconds, 1) if seconds else 0.0

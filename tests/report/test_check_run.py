"""Check runs: their conclusion and their words."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bot.models import VerdictOutcome
from bot.report.check_run import render_proof_check, render_target_check

if TYPE_CHECKING:
    from tests.report.conftest import Samples


def test_check_runs_are_worded(samples: Samples, golden: Callable[[str, str], None]) -> None:
    runs = [render_target_check(ending) for ending in samples.every_ending()]
    runs += [render_proof_check(samples.verdict(outcome)) for outcome in VerdictOutcome]
    lines = [f"{run.name} · {run.conclusion} · {run.title}\n\n{run.summary}" for run in runs]
    golden("check_runs.md", "\n----\n\n".join(lines))


def test_only_the_bot_itself_failing_is_red_on_the_original(samples: Samples) -> None:
    red = [run.target for run in samples.every_ending() if render_target_check(run).conclusion == "failure"]
    assert red == ["release/v0.5.5"]


def test_only_a_proven_verdict_is_green_on_the_backport(samples: Samples) -> None:
    green = [each for each in VerdictOutcome if render_proof_check(samples.verdict(each)).conclusion == "success"]
    assert green == [VerdictOutcome.PROVEN]

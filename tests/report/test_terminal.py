"""What a terminal shows."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

from rich.console import Console

from bot.errors import BackportError
from bot.models import Affectedness, DetectResult, Failed, Match, TargetOutcome, VerdictOutcome
from bot.report import terminal

if TYPE_CHECKING:
    from tests.report.conftest import Samples


def test_table_has_one_row_for_each_target(samples: Samples, golden: Callable[[str, str], None]) -> None:
    stream = io.StringIO()
    Console(file=stream, width=160).print(terminal.results_table(samples.every_ending(), title="Backport of #24587"))
    stream.write(terminal.render_explanations(samples.every_ending()) + "\n")
    golden("terminal_table.txt", "\n".join(line.rstrip() for line in stream.getvalue().splitlines()) + "\n")


def test_a_table_of_usual_branches_breaks_no_word_at_80_columns(samples: Samples) -> None:
    outcomes: list[TargetOutcome] = [
        samples.opened(),
        samples.opened("release/v0.5.11", candidate=samples.candidate("release/v0.5.11", carried=True)),
        samples.not_affected(),
        samples.conflicted("release/v0.5.10"),
    ]
    stream = io.StringIO()
    Console(file=stream, width=80).print(terminal.results_table(outcomes))
    words = stream.getvalue().split()
    for word in (
        "release/v0.5.12",
        "release/v0.5.11",
        "cherry-pick,",
        "patch,",
        "adapted",
        "failed,",
        "candidate",
        "conflict",
    ):
        assert word in words


def test_check_prove_and_apply_are_worded(samples: Samples, golden: Callable[[str, str], None]) -> None:
    unknown = DetectResult(patch="p", status=Affectedness.UNKNOWN, reason="The buffer is sized in a way of its own.")
    lines = [
        terminal.render_check(samples.not_affected().check),
        terminal.render_check(unknown),
        *(terminal.render_verdict(samples.verdict(outcome)) for outcome in VerdictOutcome),
        terminal.render_applied("sglang-24587", ["a.py"]),
        terminal.render_applied("sglang-24587", ["a.py", "b.py"], dry_run=True),
        terminal.render_applied("sglang-24587", []),
        terminal.render_step_failure(patch="p", step="grow", file="a.py", expected="exactly 1 match", actual="none"),
        terminal.render_error(BackportError("It failed.", hint="Try again.")),
    ]
    golden("terminal.txt", "\n\n".join(lines) + "\n")


def test_no_escape_sequence_reaches_the_terminal(samples: Samples) -> None:
    evil = "\x1b]0;owned\x07\x1b[31m\u202e\u200b[bold]x[/bold]\r\n\x9b2J"
    stream = io.StringIO()
    failed = Failed(target=evil, message=evil, hint=evil)
    Console(file=stream, width=200).print(terminal.results_table([failed]))
    report = DetectResult(patch="p", status=Affectedness.AFFECTED, reason=evil, evidence=(Match(evil, 1, evil, evil),))
    shown_text = stream.getvalue() + terminal.render_explanations([failed])
    shown_text += terminal.render_check(report) + terminal.render_error(BackportError(evil, hint=evil))
    assert not set(shown_text) & set("\x1b\x07\r\x9b\u202e\u200b")
    assert "[bold]x[/bold]" in shown_text

"""Bars of characters show what was measured, to scale and as plain text."""

from __future__ import annotations

from bot.models import CaseOutcome, CaseResult, KnownFailureResult, SuiteRun, Verdict, VerdictOutcome
from bot.report.buffers import WIDTH, render_bars


def case(name: str, numel: int, past_end: int, buffer: str = "kv") -> CaseResult:
    figures = {"buffer": buffer, "numel": str(numel), "needed": "256", "past_end": str(past_end)}
    return CaseResult(name=name, outcome=CaseOutcome.FAILED, figures=figures)


def verdict(base: list[CaseResult], candidate: list[CaseResult], known_name: str = "") -> Verdict:
    runs = [SuiteRun(tree="t", cases=tuple(cases), device=None, seconds=1.0) for cases in (base, candidate)]
    failures = (KnownFailureResult(known_name, "another fault", still_fails=True),) if known_name else ()
    return Verdict(outcome=VerdictOutcome.PROVEN, reason="", base=runs[0], candidate=runs[1], known_failures=failures)


def test_what_went_past_the_end_is_drawn_to_scale() -> None:
    text = render_bars(verdict([case("t::a[page16]", 64, 192)], [case("t::a[page16]", 256, 0)]))
    name, before, after, _ = text.splitlines()
    assert name == "kv, worst in page16"
    assert (before.count("█"), before.count("░")) == (WIDTH // 4, WIDTH * 3 // 4)
    assert (after.count("█"), after.count("░")) == (WIDTH, 0)
    assert "192 elements past the end of 64" in before
    assert "none past the end of 256" in after


def test_one_element_past_the_end_is_seen() -> None:
    before = render_bars(verdict([case("t::a", 1_000_000, 1)], [case("t::a", 1_000_001, 0)])).splitlines()[1]
    assert before.count("░") == 1


def test_each_buffer_shows_its_worst_case() -> None:
    base = [case("t::small", 16, 10), case("t::large", 16, 200), case("t::other", 16, 5, "table")]
    text = render_bars(verdict(base, base))
    assert [line for line in text.splitlines() if "worst in" in line] == [
        "kv, worst in t::large",
        "table, worst in t::other",
    ]


def test_nothing_is_drawn_where_nothing_went_past_or_only_what_is_known_to() -> None:
    within = [case("t::a", 256, 0)]
    assert render_bars(verdict(within, within)) == ""
    beyond = [case("t::a", 16, 240)]
    assert render_bars(verdict(beyond, beyond, known_name="t::a")) == ""


def test_figures_that_are_no_numbers_are_left_out() -> None:
    odd = CaseResult(
        name="t::a",
        outcome=CaseOutcome.FAILED,
        figures={"buffer": "kv", "numel": "9" * 400, "needed": "²", "past_end": "-1"},
    )
    assert render_bars(verdict([odd], [odd])) == ""

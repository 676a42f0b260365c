"""The picture of a trace adds up what the time went to, and shows each span on a common axis."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.environment.trace import Span, Trace, Value
from bot.report.trace_page import render_trace, seconds_text, size_text
from bot.report.trace_rows import MOST_ROWS, Kind, rows, totals

SECOND = 1_000_000_000


def _span(name: str, start: float, end: float, parent: Span | None = None, **attributes: Value) -> Span:
    return Span(name, parent.id if parent else "", attributes, start=int(start * SECOND), end=int(end * SECOND))


def _request(at: float, size: int) -> tuple[int, str, dict[str, Value]]:
    return int(at * SECOND), "http request", {"method": "GET", "path": "/repos/a/b", "status": 200, "bytes": size}


@pytest.fixture
def trace() -> Trace:
    """Return a trace: a pick of four seconds with a fetch (one second, by git), a call and two git commands."""
    run = _span("stage", 10, 14)
    pick = _span("pick", 10, 14, run, branch="<b>&release")
    fetch = _span("fetch", 10.5, 11.5, pick, objects=2, what="--depth=2", bytes=1_500_000)
    call = _span("github", 12, 12.5, pick, action="read it")
    call.events = [_request(12.1, 700), _request(12.2, 300)]
    spans = [
        run,
        pick,
        fetch,
        _span("git", 10.6, 11.4, fetch, command="fetch"),
        call,
        _span("git", 13, 13.25, pick, command="log"),
        _span("git", 13.5, 13.75, pick, command="log"),
    ]
    return Trace(spans=spans)


def test_each_kind_has_its_own_time_and_git_within_a_fetch_is_the_fetchs(trace: Trace) -> None:
    sums = {total.kind: (total.seconds, total.times, total.bytes) for total in totals(trace)}
    assert sums == {
        Kind.FETCH: (1.0, 1, 1_500_000),
        Kind.GITHUB: (0.5, 2, 1000),
        Kind.GIT: (0.5, 2, 0),
        Kind.BOT: (2.0, 0, 0),
    }


def test_spans_side_by_side_are_not_taken_from_the_outer_one_twice() -> None:
    run = _span("stage", 0, 4)
    trace = Trace(spans=[run, _span("suite run", 1, 3, run), _span("suite run", 1, 3, run)])
    assert [(total.kind, total.seconds) for total in totals(trace)] == [(Kind.SUITE, 4.0), (Kind.BOT, 2.0)]


def test_git_commands_after_each_other_share_a_row(trace: Trace) -> None:
    shown, left_out = rows(trace)
    assert [(row.depth, row.name, row.detail) for row in shown] == [
        (0, "stage", ""),
        (1, "pick", "<b>&release"),
        (2, "fetch", "2 names asked for, --depth=2"),
        (2, "GitHub", "read it, 2 requests: GET /repos/a/b, GET /repos/a/b"),
        (2, "2 git commands", "log (2)"),
    ]
    assert shown[-1].bars == ((3.0, 0.25), (3.5, 0.25))
    assert left_out == 0


def test_of_too_many_rows_the_shortest_are_left_out() -> None:
    run = _span("stage", 0, 2000)
    calls = [_span("pick", number, number + (number + 1) / 1000, run) for number in range(MOST_ROWS + 50)]
    trace = Trace(spans=[run, *calls])
    shown, left_out = rows(trace)
    assert (len(shown), left_out) == (MOST_ROWS, 51)
    assert "51 shorter rows are left out" in render_trace(trace)


def test_a_hostile_name_stays_text_and_the_page_loads_nothing(trace: Trace) -> None:
    page = render_trace(trace)
    assert "&lt;b&gt;&amp;release" in page
    assert "<b>" not in page
    assert "default-src 'none'" in page
    assert "<script" not in page
    assert "1.50 MB" in page


def test_a_run_of_no_time_at_all_is_rendered() -> None:
    assert "stage" in render_trace(Trace(spans=[_span("stage", 1, 1)]))


@pytest.mark.parametrize(("size", "text"), [(0, ""), (999, "999 B"), (1500, "2 kB"), (2_345_678, "2.35 MB")])
def test_sizes_are_for_people(size: int, text: str) -> None:
    assert size_text(size) == text


@pytest.mark.parametrize(("seconds", "text"), [(0.0123, "12 ms"), (1.5, "1.50 s"), (250.0, "250 s")])
def test_times_are_for_people(seconds: float, text: str) -> None:
    assert seconds_text(seconds) == text


def test_the_suffix_decides_what_is_written(tmp_path: Path) -> None:
    page, data = tmp_path / "trace.html", tmp_path / "trace.json"
    (tmp_path / "tree").mkdir()
    words = ["--trace", str(page), "--trace", str(data), "check", str(tmp_path / "tree"), "--patch", "sglang-24587"]
    CliRunner().invoke(app, words)
    assert page.read_text().startswith("<!doctype html>")
    assert data.read_text().startswith("{")

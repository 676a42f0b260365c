"""A sync run in words: the tracking issue, the summary, the page, the terminal and the data."""

from __future__ import annotations

import json
from collections.abc import Callable
from html.parser import HTMLParser

from markdown_it import MarkdownIt
from rich.console import Console

from bot.report.sync_issue import MAX_BODY, render_issue, render_summary
from bot.report.sync_json import sync_to_json
from bot.report.sync_page import render_page
from bot.report.sync_terminal import branches_table, render_lines
from bot.report.sync_text import counts, missing_over_time, next_step
from bot.sync.types import BranchState, State
from bot.text.markers import tracking_marker
from tests.sync.states import DAY, MOMENT, branch, every_state, state_of, survey

GONE = BranchState(branch="release/0.9", problem="An earlier run saw this branch, and it no longer exists.")
HOSTILE = "<script>alert(1)</script> @everyone closes #1 | `x` [a](javascript:b)"


def test_the_tracking_issue_words_every_state(golden: Callable[[str, str], None]) -> None:
    state = every_state()
    golden("sync_issue.md", render_issue(state, survey(state)))


def test_the_tracking_issue_of_a_branch_that_lacks_nothing(golden: Callable[[str, str], None]) -> None:
    state = branch(state_of(1, State.ALREADY_APPLIED))
    golden("sync_issue_nothing_missing.md", render_issue(state, survey(state)))


def test_the_summary_of_a_run(golden: Callable[[str, str], None]) -> None:
    golden("sync_summary.md", render_summary(survey(every_state(), GONE)))


def test_the_terminal_says_what_is_left(golden: Callable[[str, str], None]) -> None:
    golden("sync_terminal.txt", render_lines(survey(every_state(), GONE)))


def test_the_table_counts_each_branch() -> None:
    console = Console(width=200, record=True, file=None)
    with console.capture() as shown:
        console.print(branches_table(survey(every_state(), GONE)))
    assert "release/1.0" in shown.get()
    assert "release/0.9" not in shown.get()


def test_every_original_is_counted_once() -> None:
    state = every_state()
    assert sum(counts(state).values()) == len(state.originals) + len(state.not_asked)
    assert counts(state)[State.REFUSED_BY_POLICY] == 3


def test_what_is_left_to_do_has_a_next_step() -> None:
    for original in every_state().originals:
        assert bool(next_step(original)) is (
            original.state
            in {State.OPENED, State.CLEAN, State.RESOLVABLE, State.NEEDS, State.CONFLICT, State.UNCONFIRMED}
        )


def test_a_long_branch_gives_an_issue_that_github_takes() -> None:
    state = branch(*(state_of(number, title="x" * 300) for number in range(1, 2000)))
    body = render_issue(state, survey(state))
    assert len(body) <= MAX_BODY + 200
    assert body.startswith(tracking_marker("release/1.0"))


def test_hostile_titles_and_reasons_are_only_text() -> None:
    state = branch(state_of(1, State.CONFLICT, title=HOSTILE, reason=HOSTILE), name="release/<b>`|")
    for text in (render_issue(state, survey(state)), render_summary(survey(state))):
        shown = MarkdownIt("gfm-like", {"linkify": False}).render(text)
        assert "<script" not in shown
        assert "@everyone" not in shown
        assert "closes #1" not in shown
        assert 'javascript:b"' not in shown
    page = render_page(survey(state))
    assert "<script" not in page
    assert "&lt;script&gt;" in page


class _Tags(HTMLParser):
    """Counts tags and finds what is not closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_loads_nothing_and_runs_nothing() -> None:
    page = render_page(survey(every_state(), branch(name="release/2.0"), GONE))
    tags = _Tags()
    tags.feed(page)
    assert tags.open == []
    assert {"script", "link", "img", "iframe"}.isdisjoint(tags.seen)
    assert tags.seen.count("svg") == 2
    assert "default-src 'none'" in page


def test_the_page_explains_every_row_that_is_not_simply_there() -> None:
    page = render_page(survey(every_state()))
    rows = [original for original in every_state().originals if original.state is not State.ALREADY_APPLIED]
    assert all(f"<td>{row.original.name} " in page for row in rows)


def test_what_was_missing_is_counted_from_the_merge_to_the_landing() -> None:
    landed = state_of(50, State.ALREADY_APPLIED, landed_count=MOMENT - 10 * DAY)
    missing = state_of(80)
    there_already = state_of(60, State.ALREADY_APPLIED, landed_count=MOMENT - 60 * DAY)
    moments = tuple(MOMENT - days * DAY for days in (60, 50, 30, 20, 10, 0))
    assert missing_over_time(branch(landed, missing, there_already), moments) == (0, 1, 1, 2, 1, 1)


def test_the_data_holds_every_standing_and_all_that_nothing_asks_for() -> None:
    data = json.loads(json.dumps(sync_to_json(survey(every_state(), GONE), ())))
    first, gone = data["branches"]
    assert len(first["standings"]) == len(every_state().originals)
    assert first["not_asked"] == ["#20", "#21"]
    assert {entry["state"] for entry in first["standings"]} == {state.value for state in State}
    assert gone["problem"]
    clean = next(each for each in first["standings"] if each["number"] == 3)
    assert (clean["missing_days"], clean["asked_by"]) == (97, "label `bug`")


def test_issue_and_summary_are_worded_by_the_configuration_where_it_says_how() -> None:
    state = every_state()
    issue = render_issue(state, survey(state), template="{{ there }} are there")
    assert issue == f"{tracking_marker(state.branch)}\n{counts(state)[State.ALREADY_APPLIED]} are there\n"
    assert render_summary(survey(state), template="{{ rows|length }} branch") == "1 branch\n"

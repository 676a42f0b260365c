"""The service's pages in a real browser, over what the service really did and over hostile values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal
from unittest.mock import patch

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from bot.pipeline.run import Step
from bot.server.requests import Requests
from bot.server.run_log import RunLog
from bot.server.surveys import SurveyRows
from tests.pipeline.conftest import history
from tests.report.test_pages_in_browser import CHECK
from tests.server.site import BRANCH, HOSTILE, Site, record_hostile, record_survey, running_site

__all__ = ["history"]

expect.set_options(timeout=120_000)
pytestmark = [pytest.mark.browser, pytest.mark.long]


@pytest.fixture(scope="module")
def site(history: Path, tmp_path_factory: pytest.TempPathFactory, service_database: str) -> Iterator[Site]:
    """Let the service answer one comment, and record a request with hostile values beside it."""
    with (
        # The hostile request is about commits that GitHub never knows, which the end of the service would wait for.
        patch("bot.github.retrying_caller._EARLY_PAUSES", ()),
        running_site(history, tmp_path_factory.mktemp("site"), service_database) as running,
    ):
        running.office.issue(7).create_comment("/backport release/1.0 release/1.1 release/1.2")
        running.settle()
        running.hostile = record_hostile(running.database, running.office.context.github.repository_id)
        record_survey(running.database)
        yield running


@pytest.fixture
def open_page(browser: Browser, site: Site) -> Iterator[Callable[..., Page]]:
    """Open a page; what the browser refuses to load or to run fails the test."""
    complaints: list[str] = []
    contexts = []

    def open_path(path: str, **options: Any) -> Page:
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(site.url + path)
        return page

    yield open_path
    for context in contexts:
        context.close()
    assert complaints == []


def paths(site: Site) -> dict[str, str]:
    """Return the path of each page, with its heading."""
    return {
        "/": "Runs",
        "/runs/2": "#7 on release/1.1",
        "/runs/3": "#7 on release/1.2",
        f"/runs/{site.hostile}": f"#9 on {BRANCH}",
        "/board?repository=acme/widget": "Board acme/widget",
        "/board?repository=a/b&state=all": "Board a/b",
        "/repositories": "Repositories",
    }


@pytest.mark.parametrize("width", [400, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_is_as_wide_as_the_screen_and_its_text_is_readable(
    open_page: Callable[..., Page], site: Site, scheme: Literal["light", "dark"], width: int
) -> None:
    for path, heading in paths(site).items():
        page = open_page(path, viewport={"width": width, "height": 800}, color_scheme=scheme)
        expect(page.get_by_role("heading", level=1)).to_have_text(heading)
        for landmark in ("main", "banner", "contentinfo"):
            assert page.get_by_role(landmark).count() == 1, (path, landmark)
        assert "Backport Bot" in page.title()
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert page.evaluate(CHECK) == [], path


def test_values_of_others_are_text_and_nothing_else(open_page: Callable[..., Page], site: Site) -> None:
    for path in paths(site):
        page = open_page(path)
        assert page.title() != "taken"
        assert page.locator("[onerror], main img, main script, a[href^='javascript']").count() == 0
    page = open_page(f"/runs/{site.hostile}")
    for place in (".lead", ".diff .added >> nth=0", ".log", ".sides pre >> nth=0"):
        assert "<script>document.title='taken'</script>" in (page.locator(place).text_content() or ""), place


def test_what_the_service_did_is_there_without_a_script(open_page: Callable[..., Page]) -> None:
    page = open_page("/", java_script_enabled=False)
    page.get_by_role("link", name="release/1.2", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("opened")
    expect(page.get_by_role("heading", name="Evidence: proven: 1 case failed before, 0 after")).to_be_visible()
    expect(page.locator(".diff .added")).to_have_text("        self.entries = bytearray(slots * width)")
    log = page.locator(".log")
    for line in ("pick begun", "release/1.2: cherry-pick, exact", "publish done; the branch has ended"):
        expect(log).to_contain_text(line)
    page.get_by_role("link", name="release/1.0", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("not affected")


def test_the_board_joins_what_branches_lack_with_what_runs_came_to(open_page: Callable[..., Page]) -> None:
    page = open_page("/board?repository=acme/widget", java_script_enabled=False)
    original = page.locator("tr", has=page.get_by_role("link", name="#7", exact=True))
    cells = original.locator("td")
    expect(cells.nth(0)).to_contain_text("opened")
    expect(cells.nth(0)).to_contain_text("proven")
    expect(cells.nth(2)).to_contain_text("not affected")
    expect(page.locator("tr", has=page.get_by_role("link", name="#9", exact=True)).locator("td").first).to_contain_text(
        "missing"
    )
    cells.nth(0).get_by_role("link", name="run").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("#7 on release/1.2")


def test_the_board_shows_what_its_filters_name(open_page: Callable[..., Page]) -> None:
    page = open_page("/board?repository=a/b", java_script_enabled=False)
    form, names = page.get_by_role("search"), page.locator("tbody th[scope=row] > a")
    expect(names).to_have_text(["#13", "#6", "#5", "#4", "#3", "#2"])
    form.get_by_label("State").select_option("conflict")
    form.get_by_role("button", name="Show").click()
    expect(names).to_have_text(["#6"])
    form.get_by_label("State").select_option("missing")
    form.get_by_label("Missing for").fill("96")
    form.get_by_role("button", name="Show").click()
    expect(names).to_have_text(["#4", "#3"])
    form.get_by_label("Branch").select_option(BRANCH)
    form.get_by_role("button", name="Show").click()
    expect(names).to_have_text(["#3"])
    page.locator("summary").first.click()
    expect(page.locator("tbody li")).to_contain_text("the cherry-pick applies")


def test_the_health_of_each_repository_is_shown(open_page: Callable[..., Page], site: Site) -> None:
    SurveyRows(site.database).keep_problem(77, f"backport.yaml cannot be used. {HOSTILE}")
    page = open_page("/repositories", java_script_enabled=False)
    served, other = page.get_by_role("article").filter(has_text="acme/widget"), page.get_by_role("article").first
    expect(served).to_contain_text("well")
    expect(served).to_contain_text("1 under way")
    expect(served).to_contain_text("kB")
    expect(other).to_contain_text("not served any more")
    expect(other).to_contain_text("backport.yaml cannot be used. <script>")


def test_a_page_can_be_used_by_keyboard(open_page: Callable[..., Page]) -> None:
    page = open_page("/runs/3")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    way = page.locator("details", has_text="Ways that were tried")
    way.locator("summary").focus()
    page.keyboard.press("Space")
    expect(way.locator("li").first).to_be_visible()


def test_pages_beyond_the_limit_do_not_follow(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.server.pages.live._MOST_VIEWERS", 0)
    assert requests.get(f"{site.url}/events", timeout=60).status_code == 503


@pytest.mark.parametrize("path", ["/", "/runs/3", "/runs/999999", "/no/such/page", "/static/0/style.css"])
def test_each_answer_guards_itself(site: Site, path: str) -> None:
    answer = requests.get(site.url + path, timeout=60)
    assert answer.status_code in (200, 404)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cache-control"] == "private, no-store"


def test_an_open_page_follows_its_run(open_page: Callable[..., Page], site: Site) -> None:
    page, overview = open_page(f"/runs/{site.hostile}"), open_page("/")
    shown_run = overview.locator("tr", has=overview.locator(f"a[href='/runs/{site.hostile}']"))
    expect(shown_run).to_contain_text("waits to prove")
    RunLog(site.database, site.hostile, "prove").write("a line that comes while somebody looks")
    expect(page.locator(".log")).to_contain_text("a line that comes while somebody looks")
    row = Requests(site.database).find_run(site.hostile)
    assert row is not None
    with site.database.transaction() as connection:
        Requests(site.database).advance(connection, row, Step.PUBLISH, {})
    # There is no such branch on GitHub.
    expect(page.get_by_role("status")).to_contain_text("failed")
    expect(shown_run).to_contain_text("failed")

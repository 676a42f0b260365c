"""The pages in a real browser: what a person reads is there, and what a stranger wrote stays words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import unescape
from typing import Any
from urllib.parse import urljoin

import pytest
import requests
from github.Repository import Repository
from playwright.sync_api import Browser

from bot.fake_github import FakeGitHub
from tests.fake_github.conftest import NAME

HOSTILE = """<script>window.hacked = 1</script>
<img src=x onerror="window.hacked = 2">
<details open ontoggle="window.hacked = 3"><summary>fold</summary>inside</details>
[link](javascript:window.hacked=4)
<a href="javascript:window.hacked=5">link</a>
<svg onload="window.hacked=6"></svg><style>body { display: none }</style>
<iframe src="http://127.0.0.1:1/"></iframe><form action="/"><input name=q autofocus onfocus="window.hacked=7"></form>
"""
BODY = """Backport of #7 to `release/v1`.

| | before | after |
|---|---:|---:|
| past the end | **240** | 0 |

<details><summary>Redo by hand</summary>

```diff
-old
+new
```

</details>

> [!WARNING]
> Not merged yet.

<!-- hidden marker -->
"""
Branch = Callable[[str, str], str]


@pytest.fixture
def page(browser: Browser) -> Iterator[Any]:
    """Open an empty page that notes what goes wrong in it."""
    page = browser.new_page()
    yield page
    page.close()


@pytest.fixture
def backport(fake_github: FakeGitHub, original: int, bot: Repository, branch_from: Branch) -> str:
    """Open a pull request with everything on it and return its page."""
    sha = branch_from("backport/7", "release/v1")
    pull = bot.create_pull(title="[v1] <b>Size</b> it", body=BODY, head="backport/7", base="release/v1")
    pull.add_to_labels("backport")
    pull.create_issue_comment("Well done").create_reaction("rocket")
    output: dict[str, Any] = {"title": "12 of 12 pass", "summary": "All **good**"}
    bot.create_check_run("suite", sha, status="completed", conclusion="success", output=output)
    fake_github.seed_review_thread(NAME, pull.number, author="rev", path="added.py", line=1, body="Why two?")
    return f"{fake_github.url}/{NAME}/pull/{pull.number}"


@pytest.mark.browser
def test_pull_request_page_shows_all_that_a_reviewer_needs(page: Any, backport: str) -> None:
    page.goto(backport)
    assert page.locator("h1").inner_text() == "[v1] <b>Size</b> it #8"
    assert page.locator(".state").first.inner_text() == "Open"
    assert page.locator(".prose table td.right").all_inner_texts() == ["240", "0"]
    assert page.locator(".prose blockquote.warning strong").inner_text() == "Warning"
    assert page.get_by_text("hidden marker").count() == 0
    assert page.locator(".prose a", has_text="#7").get_attribute("href").endswith(f"/{NAME}/pull/7")
    assert page.locator(".reactions").inner_text().endswith("1")
    assert page.get_by_text("Why two?").is_visible()
    assert page.locator("#checks + ul").inner_text().count("12 of 12 pass") == 1
    assert page.locator("#files ~ details tr.added .text").all_inner_texts() == ["y = 2"]
    fold = page.locator(".prose details")
    assert not page.locator(".prose .added").is_visible()
    fold.locator("summary").click()
    assert page.locator(".prose .added").inner_text() == "+new"


@pytest.mark.browser
def test_file_of_a_diff_folds_without_a_script(page: Any, backport: str) -> None:
    page.goto(backport)
    file = page.locator("details.file")
    assert file.locator("table").is_visible()
    file.locator("summary").click()
    assert not file.locator("table").is_visible()


@pytest.mark.browser
def test_hostile_comment_does_nothing(page: Any, fake_github: FakeGitHub, original: int) -> None:
    fake_github.seed_comment(NAME, original, author="<script>eve", body=HOSTILE)
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url))
    page.goto(f"{fake_github.url}/{NAME}/pull/{original}")
    page.wait_for_timeout(200)
    assert page.evaluate("window.hacked") is None
    assert page.locator("body").is_visible()
    assert page.locator("main :is(script, iframe, form, style, svg)").count() == 0
    assert page.locator("main [onerror], main [ontoggle], main [href^=javascript]").count() == 0
    assert {url.split("/")[2] for url in urls} == {fake_github.url.removeprefix("http://")}


def test_every_link_of_the_repository_leads_to_a_page(fake_github: FakeGitHub, backport: str) -> None:
    queue, visited = [fake_github.url + "/", backport], set[str]()
    while queue:
        url = queue.pop().partition("#")[0]
        if url in visited or not url.startswith(fake_github.url):
            continue
        visited.add(url)
        answer = requests.get(url, timeout=60)
        assert answer.status_code == 200, url
        queue += [urljoin(url, unescape(link)) for link in re.findall(r'(?:href|src)="([^"]+)"', answer.text)]
    assert len(visited) >= 12


def test_no_page_may_run_or_load_anything_foreign(fake_github: FakeGitHub, backport: str) -> None:
    for url in (f"{fake_github.url}/", f"{fake_github.url}/{NAME}", backport, f"{fake_github.url}/nobody/nothing"):
        answer = requests.get(url, timeout=60)
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'; img-src 'self'")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "<script" not in answer.text


def test_private_repository_has_no_page(fake_github: FakeGitHub) -> None:
    fake_github.create_repository("acme/secret", private=True)
    assert requests.get(f"{fake_github.url}/acme/secret", timeout=60).status_code == 404
    assert "secret" not in requests.get(fake_github.url, timeout=60).text

"""Take the pictures of the README: `make pictures`. The bot serves a comment on the fake GitHub.

Needs Chromium, which shows the pages, and fonts with emoji.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import requests
from playwright.sync_api import Browser, FloatRect, sync_playwright

from bot.server.database import Database
from bot.server.embedded_postgres import embedded_postgres
from tests.conftest import chromium
from tests.documents.widget import BOT, REPOSITORY, Widget, start_widget
from tests.pipeline.office import write_history
from tests.server.site import running_site

IMAGES = Path(__file__).parents[2] / "docs/images"


def main() -> None:
    """Serve one comment, and write a picture of the answer and of a pull request."""
    with TemporaryDirectory() as directory, start_widget(Path(directory)) as widget:
        widget.comment("/backport all")
        _serve(widget, Path(directory))
        pulls = f"{widget.github.api_url}/repos/{REPOSITORY}/pulls?state=open&direction=asc"
        first = requests.get(pulls, timeout=60).json()[0]["html_url"]
        with sync_playwright() as playwright, chromium(playwright) as browser:
            _photograph(browser, widget.page, "comment.png", 1, 2)
            _photograph(browser, first, "pull-request.png", 0, 0)
            _photograph_service(browser)


def _photograph_service(browser: Browser) -> None:
    """Let a service answer one comment, and take pictures of its pages."""
    with TemporaryDirectory() as directory, embedded_postgres(Path(directory)) as address:
        Database(address).close()
        history = Path(directory, "history")
        history.mkdir()
        write_history(history)
        with running_site(history, Path(directory), address) as site:
            site.office.issue(7).create_comment("/backport release/1.0 release/1.1 release/1.2")
            site.settle()
            page = browser.new_page(viewport={"width": 1180, "height": 800}, device_scale_factor=1.5)
            for path, name in (("/board?repository=acme/widget&state=all", "board.png"), ("/runs/3", "run.png")):
                page.goto(site.url + path)
                page.screenshot(path=IMAGES / name, full_page=name == "board.png")


def _serve(widget: Widget, directory: Path) -> None:
    environment = os.environ | {"BACKPORT_BOT_TOKEN": widget.tokens[BOT], "GITHUB_API_URL": widget.github.api_url}
    command = [sys.executable, "-m", "bot", "reconcile", "--data", str(directory / "data")]
    subprocess.run(command, cwd=widget.clone, env=environment, check=True)


def _photograph(browser: Browser, url: str, name: str, first: int, last: int) -> None:
    """Take a picture of the comments of a page, from the first to the last by number."""
    page = browser.new_page(viewport={"width": 1180, "height": 900}, device_scale_factor=1.5)
    page.goto(url)
    boxes = [page.locator("article.bubble").nth(number).bounding_box() for number in (first, last)]
    top, bottom = boxes
    if top is None or bottom is None:
        raise LookupError(f"{url} has no such comments")
    area = FloatRect(x=top["x"], y=top["y"], width=top["width"], height=bottom["y"] + bottom["height"] - top["y"])
    page.screenshot(path=IMAGES / name, full_page=True, clip=area)


if __name__ == "__main__":
    main()

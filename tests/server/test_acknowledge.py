"""👀 does not wait for the requests before it."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from bot.commands.triggers import Trigger
from bot.handlers.backport import RunTargets
from bot.handlers.request_summary import RequestSummary
from bot.pipeline.context import RepositoryContext
from bot.server import serve_delivery
from bot.server.database import Database
from bot.server.deliveries import Deliveries
from bot.server.fence import Overtaken
from tests.pipeline.conftest import history, office
from tests.pipeline.office import BOT, REPOSITORY, Office
from tests.server.serving import SECRET, serving

__all__ = ["history", "office"]


def _signs(office: Office, comment_id: int) -> list[str]:
    return [
        reaction.content
        for reaction in office.issue(9).get_comment(comment_id).get_reactions()
        if reaction.user.login == BOT
    ]


def test_a_comment_is_seen_while_another_request_is_being_served(
    office: Office, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy, process = threading.Event(), threading.Event()

    def served_slowly(*_: object) -> RequestSummary:
        busy.set()
        process.wait(60)
        return RequestSummary()

    monkeypatch.setattr(serve_delivery, "serve", served_slowly)
    with serving(office, tmp_path / "data", database_url) as service:
        office.fake_github.add_webhook(REPOSITORY, service.url, SECRET, ["issue_comment"])
        office.issue(9).create_comment("/backport release/1.2")
        assert busy.wait(30)
        second = office.issue(9).create_comment("/backport release/1.1")
        thanks = office.issue(9).create_comment("I would /backport it.")
        office.fake_github.wait_for_deliveries()
        deadline = time.monotonic() + 30
        while not _signs(office, second.id) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert _signs(office, second.id) == ["eyes"]
        assert not process.is_set()
        assert _signs(office, thanks.id) == []
        process.set()


def test_a_process_that_slept_does_not_answer_beside_the_one_that_took_over(
    office: Office, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    overtaken, other_process = threading.Event(), Database(database_url)

    def served_too_late(_trigger: Trigger, context: RepositoryContext, _run: RunTargets) -> RequestSummary:
        Deliveries(other_process).fence(1)
        try:
            context.github.react(1, "rocket")
        except Overtaken:
            overtaken.set()
            raise
        return RequestSummary()

    monkeypatch.setattr(serve_delivery, "serve", served_too_late)
    with serving(office, tmp_path / "data", database_url) as service:
        office.fake_github.add_webhook(REPOSITORY, service.url, SECRET, ["issue_comment"])
        office.issue(9).create_comment("/backport release/1.2")
        assert overtaken.wait(60)
        assert service.deliveries.count_open() == 1
    other_process.close()

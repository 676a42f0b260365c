"""Faults in the middle of the work: what the service waits for, and what it says when waiting is of no use."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from bot.pipeline.run import RequestRun, Step
from bot.server import patience
from bot.server import worker as worker_module
from bot.server.service import Service
from tests.pipeline.conftest import history, office
from tests.pipeline.landing import unproven
from tests.pipeline.office import BOT, REPOSITORY, Office
from tests.server.serving import SECRET, serving

__all__ = ["history", "office"]

_PATIENCE = 120.0


class _Waiting(logging.Handler):
    """Notes that the service waits for something."""

    def __init__(self, word: str) -> None:
        super().__init__()
        self._word, self.begun = word, threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        if self._word in record.getMessage():
            self.begun.set()


@contextmanager
def waiting(word: str) -> Iterator[threading.Event]:
    """Yield an event that is set when a line of the service's log has a word."""
    handler = _Waiting(word)
    logging.getLogger("bot.server").addHandler(handler)
    yield handler.begun
    logging.getLogger("bot.server").removeHandler(handler)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "_PAUSE", 0.1)
    monkeypatch.setattr(patience, "_FIRST_PAUSE", timedelta(0))


def before(monkeypatch: pytest.MonkeyPatch, step: Step, act: Callable[[], None]) -> None:
    """Let something happen before a step is taken for the first time."""
    take, acted = RequestRun.take, threading.Event()

    def after_act(run: RequestRun, this: Step, *arguments: Any, **named: Any) -> Step | None:
        if this is step and not acted.is_set():
            acted.set()
            act()
        return take(run, this, *arguments, **named)

    monkeypatch.setattr(RequestRun, "take", after_act)


def ask(office: Office, service: Service) -> None:
    office.fake_github.add_webhook(REPOSITORY, service.url, SECRET, ["issue_comment"])
    office.issue(9).create_comment("/backport release/1.2")
    office.fake_github.wait_for_deliveries()


def _administer(address: str, *statements: str) -> None:
    parts = psycopg.conninfo.conninfo_to_dict(address)
    with psycopg.connect(psycopg.conninfo.make_conninfo(address, dbname="postgres"), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.format(name=parts["dbname"]).encode())


_END_SESSIONS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"


def test_a_database_that_refuses_in_the_middle_of_a_step_costs_nothing(
    office: Office, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with a full disk or a lock: no write succeeds, and open connections are lost."""

    def refuse() -> None:
        _administer(database_url, "ALTER DATABASE {name} SET default_transaction_read_only = on", _END_SESSIONS)

    def accept() -> None:
        _administer(database_url, "ALTER DATABASE {name} RESET default_transaction_read_only", _END_SESSIONS)

    before(monkeypatch, Step.PUBLISH, refuse)
    try:
        with (
            serving(unproven(office), tmp_path / "data", database_url) as service,
            waiting("so nothing was recorded. Trying again") as begun,
        ):
            ask(office, service)
            assert begun.wait(_PATIENCE)
            accept()
            assert service.wait_until_idle(_PATIENCE)
    finally:
        accept()
    (answer,) = office.answers(9)
    assert [pull.base.ref for pull in office.backports()] == ["release/1.2"]
    assert "failed" not in answer


def test_a_token_that_is_revoked_in_the_middle_and_comes_back_leaves_no_branch_under_way(
    office: Office, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = office.fake_github.world.tokens
    revoked: dict[str, Any] = {}

    def revoke() -> None:
        for secret in [secret for secret, token in tokens.items() if token.user.login == BOT]:
            revoked[secret] = tokens.pop(secret)

    before(monkeypatch, Step.PUBLISH, revoke)
    with (
        serving(unproven(office), tmp_path / "data", database_url) as service,
        waiting("401 Bad credentials. Trying again") as begun,
    ):
        ask(office, service)
        assert begun.wait(_PATIENCE)
        tokens.update(revoked)
        assert service.wait_until_idle(_PATIENCE)
    (answer,) = office.answers(9)
    assert [pull.base.ref for pull in office.backports()] == ["release/1.2"]
    assert "⏳" not in answer


def test_an_error_that_nobody_foresaw_ends_with_an_answer_that_leads_to_the_log(
    office: Office, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **_named: object) -> None:
        raise ZeroDivisionError("a fault of ours")

    monkeypatch.setattr(RequestRun, "take", fail)
    with serving(unproven(office), tmp_path / "data", database_url) as service:
        ask(office, service)
        assert service.wait_until_idle(_PATIENCE)
    (answer,) = office.answers(9)
    assert "An error in the bot itself (ZeroDivisionError) stopped the work on release/1.2." in answer
    assert "(run 1)" in answer
    assert "a fault of ours" not in answer
    assert office.reactions(9) == ["eyes", "confused"]


def test_a_status_that_cannot_be_shown_ends_with_an_answer_as_well(
    office: Office, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **_named: object) -> None:
        raise ZeroDivisionError("a fault of ours")

    with serving(unproven(office), tmp_path / "data", database_url) as service:
        monkeypatch.setattr("bot.server.take_step.StatusComment.show", fail)
        ask(office, service)
        assert service.wait_until_idle(_PATIENCE)
    (answer,) = office.answers(9)
    assert "(request 1)" in answer
    assert "⏳" not in answer

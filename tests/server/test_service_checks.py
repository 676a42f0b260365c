"""What `doctor --service` says of a service that is right, and of one that is not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.environment import credentials
from bot.environment.loopback import run_server
from bot.server.database import Database
from bot.server.deliveries import Deliveries
from bot.server.webhooks import webhook_app

_SECRET = "It's a Secret to Everybody"


def _examine(url: str, folder: Path, monkeypatch: pytest.MonkeyPatch, **variables: str) -> dict[str, dict[str, str]]:
    """Run the command in a folder that is no checkout; return what it says of the service, by subject."""
    monkeypatch.chdir(folder)
    for name in (*credentials.SECRETS, "GITHUB_REPOSITORY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    ran = CliRunner().invoke(app, ["doctor", "--service", url, "--json"], catch_exceptions=False)
    said = {line["subject"]: line for line in json.loads(ran.stdout)}
    assert ran.exit_code == int(any(line["health"] == "bad" for line in said.values()))
    return said


def test_a_service_that_is_right(
    database: Database, deliveries: Deliveries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = {"BACKPORT_BOT_SECRET": _SECRET, "BACKPORT_BOT_DATABASE": database.conninfo}
    with run_server(webhook_app(deliveries, secrets=[_SECRET])) as url:
        said = _examine(f"{url}/webhook", tmp_path, monkeypatch, **variables)
    assert {subject: said[subject]["health"] for subject in ("service", "database", "data")} == {
        "service": "good",
        "database": "good",
        "data": "good",
    }
    assert deliveries.count_open() == 0


@pytest.mark.parametrize(
    ("path", "secret", "fact"),
    [
        ("/webhook", "another secret", "refuses what is signed with this secret"),
        ("/webhook", "", "its secret was not tried"),
        ("/", _SECRET, "answers 404 to a signed ping"),
    ],
    ids=["wrong secret", "no secret", "wrong path"],
)
def test_a_service_that_does_not_take_deliveries(
    deliveries: Deliveries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, secret: str, fact: str
) -> None:
    with run_server(webhook_app(deliveries, secrets=[_SECRET])) as url:
        said = _examine(f"{url}{path}", tmp_path, monkeypatch, BACKPORT_BOT_SECRET=secret)
    assert fact in said["service"]["fact"]


def test_nothing_that_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address = "postgresql://127.0.0.1:9/none"
    said = _examine("http://127.0.0.1:9/webhook", tmp_path, monkeypatch, BACKPORT_BOT_DATABASE=address)
    assert (said["service"]["health"], said["database"]["health"]) == ("bad", "bad")


def test_tables_of_another_version_are_told(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.transaction() as connection:
        connection.execute("UPDATE backport_schema SET version = version + 1")
    try:
        said = _examine("http://127.0.0.1:9/webhook", tmp_path, monkeypatch, BACKPORT_BOT_DATABASE=database.conninfo)
    finally:
        with database.transaction() as connection:
            connection.execute("UPDATE backport_schema SET version = version - 1")
    assert "Its tables are of version" in said["database"]["fact"]
    assert said["database"]["health"] == "note"

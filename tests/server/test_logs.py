"""What stands in the log of the service, and what never does."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from structlog.contextvars import bound_contextvars

from bot.environment import credentials
from bot.environment.loopback import run_server
from bot.errors import GitHubError, Unavailable
from bot.server.database import Database
from bot.server.deliveries import Deliveries
from bot.server.logs import set_up_logs
from bot.server.refusals import Refusals
from bot.server.webhooks import webhook_app
from bot.server.worker import TryAgain
from tests.server.test_serve_delivery import _serve
from tests.server.test_webhooks import _SECRET, _headers, comment

Lines = Callable[[], list[dict[str, Any]]]
log = logging.getLogger("bot.server.test")
_SILENCE = Unavailable("GitHub answered 502.", hint="Try again.", http_status=502, request_id="C0FF:EE")


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lines]:
    """Log as the service does; return the lines so far."""
    root, own = logging.getLogger(), [logging.getLogger(name) for name in ("bot.server", "bot.pipeline")]
    before = root.handlers[:], root.level
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    set_up_logs(as_text=False)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:], root.level = before
    for logger in own:
        logger.setLevel(logging.NOTSET)


def test_a_line_has_its_time_level_and_what_it_is_about(lines: Lines) -> None:
    with bound_contextvars(delivery="72d3162e", step="pick"):
        log.warning("%s", _SILENCE)
    (line,) = lines()
    assert line.pop("time").endswith("Z")
    assert line == {
        "event": "GitHub answered 502.",
        "level": "warning",
        "logger": "bot.server.test",
        "delivery": "72d3162e",
        "step": "pick",
        "github_request": "C0FF:EE",
    }


def test_a_secret_stands_in_no_line_and_in_no_traceback(lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    pem = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAKC\n-----END RSA PRIVATE KEY-----"
    secrets = {"BACKPORT_BOT_SECRET": "a webhook's secret", "BACKPORT_BOT_PRIVATE_KEY": pem.replace("\n", "\\n")}
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
        credentials.take(name)
    jwt = f"eyJ{'a' * 30}.eyJ{'b' * 30}.{'c' * 30}"
    told = ["a webhook's secret", pem, pem.replace("\n", "\\n"), "ghs_" + "a" * 36, jwt, "postgresql://bot:pw@db/x"]
    try:
        raise GitHubError(" ".join(told), hint="Look.")
    except GitHubError:
        log.exception("It failed.", extra={"address": "https://x-access-token:pw@github.com"})
    text = json.dumps(lines())
    assert "It failed." in text
    for part in ("webhook's", "MIIEow", "IBAAKC", "ghs_", "eyJ", "pw@"):
        assert part not in text


def test_each_delivery_leaves_a_line_that_says_what_became_of_it(lines: Lines, deliveries: Deliveries) -> None:
    body, noise = comment(), b'{"action": "created"}'
    with run_server(webhook_app(deliveries, secrets=[_SECRET])) as url:
        wrong_signature = {**_headers(body), "X-Hub-Signature-256": "sha256=" + "0" * 64}
        for data, headers in ((body, _headers(body)), (noise, _headers(noise)), *[(body, wrong_signature)] * 3):
            requests.post(f"{url}/webhook", data=data, headers=headers, timeout=30)
    told = [{name: line.get(name) for name in ("event", "delivery", "repository", "status")} for line in lines()]
    assert told == [
        {"event": "A delivery was accepted.", "delivery": "72d3162e", "repository": "acme/widget", "status": None},
        {"event": "A delivery asks for nothing.", "delivery": "72d3162e", "repository": None, "status": None},
        {
            "event": "A delivery was refused: signature does not match the webhook secret.",
            "delivery": "72d3162e",
            "repository": None,
            "status": 401,
        },
    ]


def test_refusals_are_counted_and_told_once_a_minute(lines: Lines) -> None:
    moment = 0.0
    refusals = Refusals(clock=lambda: moment)
    for _ in range(1000):
        refusals.log(401, "signature does not match the webhook secret")
    refusals.log(413, "payload too large")
    moment = 60.0
    refusals.log(401, "signature does not match the webhook secret")
    assert [(line["status"], line["not_logged"]) for line in lines()] == [(401, 0), (413, 0), (401, 999)]


def test_a_delivery_that_waits_for_github_says_so_with_githubs_number(lines: Lines, database: Database) -> None:
    with pytest.raises(TryAgain):
        _serve(database, _SILENCE)
    (line,) = lines()
    assert line["event"] == "GitHub answered 502. Trying again."
    assert (line["repository"], line["pull_request"]) == ("Acme/widget", 7)
    assert line["github_request"] == "C0FF:EE"

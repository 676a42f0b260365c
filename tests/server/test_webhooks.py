"""The webhook endpoint, asked as GitHub asks it and as GitHub never would."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from bot.environment.loopback import run_server
from bot.server import webhooks as app_module
from bot.server.database import Database
from bot.server.deliveries import Deliveries
from bot.server.payload import LARGEST_BODY
from bot.server.webhooks import signature_of, webhook_app

_SECRET = "It's a Secret to Everybody"


def comment(number: int = 1, **more: Any) -> bytes:
    """Return the body of a delivery that asks for work."""
    return json.dumps(
        {
            "action": "created",
            "repository": {"full_name": "acme/widget"},
            "issue": {"number": 7, "pull_request": {"url": "x"}},
            "comment": {"id": number, "user": {"login": "mia", "type": "User"}, "body": "/backport release/1.2"},
            **more,
        }
    ).encode()


def labelled(label: str, updated_at: str) -> bytes:
    """Return the body of a delivery that tells of a label on a pull request."""
    pull = {"number": 7, "merged": True, "updated_at": updated_at}
    repository = {"full_name": "acme/widget"}
    sender = {"login": "mia", "type": "User"}
    label_json = {"name": label}
    about_values = {
        "action": "labeled",
        "pull_request": pull,
        "repository": repository,
        "sender": sender,
        "label": label_json,
    }
    return json.dumps(about_values).encode()


def _headers(body: bytes, **changed: str) -> dict[str, str]:
    return {
        "X-GitHub-Delivery": "72d3162e",
        "X-GitHub-Event": "issue_comment",
        "X-Hub-Signature-256": signature_of(_SECRET, body),
    } | changed


def _post(deliveries: Deliveries, body: bytes, headers: dict[str, str]) -> tuple[int, int]:
    before = deliveries.count_open()
    with run_server(webhook_app(deliveries, secrets=[_SECRET])) as url:
        answer = requests.post(f"{url}/webhook", data=body, headers=headers, timeout=30)
    return answer.status_code, deliveries.count_open() - before


def _deliver(deliveries: Deliveries, body: bytes, **changed: str) -> tuple[int, int]:
    return _post(deliveries, body, _headers(body, **changed))


def test_the_signature_is_githubs() -> None:
    """GitHub documents this secret, body and result for checking an implementation."""
    assert signature_of("It's a Secret to Everybody", b"Hello, World!") == (
        "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    )


def test_a_signed_delivery_is_recorded_before_the_answer(deliveries: Deliveries) -> None:
    assert _deliver(deliveries, comment()) == (202, 1)
    assert deliveries.count_open() == 1


def test_a_delivery_that_asks_for_nothing_is_not_kept(deliveries: Deliveries) -> None:
    assert _deliver(deliveries, b'{"action": "created"}') == (200, 0)
    assert deliveries.count_open() == 0


def test_a_redelivery_is_not_recorded_again(deliveries: Deliveries) -> None:
    _deliver(deliveries, comment())
    assert _deliver(deliveries, comment()) == (200, 0)


def test_the_same_comment_under_another_id_is_worked_on_once(deliveries: Deliveries) -> None:
    """The id is not signed, and an App's webhook tells of the same comment in a body that says more."""
    assert _deliver(deliveries, comment(1)) == (202, 1)
    assert _deliver(deliveries, comment(1), **{"X-GitHub-Delivery": "another"}) == (200, 0)
    told_by_an_app = comment(1, installation={"id": 5})
    assert _deliver(deliveries, told_by_an_app, **{"X-GitHub-Delivery": "of-the-app"}) == (200, 0)
    assert _deliver(deliveries, comment(2), **{"X-GitHub-Delivery": "the-next-comment"}) == (202, 1)
    assert deliveries.count_open() == 2


def test_a_label_that_is_put_on_again_asks_again(deliveries: Deliveries) -> None:
    def put_on(moment: str, delivery: str) -> tuple[int, int]:
        body = labelled("backport release/1.2", moment)
        return _deliver(deliveries, body, **{"X-GitHub-Event": "pull_request", "X-GitHub-Delivery": delivery})

    assert put_on("2026-01-01T00:00:00Z", "a") == (202, 1)
    assert put_on("2026-01-01T00:00:00Z", "b") == (200, 0)
    assert put_on("2026-01-01T00:05:00Z", "c") == (202, 1)


@pytest.mark.parametrize(
    ("body", "changed", "status"),
    [
        pytest.param(comment(), {"X-Hub-Signature-256": "sha256=00"}, 401, id="wrong signature"),
        pytest.param(comment(), {"X-Hub-Signature-256": ""}, 401, id="no signature"),
        pytest.param(comment(), {"X-Hub-Signature-256": "sha256=\xe9"}, 401, id="signature that is not ASCII"),
        pytest.param(b"payload=%7B%7D", {}, 400, id="form encoded"),
        pytest.param(b"", {}, 400, id="empty"),
        pytest.param(b"[]", {}, 400, id="not an object"),
        pytest.param(comment(), {"X-GitHub-Delivery": ""}, 400, id="no delivery id"),
        pytest.param(comment(), {"X-GitHub-Delivery": "x" * 5000}, 400, id="delivery id without end"),
        pytest.param(comment(), {"X-GitHub-Event": "Comment!"}, 400, id="no event's name"),
    ],
)
def test_what_is_not_a_delivery_is_refused(
    deliveries: Deliveries, body: bytes, changed: dict[str, str], status: int
) -> None:
    headers = {name: value.encode("latin-1") for name, value in _headers(body, **changed).items()}
    assert _post(deliveries, body, headers) == (status, 0)  # type: ignore[arg-type]
    assert deliveries.count_open() == 0


@pytest.mark.parametrize(
    "odd_bytes",
    [
        pytest.param(b"[" * 100_000 + b"]" * 100_000, id="deeper than Python's stack"),
        pytest.param(b"[" * 900 + b"]" * 900, id="deeper than GitHub's, within Python's stack"),
        pytest.param(b'{"a":' * 300 + b"1" + b"}" * 300, id="objects in objects"),
        pytest.param(b"NaN", id="NaN"),
        pytest.param(b"-Infinity", id="Infinity"),
        pytest.param(b"1e999", id="a number beyond all bounds"),
        pytest.param(b"9" * 5000, id="a number of 5,000 digits"),
        pytest.param(b'"\\ud800"', id="half a surrogate pair"),
        pytest.param(b'{"\\ud800": 1}', id="half a surrogate pair as a name"),
        pytest.param(b'"\xff"', id="not UTF-8"),
        pytest.param(b'{"a": 1, "a": 2}', id="a name twice"),
    ],
)
def test_json_that_github_does_not_send_is_refused(deliveries: Deliveries, odd_bytes: bytes) -> None:
    body = comment()[:-1] + b', "odd": ' + odd_bytes + b"}"
    assert _deliver(deliveries, body) == (400, 0)
    assert _deliver(deliveries, comment().decode().encode("utf-16")) == (400, 0)
    assert deliveries.count_open() == 0


@pytest.mark.parametrize("stated", [True, False], ids=["of a stated length", "in chunks"])
def test_a_body_larger_than_github_s_limit_is_refused_while_it_comes(deliveries: Deliveries, stated: bool) -> None:
    body = b"x" * (LARGEST_BODY + 1)
    sent = 0

    def chunks() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(1000):
            sent += len(body) // 10
            yield body[: len(body) // 10]

    with run_server(webhook_app(deliveries, secrets=[_SECRET])) as url:
        headers = _headers(b"", **{"X-Hub-Signature-256": signature_of(_SECRET, body)})
        try:
            answer = requests.post(f"{url}/webhook", data=body if stated else chunks(), headers=headers, timeout=30)
        except requests.ConnectionError:
            status = 413  # the server has closed the connection, which a client that only writes sees first
        else:
            status = answer.status_code
        assert requests.get(f"{url}/health", timeout=30).text == "ok, 0 waiting"
    assert status == 413
    assert sent < 100 * len(body) // 10


def test_what_all_bodies_together_hold_is_bounded(deliveries: Deliveries, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app_module, "_MOST_IN_MEMORY", 10)
    assert _deliver(deliveries, comment()) == (503, 0)
    monkeypatch.undo()
    assert _deliver(deliveries, comment()) == (202, 1)


def test_the_earlier_secret_is_believed_as_long_as_it_is_given(deliveries: Deliveries) -> None:
    body, other = comment(1), comment(2)
    with run_server(webhook_app(deliveries, secrets=["the next one", _SECRET])) as url:
        for payload, secret, status in ((body, _SECRET, 202), (other, "the next one", 202), (body, "third", 401)):
            headers = _headers(payload, **{"X-Hub-Signature-256": signature_of(secret, payload)})
            assert requests.post(f"{url}/webhook", data=payload, headers=headers, timeout=30).status_code == status
    assert deliveries.count_open() == 2


def test_a_delivery_that_the_database_does_not_take_is_refused_and_can_be_redelivered(
    database: Database, deliveries: Deliveries
) -> None:
    with database.transaction() as connection:
        connection.execute("ALTER TABLE backport_delivery RENAME TO away")
    try:
        with run_server(webhook_app(deliveries, secrets=[_SECRET])) as url:
            answer = requests.post(f"{url}/webhook", data=comment(), headers=_headers(comment()), timeout=30)
            assert (answer.status_code, requests.get(f"{url}/health", timeout=30).status_code) == (503, 503)
    finally:
        with database.transaction() as connection:
            connection.execute("ALTER TABLE away RENAME TO backport_delivery")
    assert _deliver(deliveries, comment()) == (202, 1)

"""The webhook endpoint, asked as GitHub asks it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from bot.loopback import serving
from bot.service.app import signature_of, webhook_app
from bot.service.journal import Journal

_SECRET = "It's a Secret to Everybody"


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal(tmp_path / "journal.sqlite")
    yield opened
    opened.close()


def _headers(body: bytes, **changed: str) -> dict[str, str]:
    return {
        "X-GitHub-Delivery": "72d3162e",
        "X-GitHub-Event": "issue_comment",
        "X-Hub-Signature-256": signature_of(_SECRET, body),
    } | changed


def _post(journal: Journal, body: bytes, headers: dict[str, str]) -> tuple[int, int]:
    woken: list[bool] = []
    with serving(webhook_app(journal, secret=_SECRET, accepted=lambda: woken.append(True))) as url:
        answer = requests.post(f"{url}/webhook", data=body, headers=headers, timeout=10)
    return answer.status_code, len(woken)


def test_the_signature_is_githubs() -> None:
    """GitHub documents this secret, body and result for checking an implementation."""
    assert signature_of("It's a Secret to Everybody", b"Hello, World!") == (
        "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    )


def test_a_signed_delivery_is_recorded_before_the_answer(journal: Journal) -> None:
    assert _post(journal, b'{"action": "created"}', _headers(b'{"action": "created"}')) == (202, 1)
    assert journal.waiting() == 1


def test_a_redelivery_does_not_wake_the_worker(journal: Journal) -> None:
    _post(journal, b"{}", _headers(b"{}"))
    assert _post(journal, b"{}", _headers(b"{}")) == (200, 0)


@pytest.mark.parametrize(
    ("body", "changed", "status"),
    [
        pytest.param(b"{}", {"X-Hub-Signature-256": "sha256=00"}, 401, id="wrong signature"),
        pytest.param(b"{}", {"X-Hub-Signature-256": ""}, 401, id="no signature"),
        pytest.param(b"{}", {"X-Hub-Signature-256": "sha256=\xe9"}, 401, id="signature that is not ASCII"),
        pytest.param(b"payload=%7B%7D", {}, 400, id="form encoded"),
        pytest.param(b"[]", {}, 400, id="not an object"),
        pytest.param(b"{}", {"X-GitHub-Delivery": ""}, 400, id="no delivery id"),
    ],
)
def test_what_is_not_a_delivery_is_refused(journal: Journal, body: bytes, changed: dict[str, str], status: int) -> None:
    headers = {name: value.encode("latin-1") for name, value in _headers(body, **changed).items()}
    assert _post(journal, body, headers) == (status, 0)  # type: ignore[arg-type]
    assert journal.waiting() == 0

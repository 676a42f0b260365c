"""What one backport asks of GitHub: no pull request is read twice, and nothing that an answer has said already."""

from __future__ import annotations

from collections import Counter

from bot.models import Opened
from tests.pipeline.office import BOT, Office

_API = "/api/"


def test_a_backport_reads_no_pull_request_twice(office: Office) -> None:
    before = len(office.fake_github.requests())
    (result,) = office.say("/backport release/1.2")
    assert isinstance(result, Opened)
    requests_by_kind = Counter(
        (request.method, request.path.removeprefix("/api/v3/repos/acme/widget"))
        for request in office.fake_github.requests()[before:]
        if request.login == BOT and request.path.startswith(_API)
    )
    assert requests_by_kind["GET", "/pulls/7"] == 1
    assert requests_by_kind["GET", "/pulls/7/commits"] == 0
    assert requests_by_kind["GET", f"/pulls/{result.pull_request.number}"] == 0
    assert requests_by_kind.total() <= 29, requests_by_kind

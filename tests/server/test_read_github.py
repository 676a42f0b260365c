"""Requests whose webhook was lost: the service finds them itself."""

from __future__ import annotations

from pathlib import Path

from bot.models import TargetOutcome
from tests.pipeline.conftest import history, office
from tests.pipeline.landing import unproven
from tests.pipeline.office import Office
from tests.server.serving import serving

__all__ = ["history", "office"]


def test_what_was_asked_while_nothing_listened_is_served_once(
    office: Office, tmp_path: Path, database_url: str
) -> None:
    office = unproven(office)
    office.issue(9).create_comment("/backport release/1.2")
    results: list[tuple[TargetOutcome, ...]] = []
    for _ in range(2):
        with serving(office, tmp_path / "data", database_url, on_results=results.append, reads_github=True) as service:
            assert service.wait_until_idle(300)
    assert [[outcome.status for outcome in outcomes] for outcomes in results] == [["opened"]]
    assert len(office.answers(9)) == 1

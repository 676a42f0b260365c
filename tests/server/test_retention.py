"""What is deleted after its time, and what never is."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.server import retention
from bot.server.database import Database
from bot.server.deliveries import Deliveries
from bot.server.fence import Fence
from bot.server.requests import Requests
from bot.server.retention import Keeper, Retention
from bot.server.run_log import RunLog
from tests.server.test_deliveries import new
from tests.server.test_requests import TARGETS, record

_TABLES = ("backport_request", "backport_run", "backport_log", "backport_delivery", "backport_fence")


def _rows(database: Database) -> dict[str, int]:
    with database.transaction() as connection:
        return {
            table: (connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone() or (0,))[0]  # noqa: S608
            for table in _TABLES
        }


def _leave_a_day(database: Database, requests: Requests, deliveries: Deliveries, day: int) -> None:
    """Leave what seven requests and deliveries leave, and let a day pass."""
    for position in range(7):
        number = record(requests, TARGETS[:2], key=f"comment-{day}-{position}")
        deliveries.accept(new(f"{day} {position}"))
        (first, _) = requests.load(number)[1]
        Fence(database, first.name, f"show-request {number}", "a branch")
        RunLog(database, first.id, "pick").write("picked")
    with database.transaction() as connection:
        for statement in (
            "UPDATE backport_run SET objects = 'x', difference = 'd' WHERE id % 2 = 0 AND ending IS NULL",
            "UPDATE backport_run SET ending = 'opened'",
            "UPDATE backport_request SET ended_at = now() WHERE ended_at IS NULL",
            "UPDATE backport_delivery SET ended_at = now() WHERE ended_at IS NULL",
            "UPDATE backport_request SET ended_at = ended_at - interval '1 day'",
            "UPDATE backport_delivery SET ended_at = ended_at - interval '1 day'",
            "UPDATE backport_log SET written_at = written_at - interval '1 day'",
            "DELETE FROM procrastinate_jobs",
        ):
            connection.execute(statement.encode())


def test_the_tables_stay_as_large_as_what_is_kept(
    database: Database, deliveries: Deliveries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_BATCH", 3)
    requests, rows = Requests(database), {}
    days = dict(zip(("runs", "details", "deliveries"), (4, 2, 3), strict=True))
    keeper = Keeper(database, Retention(**{name: timedelta(days=count) for name, count in days.items()}))
    for day in range(8):
        _leave_a_day(database, requests, deliveries, day)
        keeper.drop_old()
        rows[day] = _rows(database)
    assert rows[7] == rows[6] == rows[5]
    kept = 7 * days["runs"]
    assert rows[7]["backport_run"] == 2 * rows[7]["backport_request"] == 2 * (kept - 7)
    assert rows[7]["backport_fence"] == 2 * rows[7]["backport_request"] + 1, "a branch's number is kept for ever"
    with database.transaction() as connection:
        heavy = connection.execute("SELECT count(*) FROM backport_run WHERE objects IS NOT NULL").fetchone()
    assert heavy == (7 * (days["details"] - 1),)


def test_what_is_open_and_what_is_young_is_kept(database: Database, deliveries: Deliveries) -> None:
    record(Requests(database))
    deliveries.accept(new())
    with database.transaction() as connection:
        connection.execute("UPDATE backport_delivery SET received_at = now() - interval '1 year'")
        connection.execute("UPDATE backport_request SET recorded_at = now() - interval '100 days'")
    before = _rows(database)
    assert set(Keeper(database, Retention()).drop_old().values()) == {0}
    assert _rows(database) == before

"""Deliveries on a real PostgreSQL."""

from __future__ import annotations

import psycopg
import pytest

from bot.commands.triggers import ChangeTrigger, CommentTrigger, LabelTrigger, MergeTrigger, Trigger
from bot.server.database import Database
from bot.server.deliveries import Deliveries, NewDelivery


def comment(number: int = 1, *, on: int = 7, body: str = "/backport release/1.2") -> CommentTrigger:
    return CommentTrigger(repository="Acme/widget", pull_request=on, comment_id=number, author="mia", body=body)


def new(key: str = "comment 1", name: str = "one", trigger: Trigger | None = None) -> NewDelivery:
    return NewDelivery(name=name, key=key, trigger=trigger or comment(), repository_id=5)


def jobs(database: Database) -> list[tuple[str, str, int]]:
    """Return task, lock and delivery of the jobs that wait, in the order in which they are taken."""
    statement = """
        SELECT task_name, lock, (args ->> 'delivery')::int FROM procrastinate_jobs
        WHERE status = 'todo' AND queue_name = 'requests' ORDER BY priority DESC, id
    """
    with database.transaction() as connection:
        return connection.execute(statement).fetchall()


@pytest.mark.parametrize(
    "trigger",
    [
        comment(body='"quoted" \0 \ud800 ü'),
        LabelTrigger(repository="a/b", pull_request=7, label="backport x", sender="mia", merged=True),
        MergeTrigger(repository="a/b", pull_request=7, sender="mia", labels=("a", "b")),
        ChangeTrigger(repository="a/b", pull_request=7),
    ],
    ids=lambda trigger: type(trigger).__name__,
)
def test_what_was_accepted_is_read_back(deliveries: Deliveries, database: Database, trigger: Trigger) -> None:
    assert deliveries.accept(new(trigger=trigger))
    ((_, _, number),) = jobs(database)
    delivery = deliveries.find_open(number)
    assert delivery is not None
    assert (delivery.name, delivery.trigger, delivery.repository_id) == ("one", trigger, 5)


def test_repositories_take_turns_and_one_pull_request_keeps_its_order(
    deliveries: Deliveries, database: Database
) -> None:
    for number in (1, 2, 3):
        deliveries.accept(new(f"comment {number}", trigger=comment(number)))
    other = CommentTrigger(repository="acme/gadget", pull_request=7, comment_id=4, author="mia", body="/backport b")
    deliveries.accept(new("comment 4", trigger=other))
    assert [number for _, _, number in jobs(database)] == [1, 4, 2, 3]
    with database.transaction() as connection:
        connection.execute("DELETE FROM procrastinate_jobs WHERE args ->> 'delivery' IN ('1', '2')")
    deliveries.accept(new("comment 5", trigger=comment(5)))
    assert [number for _, _, number in jobs(database)] == [4, 3, 5]


def test_a_redelivery_and_the_same_work_under_another_name_are_known(
    deliveries: Deliveries, database: Database
) -> None:
    assert deliveries.accept(new())
    assert not deliveries.accept(new())
    assert not deliveries.accept(new(name="two"))
    ((_, _, number),) = jobs(database)
    deliveries.end(number)
    assert not deliveries.accept(new(name="three"))
    assert deliveries.accept(new(key="comment 2", name="four"))
    assert deliveries.count_open() == 1


def test_of_what_is_done_only_the_key_is_kept(deliveries: Deliveries, database: Database) -> None:
    deliveries.accept(new())
    ((_, _, number),) = jobs(database)
    deliveries.end(number)
    assert deliveries.find_open(number) is None
    with database.transaction() as connection:
        assert connection.execute("SELECT trigger FROM backport_delivery").fetchone() == (None,)


def test_work_that_failed_says_why_and_is_taken_up_again(deliveries: Deliveries, database: Database) -> None:
    deliveries.accept(new())
    ((_, _, number),) = jobs(database)
    deliveries.end(number, "the mirror is gone")
    assert deliveries.problems() == ("the mirror is gone",)
    assert deliveries.accept(new(name="again"))
    assert deliveries.find_open(number) is not None
    assert deliveries.problems() == ()


def test_the_jobs_of_one_pull_request_share_a_lock(deliveries: Deliveries, database: Database) -> None:
    deliveries.accept(new("a", trigger=comment(1, on=7)))
    deliveries.accept(new("b", trigger=ChangeTrigger(repository="acme/Widget", pull_request=7)))
    deliveries.accept(new("c", trigger=comment(2, on=9)))
    first, second, other = (lock for _, lock, _ in jobs(database))
    assert first == second != other


def test_a_delivery_whose_job_was_lost_gets_another(deliveries: Deliveries, database: Database) -> None:
    deliveries.accept(new("a"))
    deliveries.accept(new("b"))
    ended, waiting = (number for _, _, number in jobs(database))
    deliveries.end(ended)
    with database.transaction() as connection:
        connection.execute("DELETE FROM procrastinate_jobs")
    for _ in range(2):
        deliveries.defer_lost()
        assert [number for _, _, number in jobs(database)] == [waiting]


def test_a_delivery_and_its_job_are_recorded_together_or_not_at_all(deliveries: Deliveries, database: Database) -> None:
    with database.transaction() as connection:
        connection.execute("ALTER TABLE procrastinate_jobs ADD CONSTRAINT nothing CHECK (queue_name <> 'requests')")
    try:
        with pytest.raises(psycopg.Error):
            deliveries.accept(new())
        assert deliveries.count_open() == 0
    finally:
        with database.transaction() as connection:
            connection.execute("ALTER TABLE procrastinate_jobs DROP CONSTRAINT nothing")

"""What becomes of a delivery whose work does not come to its end."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta

import pytest

from bot.errors import FetchFailed, GitError, RateLimited, Unavailable
from bot.pipeline.context import RepositoryContext
from bot.proof.run_isolated import RunsEnded
from bot.server.database import Database
from bot.server.deliveries import Deliveries
from bot.server.patience import BREAKDOWNS, FETCHES
from bot.server.repositories import Repositories, RepositorySource
from bot.server.requests import Requests
from bot.server.serve_delivery import DeliveryServer
from bot.server.worker import TryAgain
from tests.server.test_deliveries import new

_LATER = datetime.now(UTC) + timedelta(hours=1)


def _serve(database: Database, *errors: BaseException, attempts: int = 0) -> None:
    """Serve a delivery while nothing works: the repository cannot be opened for each of these reasons in turn."""
    reasons, deliveries = iter(errors), Deliveries(database)

    def open_context() -> AbstractContextManager[RepositoryContext]:
        raise next(reasons)

    deliveries.accept(new())
    source = RepositorySource(open=lambda _served: open_context(), names=["acme/widget"])
    repositories = Repositories(database, source)
    server = DeliveryServer(deliveries, Requests(database), repositories, lambda _results: None)
    for _ in errors:
        server.serve(attempts, delivery=1)


def test_a_github_that_does_not_answer_is_waited_for(deliveries: Deliveries, database: Database) -> None:
    with pytest.raises(TryAgain):
        _serve(database, Unavailable("GitHub answered 502.", hint="Try again."))
    assert deliveries.count_open() == 1
    assert deliveries.problems() == ()


@pytest.mark.parametrize("attempts", [0, 10_000])
def test_the_pauses_grow_up_to_ten_minutes(deliveries: Deliveries, database: Database, attempts: int) -> None:
    before = datetime.now(UTC)
    with pytest.raises(TryAgain) as caught:
        _serve(database, Unavailable("GitHub answered 502.", hint="Try again."), attempts=attempts)
    pause = caught.value.at - before
    assert timedelta(seconds=9) < pause < timedelta(minutes=2) if attempts == 0 else pause > timedelta(minutes=9)


def test_a_rate_limit_is_waited_for_until_it_is_over(deliveries: Deliveries, database: Database) -> None:
    with pytest.raises(TryAgain) as caught:
        _serve(database, RateLimited("Too many requests.", hint="Wait.", retry_at=_LATER))
    assert caught.value.at == _LATER


def test_an_outage_of_a_day_is_given_up(deliveries: Deliveries, database: Database) -> None:
    deliveries.accept(new())
    with database.transaction() as connection:
        connection.execute("UPDATE backport_delivery SET received_at = now() - interval '25 hours'")
    _serve(database, Unavailable("GitHub answered 502.", hint="Try again."))
    assert deliveries.problems() == ("GitHub answered 502.",)


def test_a_delivery_that_kills_its_process_again_and_again_is_given_up(
    deliveries: Deliveries, database: Database
) -> None:
    for _ in range(10):
        deliveries.fence(1).__enter__()  # as a process that is killed leaves it
    _serve(database, Unavailable("The reply cannot be written either.", hint="Try again."))
    (problem,) = deliveries.problems()
    assert "ended 10 times" in problem


def test_a_fetch_is_tried_again_for_half_an_hour(deliveries: Deliveries, database: Database) -> None:
    error = FetchFailed("The branches could not be listed.", hint="Check the network.")
    with pytest.raises(TryAgain):
        _serve(database, error, attempts=FETCHES - 1)
    _serve(database, error, error, attempts=FETCHES)
    assert deliveries.problems() == ("The branches could not be listed.",)


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (GitError("The mirror is gone.", hint="Clone it again."), "The mirror is gone."),
        (ZeroDivisionError("a fault of ours"), "ZeroDivisionError: a fault of ours"),
    ],
)
def test_an_error_ends_a_delivery_and_is_kept(
    deliveries: Deliveries, database: Database, error: Exception, problem: str
) -> None:
    _serve(database, error, error, attempts=BREAKDOWNS)
    assert (deliveries.count_open(), deliveries.problems()) == (0, (problem,))


def test_what_the_end_of_the_bot_interrupted_is_kept_for_the_next_start(
    deliveries: Deliveries, database: Database
) -> None:
    """A suite that was ended with the bot is no verdict, so the delivery is neither ended nor tried again now."""
    _serve(database, RunsEnded())
    assert (deliveries.count_open(), deliveries.problems()) == (1, ())


def test_a_delivery_that_has_ended_is_not_served_again(deliveries: Deliveries, database: Database) -> None:
    _serve(database, ZeroDivisionError("a fault of ours"), ZeroDivisionError("another"), attempts=BREAKDOWNS)
    assert deliveries.problems() == ("ZeroDivisionError: a fault of ours",)

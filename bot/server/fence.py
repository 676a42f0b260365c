"""Keeps a process that was thought dead from acting beside the one that took over its work.

Whoever takes a step takes a number for each thing that the step may change. A higher number ends what a lower one does:
the next record or outside effect of the process with the lower number is refused.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Self, TypeVar

import psycopg
from psycopg import Connection

from bot.git.connection import Connection as GitConnection
from bot.pipeline.context import RepositoryContext
from bot.server.database import Database, recording

T = TypeVar("T")


class Overtaken(BaseException):
    """Another process took over this work. It says nothing about the work, so no `except Exception` may record it."""


class Fence:
    """The numbers that one step holds. The first thing is the step's own.

    `with fence:` is the step. A process that ends in the middle of one leaves a loss, which the next to take the thing
    finds in `losses`; a step that comes to any end of its own takes them away.
    """

    def __init__(self, database: Database, *things: str) -> None:
        """Take the next number of each thing."""
        statement = """
            INSERT INTO backport_fence AS fence VALUES (%s, 1)
            ON CONFLICT (thing) DO UPDATE SET number = fence.number + 1 RETURNING number
        """
        self._database, self._own = database, things[:1]
        self._numbers: dict[str, int] = {}
        self.losses = 0
        with recording(), database.transaction() as connection:
            for thing in sorted(things):  # in one order, so that two processes never wait for each other
                row = connection.execute(statement, (thing,)).fetchone()
                self._numbers[thing] = row[0] if row else 0

    def __enter__(self) -> Self:
        """Count this step as lost until its end."""
        statement = "UPDATE backport_fence SET losses = losses + 1 WHERE thing = ANY(%s) RETURNING losses - 1"
        with recording(), self._database.transaction() as connection:
            self.hold(connection)
            row = connection.execute(statement, (list(self._own),)).fetchone()
        self.losses = row[0] if row else 0
        return self

    def __exit__(self, *_: object) -> None:
        """Take the losses away, unless another step has taken a number meanwhile."""
        statement = "UPDATE backport_fence SET losses = 0 WHERE thing = ANY(%s)"
        with suppress(psycopg.Error, Overtaken), self._database.transaction() as connection:
            self.hold(connection)
            connection.execute(statement, (list(self._own),))

    def check(self) -> None:
        """Raise Overtaken if another step has taken a number of any of the things since."""
        with recording(), self._database.transaction() as connection:
            self.hold(connection)

    def hold(self, connection: Connection) -> None:
        """Check, and let nobody take a number until the connection's transaction has ended."""
        statement = "SELECT thing, number FROM backport_fence WHERE thing = ANY(%s) ORDER BY thing FOR SHARE"
        rows: list[tuple[str, int]] = connection.execute(statement, (list(self._numbers),)).fetchall()
        if dict(rows) != self._numbers:
            raise Overtaken


@contextmanager
def fenced(context: RepositoryContext, fence: Fence) -> Iterator[RepositoryContext]:
    """Yield the context; meanwhile the fence is checked directly before each request, and before git talks to a remote.

    Not before each call of the client: a process may sleep between the look for a comment and the writing of it.
    """
    contexts = (context, *context.other_repositories.values())
    clients = [client for one in contexts for client in (one.github, one.home) if client is not None]
    remotes = [remote.connection for one in contexts for remote in (one.mirror, one.fork) if remote is not None]
    with ExitStack() as stack:
        for client in _distinct(clients):
            stack.enter_context(client.checking_first(fence.check))
        for connection in _distinct(remotes):
            stack.enter_context(_check_last(connection, fence))
        yield context


def _distinct(things: Iterable[T]) -> Collection[T]:
    return {id(thing): thing for thing in things}.values()


@contextmanager
def _check_last(connection: GitConnection, fence: Fence) -> Iterator[None]:
    token = connection.token

    def checked_token() -> str:
        value = token() if callable(token) else token or ""  # a new one may have to be waited for
        fence.check()
        return value

    connection.token = checked_token
    try:
        yield
    finally:
        connection.token = token

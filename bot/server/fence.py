"""Keeps a process that was thought dead from acting beside the one that took over its work.

Whoever takes a step takes a number for each thing that the step may change. A higher number ends what a lower one does:
the next record or outside effect of the process with the lower number is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast

from psycopg import Connection

from bot.git.connection import Connection as GitConnection
from bot.github.protocol import GitHub
from bot.pipeline.context import RepositoryContext
from bot.server.database import Database, recording


class Overtaken(BaseException):
    """Another process took over this work. It says nothing about the work, so no `except Exception` may record it."""


class Fence:
    """The numbers that one step holds."""

    def __init__(self, database: Database, *things: str) -> None:
        """Take the next number of each thing."""
        statement = """
            INSERT INTO backport_fence AS fence VALUES (%s, 1)
            ON CONFLICT (thing) DO UPDATE SET number = fence.number + 1 RETURNING number
        """
        self._database = database
        self._numbers: dict[str, int] = {}
        with recording(), database.transaction() as connection:
            for thing in sorted(things):  # in one order, so that two processes never wait for each other
                row = connection.execute(statement, (thing,)).fetchone()
                self._numbers[thing] = row[0] if row else 0

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
    """Yield a context in which the fence is checked before each call to GitHub, and before git talks to a remote."""
    others = {name: other.mirror.connection for name, other in context.other_repositories.items()}
    connections = [context.mirror.connection, *others.values()]
    tokens = [connection.token for connection in connections]
    for connection in connections:
        _check_first(connection, fence)
    try:
        fenced_others: Mapping[str, RepositoryContext] = {
            name: replace(other, github=_fenced_client(other.github, fence), home=_fenced_home(other, fence))
            for name, other in context.other_repositories.items()
        }
        yield replace(context, github=_fenced_client(context.github, fence), other_repositories=fenced_others)
    finally:
        for connection, token in zip(connections, tokens, strict=True):
            connection.token = token


def _check_first(connection: GitConnection, fence: Fence) -> None:
    token = connection.token

    def checked() -> str:
        fence.check()
        return token() if callable(token) else token or ""

    connection.token = checked


def _fenced_home(other: RepositoryContext, fence: Fence) -> GitHub | None:
    return _fenced_client(other.home, fence) if other.home is not None else None


def _fenced_client(client: GitHub, fence: Fence) -> GitHub:
    return cast("GitHub", _FencedClient(client, fence))


class _FencedClient:
    """A client of GitHub that checks the fence whenever something of it is used."""

    def __init__(self, client: GitHub, fence: Fence) -> None:
        self._client, self._fence = client, fence

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the client has
        self._fence.check()
        return getattr(self._client, name)

"""Forks processes of the service off one that has imported everything, which takes longer than the work.

Each line of standard input starts one, and is answered by its number. A process may have a fuse: it kills itself before
or after the commit of a transaction, counted from its start.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from psycopg import Connection

import bot.handlers.backport
import bot.proof.prove_trees  # noqa: F401 - imported when needed
from bot.environment.signing import SigningKey
from bot.github.connection_settings import ConnectionSettings
from bot.pipeline.open_context import open_configured_repository
from bot.server import database as database_module
from bot.server import worker
from bot.server.database import Database
from bot.server.fence import Fence
from bot.server.repositories import RepositorySource
from bot.server.service import ServiceSettings, running_service


def main() -> None:
    """Start a process for each line."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries them
    for line in sys.stdin:
        child = os.fork()
        if not child:
            _serve(**json.loads(line))
        print(child, flush=True)  # noqa: T201


def _serve(
    *,
    config: str,
    data: str,
    api_url: str,
    token: str,
    secret: str,
    database: str,
    port: int,
    fuse: tuple[int, bool] | None,
    overdue: float | None,
) -> None:
    os.close(0)
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if fuse is not None:
        _light(*fuse)
    if overdue is not None:
        database_module._LONGEST_PAUSE = overdue
        worker._HEARTBEAT, worker._OVERDUE, worker._LOOK = overdue / 6, overdue, overdue / 3
    settings = ConnectionSettings(api_url, Path(data))
    key = SigningKey.derive(secret)
    open_context = partial(open_configured_repository, Path(config), settings, token, signing_key=key)
    service = ServiceSettings(directory=Path(data), secrets=[secret], database=database, port=port, reads_github=False)
    source = RepositorySource(open=lambda _served: open_context(), names=["acme/widget"])
    with running_service(source, service):
        while True:
            time.sleep(60)


def _light(at: int, before: bool) -> None:
    usual: Any = Database.transaction
    numbers = itertools.count(1)

    @contextmanager
    def transaction(self: Database) -> Iterator[Connection]:
        strikes = False
        with usual(self) as connection:
            yield connection
            row = connection.execute("SELECT pg_current_xact_id_if_assigned() IS NOT NULL").fetchone()
            strikes = row is not None and row[0] and next(numbers) == at
            if strikes and before:
                os.kill(os.getpid(), signal.SIGKILL)
        if strikes:
            os.kill(os.getpid(), signal.SIGKILL)

    def check(self: Fence) -> None:  # it records nothing, and it is what most transactions are
        with usual(self._database) as connection:
            self.hold(connection)

    Database.transaction = transaction  # type: ignore[method-assign]
    Fence.check = check  # type: ignore[method-assign]


if __name__ == "__main__":
    main()

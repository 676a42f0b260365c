"""Looks whether a repository's backport.yaml has changed, and tells its maintainers once if it cannot be used."""

from __future__ import annotations

import hashlib

from psycopg import Connection

from bot.errors import BackportError
from bot.pipeline.context import RepositoryContext
from bot.report.configuration_issue import MARKER, render_configuration_issue
from bot.server.database import Database, Job
from bot.server.patience import next_moment
from bot.server.repositories import NotServed, Repositories
from bot.server.worker import Task, TryAgain

UPKEEP = "upkeep"
_CHECK = "check-configuration"
_FACT = "configuration-told"


class ConfigurationCheck:
    """Checks the configuration of one repository after the other."""

    def __init__(self, database: Database, repositories: Repositories) -> None:
        self._database, self._repositories = database, repositories

    def tasks(self) -> tuple[Task, ...]:
        """Return what the worker is to do."""
        return (Task(_CHECK, self._check),)

    def defer(self, connection: Connection, repository: str) -> None:
        """Have a repository's configuration checked."""
        name = f"{_CHECK} {repository.casefold()}"
        self._database.defer(connection, Job(task=_CHECK, queue=UPKEEP, lock=name, name=name), repository=repository)

    def _check(self, attempts: int, *, repository: str) -> None:
        try:
            with self._repositories.lend(repository, even_if_broken=True) as context:
                number, (_, head) = context.github.repository_id, context.mirror.remote_head()
            self._repositories.note_head(number, head)
            # Opened anew if another commit is there by now.
            with self._repositories.lend(repository, even_if_broken=True) as context:
                self._tell(number, context)
        except NotServed:
            return
        except BackportError as error:
            raise TryAgain(next_moment(error, attempts)) from error

    def _tell(self, number: int, context: RepositoryContext) -> None:
        fact, error = f"{_FACT} {number}", context.config_error
        digest = hashlib.sha256(f"{error.message}\n{error.hint}".encode()).hexdigest() if error else ""
        if digest == (self._database.fact(fact) or ""):
            return
        title, body = render_configuration_issue(error)
        context.github.write_issue(title=title, body=body, marker=MARKER, is_open=error is not None)
        self._database.keep_fact(fact, digest)

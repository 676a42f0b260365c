"""The log of a target branch in the database: what its steps say of themselves, for whoever looks at its page.

It is bounded. It is no record that anything is decided by.
"""

from __future__ import annotations

import logging
from dataclasses import replace

import psycopg

from bot.pipeline.context import RepositoryContext
from bot.server.database import Database
from bot.text.markdown import shorten, visible

log = logging.getLogger(__name__)

_LINES_OF_STEP, _LINES_OF_RUN = 400, 2000
_CHARACTERS = 600


class RunLog:
    """The log of one step. It may be written to from several threads; a line that cannot be written is left out."""

    def __init__(self, database: Database, run: int, step: str) -> None:
        self._database, self._run, self._step = database, run, step
        self._lines = 0
        self._folders: tuple[str, ...] = ()

    def begin(self) -> None:
        """Note that the step is taken. Of earlier steps the newest lines are kept."""
        self._execute(
            """
            DELETE FROM backport_log WHERE run = %(run)s AND id <= (
                SELECT id FROM backport_log WHERE run = %(run)s ORDER BY id DESC OFFSET %(lines)s LIMIT 1
            )
            """,
            {"run": self._run, "lines": _LINES_OF_RUN - _LINES_OF_STEP},
        )
        self.write("begun")

    def write(self, line: str) -> None:
        """Write a line, without the names of folders of this machine."""
        self._lines += 1
        if self._lines > _LINES_OF_STEP:
            return
        for folder in self._folders:
            line = line.replace(folder, "")
        last = self._lines == _LINES_OF_STEP
        text = "Further lines of this step are not kept." if last else shorten(visible(line), _CHARACTERS)
        self._execute(
            "INSERT INTO backport_log (run, step, line) VALUES (%(run)s, %(step)s, %(line)s)",
            {"run": self._run, "step": self._step, "line": text},
        )

    def following(self, context: RepositoryContext) -> RepositoryContext:
        """Return the context with a progress that is also written here."""
        root = context.pick.evidence_root
        self._folders = (f"{root.parent}/",) if root is not None else ()
        others = {name: self._following(other) for name, other in context.other_repositories.items()}
        return replace(self._following(context), other_repositories=others)

    def _following(self, context: RepositoryContext) -> RepositoryContext:
        progress = context.pick.progress

        def both(line: str) -> None:
            progress(line)
            self.write(line)

        return replace(context, pick=replace(context.pick, progress=both))

    def _execute(self, statement: str, values: dict[str, object]) -> None:
        try:
            with self._database.transaction() as connection:
                connection.execute(statement.encode(), values)
        except psycopg.Error as error:
            log.warning("The log of a run lacks a line: %s", str(error).strip())

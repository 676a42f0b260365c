"""Finds out on a schedule what the stable branches lack, and keeps the last reading of each repository.

Nothing is opened: the pages show it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from pydantic import TypeAdapter, ValidationError

from bot.errors import BackportError, RateLimited, Unavailable
from bot.handlers.run_sync import survey_repository
from bot.pipeline.context import RepositoryContext
from bot.server.budgets import Purpose
from bot.server.database import Database, Job
from bot.server.mirrors import folder_size
from bot.server.patience import for_a_job, next_moment
from bot.server.repositories import NotServed, Repositories
from bot.server.run_store import json_text
from bot.server.worker import Task, TryAgain
from bot.sync.lock import only_one
from bot.sync.survey import SyncReport
from bot.sync.types import BranchState

log = logging.getLogger(__name__)

SURVEYS = "surveys"
_SURVEY_ALL, _SURVEY = "survey-all", "survey-repository"
_EVERY_HOUR = "17 * * * *"
_FRESH = timedelta(minutes=50)
"""A reading of another process counts, too."""
_REPORT = TypeAdapter(SyncReport)


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """The last reading of a repository, by GitHub's number of it.

    `report` is the last that succeeded; `problem` says why this one did not.
    """

    repository: int
    read_at: datetime
    problem: str
    mirror_bytes: int | None
    report: SyncReport | None


class SurveyRows:
    """The readings in the database. It may be used from several threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._parsed: dict[int, tuple[datetime, SyncReport | None]] = {}

    def keep(self, repository: int, report: SyncReport, mirror_bytes: int) -> None:
        """Keep a reading in place of the one before it."""
        statement = """
            INSERT INTO backport_survey (repository, read_at, mirror_bytes, report) VALUES (%s, now(), %s, %s)
            ON CONFLICT (repository) DO UPDATE SET
                read_at = now(), problem = '', mirror_bytes = excluded.mirror_bytes, report = excluded.report
        """
        text = json_text(_REPORT.dump_python(_without_bodies(report), mode="json"))
        with self._database.transaction() as connection:
            connection.execute(statement, (repository, mirror_bytes, text))

    def keep_problem(self, repository: int, problem: str) -> None:
        """Note why a repository could not be read; the last reading stays."""
        statement = """
            INSERT INTO backport_survey (repository, read_at, problem) VALUES (%s, now(), %s)
            ON CONFLICT (repository) DO UPDATE SET read_at = now(), problem = excluded.problem
        """
        with self._database.transaction() as connection:
            connection.execute(statement, (repository, problem.replace("\0", "")))

    def load(self, repository: int) -> Survey | None:
        """Return the last reading; None if there is none."""
        statement = """
            SELECT read_at, problem, mirror_bytes, CASE WHEN read_at = %s THEN NULL ELSE report END
            FROM backport_survey WHERE repository = %s
        """
        known_at, known_report = self._parsed.get(repository, (None, None))
        with self._database.transaction() as connection:
            row = connection.execute(statement, (known_at, repository)).fetchone()
        if row is None:
            return None
        read_at, problem, mirror_bytes, text = row
        # A report of many branches takes a while to parse.
        report = known_report if read_at == known_at else _parse(text)
        self._parsed[repository] = read_at, report
        return Survey(repository=repository, read_at=read_at, problem=problem, mirror_bytes=mirror_bytes, report=report)

    def read_at(self, repository: int) -> datetime | None:
        """Return when a repository was read."""
        with self._database.transaction() as connection:
            statement = "SELECT read_at FROM backport_survey WHERE repository = %s"
            row = connection.execute(statement, (repository,)).fetchone()
        return row[0] if row else None


class Surveyor:
    """Reads the repositories, one at a time."""

    def __init__(self, database: Database, repositories: Repositories) -> None:
        self._database, self._repositories = database, repositories
        self._rows = SurveyRows(database)

    def tasks(self) -> Sequence[Task]:
        """Return what the worker is to do."""
        return (
            Task(_SURVEY_ALL, self._survey_all, cron=_EVERY_HOUR, queue=SURVEYS),
            Task(_SURVEY, self._survey),
        )

    def defer(self) -> None:
        """Let the worker begin at once."""
        with self._database.transaction() as connection:
            self._database.defer(connection, Job(task=_SURVEY_ALL, queue=SURVEYS, lock=_SURVEY_ALL, name=_SURVEY_ALL))

    def _survey_all(self, _attempts: int, *, timestamp: int = 0) -> None:
        del timestamp
        with self._database.transaction() as connection:
            for served in self._repositories.served():
                name = f"{_SURVEY} {served.id or served.name}"
                job = Job(task=_SURVEY, queue=SURVEYS, lock=name, name=name)
                self._database.defer(connection, job, repository=served.name, number=served.id)

    def _survey(self, attempts: int, *, repository: str, number: int | None = None) -> None:
        read_at = self._rows.read_at(number) if number is not None else None
        if read_at is not None and datetime.now(UTC) - read_at < _FRESH:
            return
        try:
            with self._repositories.lend(number or repository, purpose=Purpose.READING) as context:
                self._read(for_a_job(context))
        except (RateLimited, Unavailable) as error:
            raise TryAgain(next_moment(error, attempts)) from error
        except NotServed:
            return  # it was taken out of the service meanwhile
        except BackportError as error:
            log.warning("The branches of %s could not be read: %s %s", repository, error.message, error.hint)
            if number is not None:
                self._rows.keep_problem(number, f"{error.message} {error.hint}".strip())

    def _read(self, context: RepositoryContext) -> None:
        directory = context.mirror.git.directory.parent
        with only_one(directory):
            report = survey_repository(context, directory).survey
        self._rows.keep(context.github.repository_id, report, folder_size(context.mirror.git.directory))


def _without_bodies(report: SyncReport) -> SyncReport:
    """Leave out what no page shows and what would be most of it."""

    def shorten(branch: BranchState) -> BranchState:
        entries = (
            replace(entry, original=replace(entry.original, body="", paths=(), commits=entry.original.commits[-1:]))
            for entry in branch.originals
        )
        return replace(branch, originals=tuple(entries))

    return replace(report, branches=tuple(map(shorten, report.branches)))


def _parse(text: str | None) -> SyncReport | None:
    try:
        return _REPORT.validate_json(text) if text is not None else None
    except ValidationError:  # an earlier version of the bot kept it; the next reading replaces it
        return None

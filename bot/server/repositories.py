"""The repositories that a service is for, and the contexts in which its jobs work on them.

What is open in one context serves one thread at a time, so jobs borrow contexts.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from bot.config import Config
from bot.errors import BackportError, GitError, MirrorDamaged
from bot.pipeline.context import RepositoryContext
from bot.server.budgets import Budgets, Purpose
from bot.server.database import Database
from bot.server.idle_contexts import IdleContexts, OpenContext
from bot.server.served_repository import RepositoryRows, ServedRepository

log = logging.getLogger(__name__)

_SECONDS_BETWEEN_LISTS = 60.0
"""How often an unknown name may make the service ask GitHub for all its repositories."""

OpenRepository = Callable[[ServedRepository], AbstractContextManager[RepositoryContext]]
"""Opens a repository anew: with a mirror object and a client of its own, on the same folder."""
ListRepositories = Callable[[], Sequence[ServedRepository]]
"""Asks GitHub for all repositories that an App is installed on."""


class NotServed(BackportError):
    """The service is not for this repository, or not any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositorySource:
    """Which repositories a service is for, and how one is opened: those of `names`, or those that `list` returns.

    `repair` looks at the mirror of the repository of a number, and says whether it changed something there.
    """

    open: OpenRepository
    names: Sequence[str] = ()
    list: ListRepositories | None = None
    repair: Callable[[int], bool] | None = None


@dataclass(slots=True)
class _Told:
    """Names that a line of the log was about."""

    names: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def is_first(self, name: str) -> bool:
        with self.lock:
            size = len(self.names)
            self.names.add(name.casefold())
            return len(self.names) > size


class Repositories:
    """Knows the repositories, and lends contexts of them. It may be used from several threads."""

    def __init__(self, database: Database, source: RepositorySource) -> None:
        self._rows = RepositoryRows(database)
        self._source = source
        self._lock = threading.Lock()
        self._opening: dict[str, threading.Lock] = {}
        self._idle = IdleContexts()
        self._configs: dict[str, Config] = {}
        self._listed_at = -_SECONDS_BETWEEN_LISTS
        self._told = _Told()
        self.budgets = Budgets()

    def served(self) -> list[ServedRepository]:
        """Return all repositories that are served, as far as they are known."""
        rows = self._rows.served()
        if self._source.list is not None:
            return rows
        ours = [row for row in rows if any(name.casefold() in row.names for name in self._source.names)]
        known_names = frozenset[str]().union(*(row.names for row in ours))
        names = [name for name in self._source.names if name.casefold() not in known_names]
        return [*ours, *(ServedRepository(id=None, name=name) for name in names)]

    def find(self, name: str, repository_id: int | None = None) -> ServedRepository | None:
        """Return the repository of a delivery, also by a name that it had; None, with a line in the log, without one.

        Raises:
            GitHubError: GitHub had to be asked and does not answer.
        """
        repository = self._find(name, repository_id) or self._find_after_asking(name, repository_id)
        if repository is None and self._told.is_first(name):
            log.warning(
                "A delivery about %s was left alone: this service is not for that repository. Take its webhook away "
                "there, or start the service for it as well.",
                name,
            )
        return repository

    @contextmanager
    def lend(
        self, repository: str | int, *, even_if_broken: bool = False, purpose: Purpose = Purpose.REQUEST
    ) -> Iterator[RepositoryContext]:
        """Lend a context of a repository, by a name or by GitHub's number, to this thread while the block runs.

        `even_if_broken` is for who only tells of the context's `config_error`.

        Raises:
            NotServed: the service is not for it.
            ConfigError: its configuration cannot be used.
            RateLimited: too little is left of GitHub's limit for this purpose.
            GitHubError: it could not be opened.
        """
        served = self._require(repository)
        self.budgets.check(served.account, served.name, purpose)
        idle = self._idle.take(served)
        sent = idle.context.github.requests_sent if idle is not None else 0
        lent = idle or self._open_another(served)
        try:
            if lent.context.config_error is not None and not even_if_broken:
                raise lent.context.config_error
            yield lent.context
        except MirrorDamaged:
            lent.stack.close()
            self._repair(served)
            raise
        except BaseException:
            self._give_back(lent, sent)
            raise
        else:
            self._give_back(lent, sent)

    def pause(self, repository: str | int) -> datetime | None:
        """Return from when on requests in a repository are served again, if GitHub's limit is used up; else None."""
        served = self._require(repository)
        return self.budgets.pause(served.account, served.name)

    def config(self, name: str) -> Config | None:
        """Return the configuration of a repository, as it was when that was last opened; None before that."""
        return self._configs.get(name.casefold())

    def list_again(self) -> None:
        """Ask GitHub which repositories there are.

        Raises:
            GitHubError: GitHub does not answer; those that were known stay.
        """
        if self._source.list is not None:
            self._rows.keep_exactly(self._source.list())
            self._listed_at = time.monotonic()

    def note_name(self, name: str, repository_id: int) -> None:
        """Note a repository's new name."""
        for row in self._rows.served():
            if row.id == repository_id and row.name.casefold() != name.casefold():
                self._rows.keep(ServedRepository(id=row.id, name=name, installation=row.installation))

    def note_head(self, repository_id: int, commit: str | None) -> None:
        """Note the default branch's tip. If it is another one, the configuration is read again before the next job."""
        self._rows.note_head(repository_id, commit)

    def close(self) -> None:
        """Close every context, once no job runs any more."""
        self._idle.close()

    # --- which one ----------------------------------------------------------------------------------------------------

    def _find(self, name: str, repository_id: int | None) -> ServedRepository | None:
        all_served = self.served()
        by_id = next((row for row in all_served if repository_id is not None and row.id == repository_id), None)
        if by_id is not None:
            if name.casefold() not in by_id.names:
                self.note_name(name, by_id.id or 0)
            return by_id
        return next((row for row in _by_name(all_served, name) if None in (row.id, repository_id)), None)

    def _find_after_asking(self, name: str, repository_id: int | None) -> ServedRepository | None:
        if self._source.list is not None:
            if time.monotonic() - self._listed_at < _SECONDS_BETWEEN_LISTS:
                return None
            self.list_again()
        else:
            for row in self.served():
                if row.id is None:
                    with self.lend(row.name):
                        pass  # its number and its present name are recorded
        return self._find(name, repository_id)

    def _require(self, repository: str | int) -> ServedRepository:
        rows = self.served()
        is_number = isinstance(repository, int)
        matching = [row for row in rows if row.id == repository] if is_number else _by_name(rows, str(repository))
        if matching:
            return matching[0]
        raise NotServed(
            f"This service is not for {repository}, so nothing was done there.",
            hint="Install the App there, or name the repository with --repository.",
        )

    # --- contexts -----------------------------------------------------------------------------------------------------

    def _open_another(self, served: ServedRepository) -> OpenContext:
        with self._lock:
            opening = self._opening.setdefault(served.name.casefold(), threading.Lock())
        # Two that open a mirror for the first time would both create it.
        with opening, ExitStack() as stack:
            try:
                context = stack.enter_context(self._source.open(served))
            except GitError as error:
                if self._repair(served):
                    raise MirrorDamaged("The mirror was damaged; it is made anew.", hint="Try again.") from error
                raise
            self._note_opened(served, context)
            return OpenContext(self._require(context.github.repository_id), context, stack.pop_all())

    def _repair(self, served: ServedRepository) -> bool:
        if served.id is None or self._source.repair is None or not self._source.repair(served.id):
            return False
        self._idle.drop(served.id)
        return True

    def _note_opened(self, served: ServedRepository, context: RepositoryContext) -> None:
        name, number = context.github.repository, context.github.repository_id
        if (served.id, served.name) != (number, name):
            former_names = (served.name,) if served.name.casefold() != name.casefold() else ()
            self._rows.keep(
                ServedRepository(id=number, name=name, former_names=former_names, installation=served.installation)
            )
        configured_name = context.config.repository
        if name.casefold() != configured_name.casefold() and self._told.is_first(f"{name} for {configured_name}"):
            context.progress(
                f"{configured_name} is called {name} now and is served under both names. "
                "Correct `repository` in backport.yaml."
            )
        for every_name in (name, *served.names):
            self._configs[every_name.casefold()] = context.config

    def _give_back(self, lent: OpenContext, sent: int) -> None:
        github, repository = lent.context.github, lent.repository
        self.budgets.note(repository.account, repository.name, github.requests_sent - sent, github.budgets())
        self._idle.give(lent)


def _by_name(rows: Sequence[ServedRepository], name: str) -> list[ServedRepository]:
    """Return who has a name, else who had it: one that was given up may be another repository's."""
    name = name.casefold()
    return [row for row in rows if row.name.casefold() == name] or [row for row in rows if name in row.names]

"""Webhook events about repositories themselves: the App is installed on one, or it has another name or a new commit.

Like all webhooks they are hints. GitHub is asked for the list of repositories when one comes, and on a timer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, assert_never

from bot.errors import BackportError
from bot.server.configuration_check import UPKEEP, ConfigurationCheck
from bot.server.database import Database, Job
from bot.server.patience import next_moment
from bot.server.payload import repository_id
from bot.server.repositories import Repositories
from bot.server.worker import Task, TryAgain

_LIST = "list-repositories"


@dataclass(frozen=True, slots=True)
class ListChanged:
    """There are other repositories, or others have the App."""


@dataclass(frozen=True, slots=True)
class NameChanged:
    """A repository has another name, or another owner; `name` is the new one."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class DefaultBranchChanged:
    """The default branch of a repository has another tip, or is another one. `commit` is the tip, if that is known."""

    id: int
    name: str
    commit: str | None


RepositoryEvent = ListChanged | NameChanged | DefaultBranchChanged


def read_event(event: str, payload: Mapping[str, Any]) -> RepositoryEvent | None:
    """Return what a delivery says about a repository; None if that is of no interest.

    https://docs.github.com/webhooks/webhook-events-and-payloads
    """
    about, number, action = payload.get("repository"), repository_id(payload), payload.get("action")
    if event in ("installation", "installation_repositories"):
        return ListChanged()
    if event not in ("repository", "push") or not isinstance(about, Mapping) or number is None:
        return None
    name = str(about.get("full_name", ""))
    if event == "push":
        is_default = payload.get("ref") == f"refs/heads/{about.get('default_branch')}"
        return DefaultBranchChanged(number, name, str(payload.get("after", ""))) if is_default else None
    match action:
        case "renamed" | "transferred":
            return NameChanged(number, name)
        case "edited":
            return DefaultBranchChanged(number, name, None)
        case _:
            return ListChanged()


class RepositoryEvents:
    """Takes these events, and has GitHub asked for the list of repositories when that has changed."""

    def __init__(self, database: Database, repositories: Repositories, check: ConfigurationCheck) -> None:
        self._database, self._repositories, self._check = database, repositories, check

    def tasks(self) -> tuple[Task, ...]:
        """Return what the worker is to do."""
        return (Task(_LIST, self._list),)

    def take(self, event: RepositoryEvent) -> None:
        """Record what an event says.

        Raises:
            psycopg.Error: nothing was recorded.
        """
        match event:
            case DefaultBranchChanged(number, name, commit):
                self._repositories.note_head(number, commit)
                if any(served.id == number for served in self._repositories.served()):
                    with self._database.transaction() as connection:
                        self._check.defer(connection, name)
            case NameChanged(number, name):
                self._repositories.note_name(name, number)
                self._defer()
            case ListChanged():
                self._defer()
            case _:
                assert_never(event)

    def _defer(self) -> None:
        job = Job(task=_LIST, queue=UPKEEP, lock=_LIST, name=_LIST)
        with self._database.transaction() as connection:
            self._database.defer(connection, job)

    def _list(self, attempts: int) -> None:
        try:
            self._repositories.list_again()
        except BackportError as error:
            raise TryAgain(next_moment(error, attempts)) from error

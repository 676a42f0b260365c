"""Webhook events about repositories themselves: the App is installed on one, or it has another name or a new commit.

Like all webhooks they are hints. GitHub is asked for the list of repositories when one comes, and on a timer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, assert_never

from bot.errors import BackportError
from bot.server.database import Database, Job
from bot.server.patience import next_moment
from bot.server.payload import repository_id
from bot.server.repositories import Repositories
from bot.server.worker import Task, TryAgain

UPKEEP = "upkeep"
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
    """The default branch of a repository has another tip, or another branch is the default one."""

    id: int


RepositoryEvent = ListChanged | NameChanged | DefaultBranchChanged


def read_event(event: str, payload: Mapping[str, Any]) -> RepositoryEvent | None:
    """Return what a delivery says about a repository; None if that is of no interest.

    https://docs.github.com/webhooks/webhook-events-and-payloads
    """
    about, number = payload.get("repository"), repository_id(payload)
    match event, payload.get("action"):
        case (("installation" | "installation_repositories"), _):
            return ListChanged()
        case "repository", "renamed" | "transferred" if isinstance(about, Mapping) and number is not None:
            return NameChanged(number, str(about.get("full_name", "")))
        case "repository", "edited" if number is not None:
            return DefaultBranchChanged(number)
        case "repository", _:
            return ListChanged()
        case "push", _ if isinstance(about, Mapping) and number is not None:
            is_default = payload.get("ref") == f"refs/heads/{about.get('default_branch')}"
            return DefaultBranchChanged(number) if is_default else None
        case _:
            return None


class RepositoryEvents:
    """Takes these events, and has GitHub asked for the list of repositories when that has changed."""

    def __init__(self, database: Database, repositories: Repositories) -> None:
        self._database, self._repositories = database, repositories

    def tasks(self) -> tuple[Task, ...]:
        """Return what the worker is to do."""
        return (Task(_LIST, self._list),)

    def take(self, event: RepositoryEvent) -> None:
        """Record what an event says.

        Raises:
            psycopg.Error: nothing was recorded.
        """
        match event:
            case DefaultBranchChanged(number):
                self._repositories.note_change(number)
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

"""Who reads a page: what it shows is limited to the repositories that its reader sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response

from bot.server.pages.session import Session


class AccessDenied(Exception):
    """A page is not shown. `answer` is what the reader gets in its place."""

    def __init__(self, answer: Response) -> None:
        super().__init__()
        self.answer = answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """A person who reads a page. `login` is None if nobody had to sign in, `session` if that was not done here."""

    login: str | None = None
    session: Session | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownRepository:
    """A repository that is served, or was. Its number says which one it is: a name may come to be another one's.

    `id` is None in a request of an earlier version of the bot.
    """

    id: int | None
    name: str


class Access(Protocol):
    """Knows who reads, and what each reader may see. Its methods may ask GitHub, so they are called in a thread."""

    def reader(self, request: Request) -> Reader:
        """Return who reads. Raises AccessDenied if the person has to sign in first."""

    def visible(self, reader: Reader, repositories: Sequence[KnownRepository]) -> list[KnownRepository]:
        """Return those of the repositories that the reader sees."""


class PublicAccess:
    """Everybody sees everything."""

    def reader(self, request: Request) -> Reader:
        """See `Access`."""
        del request
        return Reader()

    def visible(self, reader: Reader, repositories: Sequence[KnownRepository]) -> list[KnownRepository]:
        """See `Access`."""
        del reader
        return list(repositories)

"""How a REST endpoint is declared, called and answered.

Owns the table of endpoints, the `Call` an endpoint gets, paging, and the way GitHub words a refusal. Knows no endpoint.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeVar
from urllib.parse import urlencode

from bot.fake_github.accounts import App, Level, Token, User
from bot.fake_github.state import Repository
from bot.fake_github.world import World

Json = dict[str, Any]
Item = TypeVar("Item")
DOCS = "https://docs.github.com/rest"


class Refusal(Exception):
    """An answer that says no, with GitHub's status and body."""

    def __init__(
        self,
        status: int,
        message: str,
        errors: list[Any] | None = None,
        *,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers
        self.body: Json = {"message": message, "documentation_url": DOCS, "status": str(status)}
        if errors is not None:
            self.body["errors"] = errors


def not_found() -> Refusal:
    """Say that there is nothing here, or nothing the token may see."""
    return Refusal(404, "Not Found")


def invalid(resource: str, field_name: str, code: str = "invalid", message: str | None = None) -> Refusal:
    """Say which field of a request is wrong, as GitHub's validation does."""
    error: Json = {"resource": resource, "code": code, "field": field_name}
    if message:
        error["message"] = message
    return Refusal(422, "Validation Failed", [error])


@dataclass(frozen=True)
class Reply:
    """An answer. `body` None sends none; bytes are sent as they are."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Call:
    """One request to an endpoint, with who asks and what the path names already found."""

    world: World
    method: str
    path: str
    params: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    data: object
    token: Token | None
    app: App | None
    found: Repository | None = None

    @property
    def body(self) -> Json:
        """The request's JSON object; empty where the request has none or something else."""
        return self.data if isinstance(self.data, dict) else {}

    @property
    def user(self) -> User:
        """Who asks. Refuses a request without a token."""
        if self.token is None:
            raise Refusal(401, "Requires authentication")
        return self.token.user

    @property
    def repository(self) -> Repository:
        """The repository the path names."""
        if self.found is None:
            raise not_found()
        return self.found

    @property
    def level(self) -> Level:
        """The caller's access to the repository."""
        return self.level_on(self.repository)

    def level_on(self, repository: Repository) -> Level:
        """Return the caller's access: the account's, or less where the token reaches only some repositories."""
        return access(self.token, repository)

    def need(self, level: Level) -> None:
        """Refuse a caller whose access is lower: 404 where they may not even look, else 403."""
        if self.level >= level:
            return
        if self.level is Level.NONE:
            raise not_found()
        if self.token is None:
            raise Refusal(401, "Requires authentication")
        by_app = self.token.user.app is not None or self.token.user.type == "Bot"
        raise Refusal(
            403, "Resource not accessible by integration" if by_app else "Must have push access to repository."
        )

    def text(self, key: str, resource: str) -> str:
        """Return a text the body must have."""
        value = self.body.get(key)
        if value is None or value == "":
            raise invalid(resource, key, "missing_field")
        if not isinstance(value, str):
            raise Refusal(422, f"Invalid request.\n\nFor 'properties/{key}', {value!r} is not a string.")
        return value

    def number(self, key: str) -> int:
        """Return a number from the path."""
        return int(self.params[key])

    def page(self, items: Iterable[Item], shape: Callable[[Item], Any], key: str | None = None) -> Reply:
        """Answer one page of a list, with GitHub's `Link` header. With `key`, inside an object with `total_count`."""
        everything = list(items)
        size = min(max(_count(self.query.get("per_page"), 30), 1), 100)
        page = max(_count(self.query.get("page"), 1), 1)
        shown = [shape(item) for item in everything[(page - 1) * size : page * size]]
        last = max((len(everything) + size - 1) // size, 1)
        links = self._links(page, last)
        body = shown if key is None else {"total_count": len(everything), key: shown}
        return Reply(body, headers={"Link": links} if links else {})

    def _links(self, page: int, last: int) -> str:
        targets = {"prev": page - 1, "next": page + 1, "last": last, "first": 1}
        wanted = [
            name
            for name in targets
            if (name in {"next", "last"} and page < last) or (name in {"prev", "first"} and page > 1)
        ]
        return ", ".join(f'<{self._page_url(targets[name])}>; rel="{name}"' for name in wanted)

    def _page_url(self, page: int) -> str:
        return f"{self.world.api}{self.path}?{urlencode({**self.query, 'page': page})}"


def access(token: Token | None, repository: Repository) -> Level:
    """Return what a token may do in a repository. Outside its own repositories it is worth as much as none."""
    reached = token and (token.repositories is None or repository.full_name.lower() in token.repositories)
    return repository.level_of(token.user if token and reached else None)


def _count(text: str | None, default: int) -> int:
    return int(text) if text and text.isdigit() else default


Endpoint = Callable[[Call], Reply]


@dataclass(frozen=True)
class Route:
    """One line of the table of endpoints."""

    method: str
    pattern: re.Pattern[str]
    level: Level
    endpoint: Endpoint


class Routes:
    """A table of endpoints, one per area. Path parameters are `{name}` (no slash), `{name:int}` and `{name:path}`."""

    def __init__(self) -> None:
        self.table: list[Route] = []

    def add(self, method: str, path: str, level: Level = Level.NONE) -> Callable[[Endpoint], Endpoint]:
        """Declare an endpoint. A path below /repos/{owner}/{repo} also needs the level on that repository."""

        def declare(endpoint: Endpoint) -> Endpoint:
            self.table.append(Route(method, _pattern(path), level, endpoint))
            return endpoint

        return declare


_KINDS = {"": "[^/]+", "int": "[0-9]+", "path": ".+"}


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)(?::(\w+))?\}", path)
    text = re.escape(parts[0])
    for name, kind, literal in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        text += f"(?P<{name}>{_KINDS[kind or '']})" + re.escape(literal)
    return re.compile(text + "/?")

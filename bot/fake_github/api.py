"""Declares, calls and answers REST endpoints: the table of endpoints, paging, and GitHub's errors."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeVar
from urllib.parse import urlencode

from bot.fake_github.accounts import App, Level, Token, User
from bot.fake_github.github_state import World
from bot.fake_github.repository_records import Repository

Json = dict[str, Any]
Item = TypeVar("Item")
DOCS = "https://docs.github.com/rest"


class ApiError(Exception):
    """A request is refused, with GitHub's status and body."""

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


def not_found() -> ApiError:
    """Return the error for what is not there, or not for this token."""
    return ApiError(404, "Not Found")


def invalid(resource: str, field_name: str, code: str = "invalid", message: str | None = None) -> ApiError:
    """Return the error of GitHub's validation for one field of a request."""
    error: Json = {"resource": resource, "code": code, "field": field_name}
    if message:
        error["message"] = message
    return ApiError(422, "Validation Failed", [error])


@dataclass(frozen=True)
class ApiResponse:
    """An answer; `body` is JSON, or None for none."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class ApiRequest:
    """One request to an endpoint, with its sender and the repository that the path names."""

    world: World
    method: str
    path: str
    params: Mapping[str, str]
    query: Mapping[str, str]
    data: object
    token: Token | None
    app: App | None
    target: Repository | None = None

    @property
    def body(self) -> Json:
        """The request's JSON object; empty where the request has none or something else."""
        return self.data if isinstance(self.data, dict) else {}

    @property
    def user(self) -> User:
        """The sender. Refuses a request without a token."""
        if self.token is None:
            raise ApiError(401, "Requires authentication")
        return self.token.user

    @property
    def repository(self) -> Repository:
        """The repository the path names."""
        if self.target is None:
            raise not_found()
        return self.target

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
            raise ApiError(401, "Requires authentication")
        by_app = self.token.user.app is not None or self.token.user.type == "Bot"
        raise ApiError(
            403, "Resource not accessible by integration" if by_app else "Must have push access to repository."
        )

    def text(self, key: str, resource: str) -> str:
        """Return a text the body must have."""
        value = self.body.get(key)
        if value is None or value == "":
            raise invalid(resource, key, "missing_field")
        if not isinstance(value, str):
            raise ApiError(422, f"Invalid request.\n\nFor 'properties/{key}', {value!r} is not a string.")
        return value

    def number(self, key: str) -> int:
        """Return a number from the path."""
        return int(self.params[key])

    def page(self, items: Iterable[Item], to_json: Callable[[Item], Any], key: str | None = None) -> ApiResponse:
        """Answer one page of a list, with GitHub's `Link` header. With `key`, inside an object with `total_count`."""
        everything, size = list(items), min(max(_count(self.query.get("per_page"), 30), 1), 100)
        page, last = max(_count(self.query.get("page"), 1), 1), max((len(everything) + size - 1) // size, 1)
        entries = [to_json(item) for item in everything[(page - 1) * size : page * size]]
        links = self._links(page, last)
        body = entries if key is None else {"total_count": len(everything), key: entries}
        return ApiResponse(body, headers={"Link": links} if links else {})

    def _links(self, page: int, last: int) -> str:
        pages = {"prev": page - 1, "first": 1} if page > 1 else {}
        pages |= {"next": page + 1, "last": last} if page < last else {}
        return ", ".join(f'<{self._page_url(number)}>; rel="{name}"' for name, number in pages.items())

    def _page_url(self, page: int) -> str:
        return f"{self.world.api}{self.path}?{urlencode({**self.query, 'page': page})}"


def access(token: Token | None, repository: Repository) -> Level:
    """Return what a token may do in a repository. Outside its own repositories it is worth as much as none."""
    if token is None or (token.repositories is not None and repository.full_name.lower() not in token.repositories):
        return repository.level_of(None)
    return repository.level_of(token.user)


def _count(text: str | None, default: int) -> int:
    return int(text) if text and text.isdigit() else default


Endpoint = Callable[[ApiRequest], ApiResponse]


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

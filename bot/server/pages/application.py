"""The pages as an application: their routes, the headers of each answer, and what is answered if something is wrong."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import assert_never

import psycopg
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.server.database import Database
from bot.server.pages.access import Access, AccessDenied, PublicAccess, Reader
from bot.server.pages.actions import Actions
from bot.server.pages.board_page import BoardPage
from bot.server.pages.github_person import OAuthApp
from bot.server.pages.health_page import HealthPage
from bot.server.pages.live import Live
from bot.server.pages.rendering import POLICY, page
from bot.server.pages.run_pages import RunPages, missing
from bot.server.pages.run_queries import RunQueries
from bot.server.pages.session import Cookies
from bot.server.pages.settings import PagesMode, PagesSettings
from bot.server.pages.sign_in import GitHubAccess, ProxyAccess
from bot.server.pages.static_files import STATIC_ROUTE
from bot.server.repositories import Repositories
from bot.server.surveys import SurveyRows

log = logging.getLogger(__name__)

_CALLBACK = "/sign-in/callback"
_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    # Other sites learn nothing. To ourselves a browser tells which page a form stands on.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
}


class Pages:
    """The pages of one process. `routes` are to stand behind all others."""

    def __init__(
        self, database: Database, repositories: Repositories, access: Access, more_routes: Sequence[Route] = ()
    ) -> None:
        queries, surveys = RunQueries(database), SurveyRows(database)
        runs, board = RunPages(queries, access), BoardPage(queries, surveys, access)
        health = HealthPage(queries, surveys, repositories, access)
        self._live = Live(database, queries, access)
        app = Starlette(
            routes=[
                Route("/", runs.runs),
                Route("/runs/{run}", runs.run),
                Route("/board", board.board),
                Route("/repositories", health.health),
                Route("/events", self._live.events),
                STATIC_ROUTE,
                *more_routes,
            ],
            exception_handlers={404: _missing, 405: _missing, psycopg.Error: _without_database, AccessDenied: _denied},
        )
        self.routes: Sequence[BaseRoute] = (Mount("", _WithHeaders(app)),)

    def close(self) -> None:
        """End what is open for as long as a page is."""
        self._live.close()


def open_pages(settings: PagesSettings, database: Database, repositories: Repositories) -> Pages | None:
    """Return the pages; None if there are to be none."""
    match settings.mode:
        case PagesMode.OFF:
            return None
        case PagesMode.PUBLIC:
            return Pages(database, repositories, PublicAccess())
        case PagesMode.SIGN_IN if settings.trust_header:
            return Pages(database, repositories, ProxyAccess(settings.trust_header, settings.proxies, repositories))
        case PagesMode.SIGN_IN:
            return _with_sign_in(settings, database, repositories)
        case _:
            assert_never(settings.mode)


def _with_sign_in(settings: PagesSettings, database: Database, repositories: Repositories) -> Pages:
    app = OAuthApp(
        api_url=settings.api_url,
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        callback=f"{settings.origin}{_CALLBACK}",
    )
    access = GitHubAccess(app, Cookies(settings.client_secret, is_secure=settings.url.startswith("https:")))
    actions = Actions(database, RunQueries(database), access, repositories, settings.origin)
    routes = [
        Route("/sign-in", access.begin),
        Route(_CALLBACK, access.end),
        Route("/sign-out", actions.sign_out, methods=["POST"]),
        Route("/runs/{run}/redo", actions.redo, methods=["POST"]),
        Route("/runs/{run}/cancel", actions.cancel, methods=["POST"]),
    ]
    return Pages(database, repositories, access, routes)


class _WithHeaders:
    """Adds the headers that guard the pages to each answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                # A page shows what its reader may see, and the present.
                headers.setdefault("cache-control", "private, no-store")
            await send(message)

        await self._app(scope, receive, send_guarded)


def _missing(_request: Request, _error: Exception) -> Response:
    return missing(Reader())


def _without_database(_request: Request, error: Exception) -> Response:
    log.warning("A page could not be shown: %s", str(error).strip())
    return page("unavailable.html.j2", Reader(), status=503, tab="")


def _denied(_request: Request, error: Exception) -> Response:
    if not isinstance(error, AccessDenied):
        raise error
    return error.answer

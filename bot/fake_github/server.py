"""The HTTP server of a fake GitHub: one thread, one socket on 127.0.0.1, closed without a trace.

It also says which part answers which path.
"""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Awaitable, Callable

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.environment.loopback import PromptServer, listen
from bot.fake_github import git_http, rest_http
from bot.fake_github.github_state import World
from bot.fake_github.graphql import endpoint
from bot.fake_github.middleware import Connections, FaultInjector
from bot.fake_github.pages import app_pages, oauth
from bot.fake_github.pages import routes as pages

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_GRACE = 2
"""Seconds that answers under way get when the server stops."""

Part = Callable[[World, Request], Awaitable[Response]]


def application(world: World) -> Starlette:
    """Put the parts together. A path that names no API is a page or a git client's."""
    graphql = functools.partial(_serve, endpoint.answer, world)
    git = functools.partial(_serve, git_http.answer, world)
    return Starlette(
        routes=[
            Route("/api/v3/{path:path}", functools.partial(_serve, rest_http.answer, world), methods=_METHODS),
            Route("/api/graphql", graphql, methods=["POST"]),
            *(Route(f"/{{owner}}/{{repo}}/{service}", git, methods=["GET", "POST"]) for service in git_http.SERVICES),
            *app_pages.routes(world),
            *oauth.routes(world),
            *pages.routes(world),
        ]
    )


async def _serve(part: Part, world: World, request: Request) -> Response:
    return await part(world, request)


class Server:
    """A running server. `url` is known before the world is, because the world writes it into every answer."""

    def __init__(self) -> None:
        self._socket = listen()
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def start(self, world: World) -> FaultInjector:
        """Serve the world from a thread of its own; returns when the first request would be answered."""
        connections = Connections()
        door = FaultInjector(application(world), connections, lambda: self._server.should_exit)
        config = uvicorn.Config(
            door,
            http=connections.protocol(),
            ws="none",
            loop="asyncio",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_GRACE,
        )
        self._server = PromptServer(config)
        run = functools.partial(self._server.run, sockets=[self._socket])
        self._thread = threading.Thread(target=run, name="fake-github-http", daemon=True)
        self._thread.start()
        while not self._server.started:
            if not self._thread.is_alive():
                raise RuntimeError("the fake GitHub's HTTP server ended while it started")
            time.sleep(0.005)
        return door

    def stop(self) -> None:
        """Answer what is under way, then close every connection and end the thread."""
        self._server.end()
        self._thread.join()
        self._socket.close()

"""The pages' addresses, and the headers that keep hostile content still."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from importlib.resources import files

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from bot.fake_github.github_state import World
from bot.fake_github.pages import views

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_STYLE = files("bot.fake_github.pages").joinpath("style.css").read_text()
_REPO = "/{owner}/{repo}"

Page = Callable[[Request], str | Response]


def routes(world: World) -> list[Route]:
    """Return the pages' routes. The pages of a repository come last: they fit many addresses."""

    def show(path: str, page: Page) -> Route:
        async def answer(request: Request) -> Response:
            return await run_in_threadpool(_response, world, page, request)

        return Route(path, answer)

    def repository(request: Request) -> tuple[World, str, str]:
        return world, request.path_params["owner"], request.path_params["repo"]

    def number(request: Request) -> int:
        return int(request.path_params["number"])

    def ref(request: Request) -> str:
        return str(request.path_params["ref"])

    return [
        show("/", lambda _: views.index(world)),
        show("/-/style.css", lambda _: Response(_STYLE, media_type="text/css")),
        show("/-/avatar/{login}.svg", lambda request: _avatar(request.path_params["login"])),
        show("/api/artifact/{signature}.zip", lambda request: _artifact(world, request.path_params["signature"])),
        show(_REPO + "/pull/{number:int}", lambda request: views.conversation(*repository(request), number(request))),
        show(_REPO + "/issues/{number:int}", lambda request: views.conversation(*repository(request), number(request))),
        show(_REPO + "/commit/{ref:path}", lambda request: views.commit(*repository(request), ref(request))),
        show(_REPO + "/commits/{ref:path}", lambda request: views.commits(*repository(request), ref(request))),
        show(_REPO + "/runs/{number:int}", lambda request: views.check(*repository(request), number(request))),
        show(_REPO, lambda request: views.repository(*repository(request))),
    ]


def _response(world: World, page: Page, request: Request) -> Response:
    with world.lock:
        try:
            content = page(request)
        except views.PageNotFound as error:
            content = HTMLResponse(views.render("missing.html", missing=str(error), url=world.url), 404)
    response = content if isinstance(content, Response) else HTMLResponse(content)
    response.headers.update(_HEADERS)
    return response


def _artifact(world: World, signature: str) -> Response:
    """Answer an archive to who knows its address, as the storage host behind GitHub does.

    It lies below `/api/` because PyGithub follows a redirect to its own host to no other place.
    """
    for repository in world.repositories.values():
        for run in repository.runs.values():
            for artifact in run.artifacts.values():
                if hmac.compare_digest(artifact.signature, signature):
                    return Response(artifact.content, media_type="application/zip")
    raise views.PageNotFound("archive")


def _avatar(login: str) -> Response:
    """Draw an account's first letter on a colour of its own."""
    hue = hashlib.sha256(login.encode()).digest()[0] * 360 // 256
    letter = login[:1].upper() if login[:1].isalnum() else "?"
    picture = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40">'
        f'<rect width="40" height="40" rx="20" fill="hsl({hue} 45% 42%)"/>'
        '<text x="20" y="27" font-family="sans-serif" font-size="19" fill="#fff" text-anchor="middle">'
        f"{letter}</text></svg>"
    )
    return Response(picture, media_type="image/svg+xml")

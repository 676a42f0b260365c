"""The style and the scripts of the pages. A path has the digest of its file, so that a browser may keep it for ever."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import resources

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_KINDS = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
# A style begins as that of the bot's other pages.
_FILES = {
    "style.css": (("bot.report", "templates/page.css.j2"), ("bot.server.pages", "static/style.css")),
    "htmx.js": (("bot.server.pages", "static/htmx-2.0.11.min.js"),),
    "icon.svg": (("bot.server.pages", "static/icon.svg"),),
    "sse.js": (("bot.server.pages", "static/htmx-ext-sse-2.2.4.min.js"),),
}


@cache
def _content(name: str) -> bytes:
    return b"".join((resources.files(package) / path).read_bytes() for package, path in _FILES[name])


@cache
def address(name: str) -> str:
    """Return the path of a file."""
    return f"/static/{hashlib.sha256(_content(name)).hexdigest()[:16]}/{name}"


def _static(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in _FILES or request.url.path != address(name):
        return Response(status_code=404)
    kind = _KINDS[name.rpartition(".")[2]]
    return Response(_content(name), media_type=kind, headers={"cache-control": "public, max-age=31536000, immutable"})


STATIC_ROUTE = Route("/static/{digest}/{name}", _static)

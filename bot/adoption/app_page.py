"""The page on this machine from which a person registers the App, and the address that GitHub leads them back to.

Only who knows the page's random address sees it: another account of the machine could otherwise read the state from it,
and have the secrets of an App of its own stored.
"""

from __future__ import annotations

import hmac
import json
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from typing import Any
from urllib.parse import quote, urlsplit

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from bot.environment.loopback import run_server

Manifest = Callable[[str], Mapping[str, Any]]
"""Returns the manifest for an address that GitHub is to lead back to."""

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Backport Bot</title>
<h1>{title}</h1>
{body}
</html>
"""
_FORM = """<p>GitHub shows the App before it is registered. You can change its name there.</p>
<form action="{action}" method="post">
<input type="hidden" name="manifest" value="{manifest}">
<button type="submit">Register {name} on {host}</button>
</form>
<h2>What it will be</h2>
<pre>{pretty}</pre>"""


@dataclass(slots=True)
class RegistrationPage:
    """A page that is served. `url` is its address; `code` waits until GitHub has led a person back."""

    url: str
    _received: threading.Event = field(default_factory=threading.Event)
    _code: str = ""

    def code(self, seconds: float) -> str | None:
        """Return the code that GitHub handed over, or None if it did not within this time."""
        return self._code if self._received.wait(seconds) else None

    def receive(self, code: str) -> None:
        """Take the code. The first one counts."""
        if not self._received.is_set():
            self._code = code
            self._received.set()


@contextmanager
def registration_page(
    manifest: Manifest, *, github_url: str, organization: str = "", port: int = 0
) -> Iterator[RegistrationPage]:
    """Serve the page on 127.0.0.1 while the block runs. `github_url` is where GitHub's own pages are.

    Raises:
        BackportError: the port cannot be opened.
    """
    state, path = secrets.token_urlsafe(32), f"/{secrets.token_urlsafe(32)}"
    page = RegistrationPage("")
    owner = f"/organizations/{quote(organization, safe='')}" if organization else ""
    action = f"{github_url}{owner}/settings/apps/new?state={state}"

    async def show(_request: Request) -> Response:
        return _form_page(manifest(f"{page.url}/callback"), action)

    async def callback(request: Request) -> Response:
        code, answer = request.query_params.get("code", ""), request.query_params.get("state", "")
        if not code or not hmac.compare_digest(answer.encode(), state.encode()):
            return _html("This is not the answer to the page that the bot showed, so nothing was stored.", 400)
        page.receive(code)
        return _html("GitHub has registered the App. Go on in the terminal.")

    app = Starlette(
        routes=[Route(path, show), Route(f"{path}/callback", callback)],
        # A page of another site, whose name leads to 127.0.0.1, is not to read the state.
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1"])],
    )
    with run_server(app, port=port) as url:
        page.url = url + path
        yield page


def _form_page(manifest: Mapping[str, Any], action: str) -> Response:
    form = _FORM.format(
        action=escape(action),
        manifest=escape(json.dumps(manifest)),
        name=escape(str(manifest["name"])),
        host=escape(urlsplit(action).netloc),
        pretty=escape(json.dumps(manifest, indent=2)),
    )
    return _html("Register a GitHub App for the bot", body=form)


def _html(title: str, status: int = 200, *, body: str = "") -> Response:
    # No form-action: browsers apply it to redirections too, and an organization's sign-in may be on any host.
    policy = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"
    headers = {"Content-Security-Policy": policy, "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
    return HTMLResponse(_PAGE.format(title=escape(title), body=body), status, headers=headers)

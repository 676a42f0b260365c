"""Reading by sign-in with GitHub, or by the word of a reverse proxy that has signed the person in."""

from __future__ import annotations

import hmac
import ipaddress
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.errors import BackportError, GitHubError
from bot.server.budgets import Purpose
from bot.server.pages.access import AccessDenied, KnownRepository, Reader
from bot.server.pages.github_person import OAuthApp
from bot.server.pages.rendering import page
from bot.server.pages.session import Cookies, Session, SignIn
from bot.server.repositories import Repositories

log = logging.getLogger(__name__)

_SECONDS = 300.0
"""How long GitHub's word on what a person sees is believed."""
_MOST_PEOPLE = 1000
_Ask = Callable[[Sequence[KnownRepository]], Sequence[KnownRepository]]


@dataclass(slots=True)
class _Sight:
    """What each person sees, as GitHub said a while ago."""

    _answers: dict[tuple[str, KnownRepository], tuple[float, bool]] = field(default_factory=dict)

    def visible(self, person: str, repositories: Sequence[KnownRepository], ask: _Ask) -> list[KnownRepository]:
        now = time.monotonic()
        unknown = [known for known in repositories if self._answers.get((person, known), (0.0, False))[0] <= now]
        if unknown:
            seen = set(ask(unknown))
            if len(self._answers) > _MOST_PEOPLE * 10:
                self._answers.clear()
            self._answers |= {(person, known): (now + _SECONDS, known in seen) for known in unknown}
        return [known for known in repositories if self._answers.get((person, known), (0.0, False))[1]]


class GitHubAccess:
    """Readers sign in with GitHub, and see what GitHub shows them."""

    def __init__(self, app: OAuthApp, cookies: Cookies) -> None:
        self.app, self.cookies = app, cookies
        self._sight = _Sight()

    def reader(self, request: Request) -> Reader:
        """See `Access`."""
        session = self.cookies.session(request)
        if session is None:
            path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            if request.url.path == "/events" or request.method != "GET":
                raise AccessDenied(Response(status_code=401))
            raise AccessDenied(page("sign_in.html.j2", Reader(), status=401, tab="", next=quote(path)))
        return Reader(login=session.login, session=session)

    def visible(self, reader: Reader, repositories: Sequence[KnownRepository]) -> list[KnownRepository]:
        """See `Access`."""
        session = reader.session
        if session is None:
            return []
        try:
            return self._sight.visible(
                session.key, repositories, lambda unknown: self.app.visible(session.token, unknown)
            )
        except GitHubError as error:
            raise AccessDenied(page("refused.html.j2", reader, status=502, tab="", error=error)) from error

    def begin(self, request: Request) -> Response:
        """Send the person to GitHub."""
        path = request.query_params.get("next", "/")
        sign_in = SignIn(path=path if _is_local(path) else "/")
        response = RedirectResponse(self.app.sign_in_url(sign_in), 303)
        self.cookies.keep_sign_in(response, sign_in)
        return response

    def end(self, request: Request) -> Response:
        """Take the person whom GitHub sends back."""
        sign_in = self.cookies.sign_in(request)
        state, code = request.query_params.get("state", ""), request.query_params.get("code", "")
        if sign_in is None or not code or not hmac.compare_digest(sign_in.state.encode(), state.encode()):
            error = GitHubError(
                "This sign-in was not begun in this browser, or too long ago, so nobody is signed in.",
                hint="Sign in again.",
            )
            return page("refused.html.j2", Reader(), status=400, tab="", error=error)
        try:
            token = self.app.token(code, sign_in)
            session = Session(login=self.app.login(token), token=token)
        except GitHubError as error:
            return page("refused.html.j2", Reader(), status=502, tab="", error=error)
        response = RedirectResponse(sign_in.path, 303)
        self.cookies.keep_session(response, session)
        return response


class ProxyAccess:
    """A reverse proxy has signed the reader in, and says who it is in a header. Only its word counts."""

    def __init__(self, header: str, proxies: Sequence[str], repositories: Repositories) -> None:
        self._header = header
        self._networks = [ipaddress.ip_network(proxy) for proxy in proxies]
        self._repositories = repositories
        self._sight = _Sight()

    def reader(self, request: Request) -> Reader:
        """See `Access`."""
        login = request.headers.get(self._header, "")
        host = ipaddress.ip_address(request.client.host) if request.client else None
        if host is None or not any(host in network for network in self._networks) or not login:
            raise AccessDenied(page("no_proxy.html.j2", Reader(), status=403, tab=""))
        return Reader(login=login)

    def visible(self, reader: Reader, repositories: Sequence[KnownRepository]) -> list[KnownRepository]:
        """See `Access`."""
        login = reader.login or ""
        return self._sight.visible(
            login, repositories, lambda unknown: [known for known in unknown if self._sees(login, known)]
        )

    def _sees(self, login: str, repository: KnownRepository) -> bool:
        if repository.id is None:
            return False
        try:
            # Looking must not use up what is left for work.
            with self._repositories.lend(repository.id, even_if_broken=True, purpose=Purpose.READING) as context:
                is_same = context.github.repository_id == repository.id
                return is_same and context.github.permission(login) not in (None, "none")
        except BackportError as error:
            log.warning("What %s sees of %s is unknown: %s", login, repository.name, error)
            return False


def _is_local(path: str) -> bool:
    """Say whether a path leads to a page of ours: a browser takes `//host` and `/\\host` for another host."""
    return path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()

"""Keeps a sign-in in the browser: a cookie that only this service can read and write.

It holds the person's token for GitHub, so nothing of it is kept here. All processes with one secret read it.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
from dataclasses import asdict, dataclass, field

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from starlette.requests import Request
from starlette.responses import Response

_LABEL = b"backport-bot: sessions of the pages, 1"
# GitHub's own tokens for a person end after eight hours.
SESSION_SECONDS, SIGN_IN_SECONDS = 8 * 3600, 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A person who has signed in. The `key` is in no page: from it follow the texts that prove a form to be ours."""

    login: str
    token: str = field(repr=False)
    key: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)

    def form_proof(self, action: str) -> str:
        """Return what only a page that was made for this session can send with a form."""
        return hmac.digest(self.key.encode(), action.encode(), "sha256").hex()


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """A sign-in under way: what GitHub's answer has to bring back, and where the person wanted to go."""

    state: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48), repr=False)
    path: str = "/"


class Cookies:
    """Seals what a browser keeps. `is_secure`: the pages are reached by https alone."""

    def __init__(self, secret: str, *, is_secure: bool) -> None:
        key = HKDF(algorithm=SHA256(), length=32, salt=None, info=_LABEL).derive(secret.encode())
        self._fernet = Fernet(base64.urlsafe_b64encode(key))
        self._is_secure = is_secure
        # A browser takes a cookie of this prefix from no other host and from no page without TLS:
        # https://developer.mozilla.org/en-US/docs/Web/HTTP/Guides/Cookies#cookie_prefixes
        prefix = "__Host-" if is_secure else ""
        self._session, self._sign_in = f"{prefix}backport-session", f"{prefix}backport-sign-in"

    def session(self, request: Request) -> Session | None:
        """Return who has signed in; None for nobody, or if it was long ago."""
        values = self._open(request, self._session, SESSION_SECONDS)
        return Session(**values) if values is not None else None

    def sign_in(self, request: Request) -> SignIn | None:
        """Return the sign-in that this browser began."""
        values = self._open(request, self._sign_in, SIGN_IN_SECONDS)
        return SignIn(**values) if values is not None else None

    def keep_session(self, response: Response, session: Session) -> None:
        """Keep a session in the browser; the sign-in is over."""
        self._set(response, self._session, asdict(session), SESSION_SECONDS)
        self._delete(response, self._sign_in)

    def keep_sign_in(self, response: Response, sign_in: SignIn) -> None:
        """Keep in the browser that a sign-in is under way."""
        self._set(response, self._sign_in, asdict(sign_in), SIGN_IN_SECONDS)

    def forget(self, response: Response) -> None:
        """End the session in this browser."""
        self._delete(response, self._session)

    def _set(self, response: Response, name: str, values: dict[str, str], seconds: int) -> None:
        text = self._fernet.encrypt(json.dumps({"of": name, **values}).encode()).decode()
        response.set_cookie(name, text, seconds, path="/", secure=self._is_secure, httponly=True, samesite="lax")

    def _delete(self, response: Response, name: str) -> None:
        response.delete_cookie(name, path="/", secure=self._is_secure, httponly=True, samesite="lax")

    def _open(self, request: Request, name: str, seconds: int) -> dict[str, str] | None:
        try:
            values = json.loads(self._fernet.decrypt(request.cookies.get(name, "").encode(), ttl=seconds))
        except InvalidToken:
            return None
        # The content of one cookie does not stand for that of the other.
        return values if values.pop("of", "") == name else None

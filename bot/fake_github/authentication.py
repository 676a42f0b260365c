"""The sender of a request: a token, or a GitHub App that signed it.

Read from the Authorization header. No secret is logged or returned.
"""

from __future__ import annotations

import base64
import binascii

import jwt

from bot.fake_github.accounts import App, Token
from bot.fake_github.api import ApiError
from bot.fake_github.github_state import World


def identify(world: World, header: str | None) -> tuple[Token | None, App | None]:
    """Return the token or the App behind a header; neither without one. Refuses what is not known with 401."""
    if not header:
        return None, None
    scheme, _, credential = header.partition(" ")
    secret = _password(credential) if scheme.lower() == "basic" else credential.strip()
    if secret.count(".") == 2:
        return None, _app_of(world, secret)
    token = world.token(secret)
    if token is None:
        raise ApiError(401, "Bad credentials")
    return token, None


def _password(credential: str) -> str:
    """Return the secret of a Basic header. Any user name will do, as on GitHub; a lone user name is the secret."""
    try:
        user, _, password = base64.b64decode(credential, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise ApiError(401, "Bad credentials") from None
    return user if password in {"", "x-oauth-basic"} else password


def _app_of(world: World, signed: str) -> App:
    try:
        claimed = jwt.decode(signed, options={"verify_signature": False})
        app = world.apps[int(claimed["iss"])]
        jwt.decode(signed, app.public_key, algorithms=["RS256"])
    except (jwt.PyJWTError, KeyError, ValueError):
        raise ApiError(401, "A JSON web token could not be decoded") from None
    return app

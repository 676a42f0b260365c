"""The sign-in with GitHub for other sites: authorization codes with PKCE. The visitor of the pages agrees to all.

https://docs.github.com/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from bot.fake_github.accounts import OAuthCode
from bot.fake_github.github_state import World


def routes(world: World) -> list[Route]:
    """Return the page that asks a person, and the endpoint that exchanges its code for a token."""

    def authorize(request: Request) -> Response:
        query = request.query_params
        with world.lock:
            app = world.oauth_apps.get(query.get("client_id", ""))
            if app is None or world.visitor is None or not query.get("redirect_uri", "").startswith(app.callback):
                return Response("There is no such App, or nobody is signed in here.", 404)
            code = secrets.token_hex(10)
            world.oauth_codes[code] = OAuthCode(
                user=world.visitor, client_id=app.client_id, challenge=query.get("code_challenge", "")
            )
        answer = urlencode({"code": code, "state": query.get("state", "")})
        return RedirectResponse(f"{query['redirect_uri']}?{answer}", 302)

    async def exchange(request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode(errors="replace")))
        with world.lock:
            app, code = (
                world.oauth_apps.get(form.get("client_id", "")),
                world.oauth_codes.pop(form.get("code", ""), None),
            )
            if app is None or not hmac.compare_digest(app.secret, form.get("client_secret", "")):
                return JSONResponse({"error": "incorrect_client_credentials"})
            if code is None or code.client_id != app.client_id or code.challenge != _challenge(form):
                return JSONResponse({"error": "bad_verification_code"})
            token = world.issue_token(code.user, workflows=False)
        return JSONResponse({"access_token": token, "scope": "", "token_type": "bearer"})

    return [
        Route("/login/oauth/authorize", authorize),
        Route("/login/oauth/access_token", exchange, methods=["POST"]),
    ]


def _challenge(form: dict[str, str]) -> str:
    digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

"""The webhook endpoint: checks the signature, records the delivery, answers at once. Does no work itself."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.service.journal import Journal

# GitHub caps payloads at 25 MB; nothing that we answer comes near.
_LARGEST_BODY = 25 * 1024 * 1024


def signature_of(secret: str, body: bytes) -> str:
    """Return GitHub's X-Hub-Signature-256 of a body."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def webhook_app(journal: Journal, *, secret: str, accepted: Callable[[], None]) -> Starlette:
    """Return the ASGI application. `accepted` is called after a new delivery is on disk."""

    async def receive(request: Request) -> Response:
        body = await request.body()
        if len(body) > _LARGEST_BODY:
            return PlainTextResponse("payload too large", 413)
        signature = request.headers.get("x-hub-signature-256", "")
        if not hmac.compare_digest(signature.encode(), signature_of(secret, body).encode()):
            return PlainTextResponse("signature does not match the webhook secret", 401)
        try:
            payload = json.loads(body)
        except ValueError:
            return PlainTextResponse("not JSON: set the webhook's content type to application/json", 400)
        delivery_id, event = request.headers.get("x-github-delivery"), request.headers.get("x-github-event")
        if not delivery_id or not event or not isinstance(payload, dict):
            return PlainTextResponse("not a GitHub webhook delivery", 400)
        if not journal.accept(delivery_id, event, payload):
            return PlainTextResponse("known already")
        accepted()
        return PlainTextResponse("accepted", 202)

    async def health(_request: Request) -> Response:
        return PlainTextResponse(f"ok, {journal.waiting()} waiting")

    return Starlette(routes=[Route("/webhook", receive, methods=["POST"]), Route("/health", health)])

"""The webhook endpoint: checks the signature, stores deliveries that ask for work, and answers at once.

It stores nothing before the signature is checked, and bounds what it holds in memory.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any

import psycopg
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from bot.commands.triggers import Trigger, parse_delivery
from bot.server.deliveries import Deliveries, NewDelivery
from bot.server.delivery_keys import work_key
from bot.server.payload import LARGEST_BODY, parse_payload, repository_id
from bot.server.refusals import Refusals
from bot.server.repository_events import RepositoryEvent, read_event

log = logging.getLogger(__name__)

_SIGNATURE = re.compile(r"sha256=[0-9a-f]{64}")
_DELIVERY = re.compile(r"[\w.-]{1,100}", re.ASCII)
_EVENT = re.compile(r"[a-z_]{1,50}")
_MOST_IN_MEMORY = 4 * LARGEST_BODY
"""Bytes of bodies that are being read at one time."""


class _RefusedRequest(Exception):
    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        # The rest of a body is not waited for.
        self.answer = PlainTextResponse(reason, status, headers={"connection": "close"})


class _Bodies:
    """Reads bodies, and knows how much of them is in memory."""

    def __init__(self) -> None:
        self._held = 0

    async def read(self, request: Request, *, keep: bool) -> bytes:
        """Return the body; without `keep` it is only read to its end, so that the client hears the answer."""
        content_length = request.headers.get("content-length", "")
        if content_length.isdecimal() and int(content_length[:20]) > LARGEST_BODY:
            raise _RefusedRequest(413, "payload too large")
        body, size = bytearray(), 0
        try:
            async for chunk in request.stream():
                size += len(chunk)
                if keep:
                    body += chunk
                    self._held += len(chunk)
                if size > LARGEST_BODY:
                    raise _RefusedRequest(413, "payload too large")
                if self._held > _MOST_IN_MEMORY:
                    raise _RefusedRequest(503, "too many large deliveries at once: redeliver it later")
        finally:
            self._held -= len(body)
        return bytes(body)


def signature_of(secret: str, body: bytes) -> str:
    """Return GitHub's X-Hub-Signature-256 of a body."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


ReadTrigger = Callable[[str, Mapping[str, Any]], Trigger | None]
"""Reads the trigger out of an event's name and payload; None if nothing is asked of the bot, and nothing is stored."""


class DeliveryResult(StrEnum):
    """What became of a delivery: recorded, recorded before, asking for nothing, or no delivery of ours."""

    ACCEPTED = "accepted"
    KNOWN = "known"
    IGNORED = "ignored"
    REFUSED = "refused"


TakeEvent = Callable[[RepositoryEvent], None]
"""Records an event about a repository; raises psycopg.Error if nothing was recorded."""


def webhook_app(
    deliveries: Deliveries,
    *,
    secrets: Sequence[str],
    read_trigger: ReadTrigger = parse_delivery,
    take_event: TakeEvent = lambda _event: None,
    routes: Sequence[BaseRoute] = (),
    on_result: Callable[[DeliveryResult], None] = lambda _result: None,
) -> Starlette:
    """Return the ASGI application, with more `routes`. `on_result` is told what became of each delivery.

    `take_event` gets what is told of repositories themselves.

    A signature by one of the `secrets` is enough, so that they can be exchanged.
    """
    bodies, refusals = _Bodies(), Refusals()

    async def receive(request: Request) -> Response:
        try:
            body = await _read_signed(request, bodies, secrets)
            delivery = _parse(request, body, read_trigger)
            if delivery is None:
                on_result(DeliveryResult.IGNORED)
                log.info("A delivery asks for nothing.", extra=_about(request))
                return PlainTextResponse("nothing is asked of the bot")
            if not isinstance(delivery, NewDelivery):
                await run_in_threadpool(_take_event, take_event, delivery)
                on_result(DeliveryResult.ACCEPTED)
                return PlainTextResponse("accepted", 202)
            is_new = await run_in_threadpool(_record, deliveries, delivery)
        except _RefusedRequest as refusal:
            on_result(DeliveryResult.REFUSED)
            refusals.log(refusal.status, str(refusal), **_about(request))
            return refusal.answer
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is there to read it
        on_result(DeliveryResult.ACCEPTED if is_new else DeliveryResult.KNOWN)
        log.info(
            "A delivery was accepted." if is_new else "A delivery asks for what is known already.",
            extra={
                **_about(request),
                "repository": delivery.trigger.repository,
                "pull_request": delivery.trigger.pull_request,
            },
        )
        return PlainTextResponse("accepted", 202) if is_new else PlainTextResponse("known already")

    def health(_request: Request) -> Response:
        try:
            return PlainTextResponse(f"ok, {deliveries.count_open()} waiting")
        except psycopg.Error:
            return PlainTextResponse("the database does not answer", 503)

    return Starlette(routes=[Route("/webhook", receive, methods=["POST"]), Route("/health", health), *routes])


async def _read_signed(request: Request, bodies: _Bodies, secrets: Sequence[str]) -> bytes:
    signature = request.headers.get("x-hub-signature-256", "")
    has_signature = _SIGNATURE.fullmatch(signature) is not None
    # Without a signature of the right form, the body is read to its end and not kept.
    body = await bodies.read(request, keep=has_signature)
    if not has_signature or not _is_signed(body, signature, secrets):
        raise _RefusedRequest(401, "signature does not match the webhook secret")
    return body


def _is_signed(body: bytes, signature: str, secrets: Sequence[str]) -> bool:
    # The time of a comparison does not depend on how much of the signature is right.
    return any(hmac.compare_digest(signature.encode(), signature_of(secret, body).encode()) for secret in secrets)


def _parse(request: Request, body: bytes, read_trigger: ReadTrigger) -> NewDelivery | RepositoryEvent | None:
    name = request.headers.get("x-github-delivery", "")
    event = request.headers.get("x-github-event", "")
    if not _DELIVERY.fullmatch(name) or not _EVENT.fullmatch(event):
        raise _RefusedRequest(400, "not a GitHub webhook delivery")
    try:
        payload = parse_payload(body)
    except ValueError as error:
        raise _RefusedRequest(
            400, f"not JSON that GitHub sends ({error}): set the webhook's content type to application/json"
        ) from None
    trigger = read_trigger(event, payload)
    if trigger is None:
        return read_event(event, payload)
    key = work_key(trigger, payload)
    return NewDelivery(name=name, key=key, trigger=trigger, repository_id=repository_id(payload))


def _about(request: Request) -> Mapping[str, str]:
    """Return what a log line says of a request: its headers are signed by nobody, so only what looks right."""
    name = request.headers.get("x-github-delivery", "")
    event = request.headers.get("x-github-event", "")
    return {
        "delivery": name if _DELIVERY.fullmatch(name) else "",
        "github_event": event if _EVENT.fullmatch(event) else "",
        "client": request.client.host if request.client else "",
    }


def _record(deliveries: Deliveries, delivery: NewDelivery) -> bool:
    try:
        return deliveries.accept(delivery)
    # GitHub does not redeliver by itself, but shows the failure and lets a maintainer redeliver:
    # https://docs.github.com/webhooks/using-webhooks/handling-failed-webhook-deliveries
    except psycopg.Error as error:
        log.error("A delivery could not be recorded: %s", error)
        raise _RefusedRequest(503, "the delivery could not be recorded: redeliver it later") from None


def _take_event(take_event: TakeEvent, event: RepositoryEvent) -> None:
    try:
        take_event(event)
    except psycopg.Error as error:
        log.error("An event could not be recorded: %s", error)
        raise _RefusedRequest(503, "the event could not be recorded: redeliver it later") from None

"""Conditions of the webhooks that a service lives by: an App's own, or those of the repository."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from bot.adoption.rights import EVENTS
from bot.github.reader import Reader
from bot.models.diagnosis import Diagnosis, bad, good, note

_SUBJECT = "webhook"
_LATEST = 30
"""Deliveries of an App that are looked at."""


def check_webhooks(reader: Reader, service: str = "") -> Iterator[Diagnosis]:
    """Check the App's webhook, or the repository's if the account may see them. GitHub Actions needs neither.

    `service` is the address that it should have, if that is known.
    """
    app = reader.get_as_app("/app")
    if app is None:
        yield from _of_repository(reader)
        return
    hook = reader.get_as_app("/app/hook/config")
    events = app.field("events")
    if hook is None or not hook.ok or not hook.field("url") or not isinstance(events, list) or not events:
        yield note(
            _SUBJECT,
            "The App sends its events nowhere.",
            "That is right for GitHub Actions. A service hears nothing.",
            "For a service, set the webhook's address, its secret and its events in the App's settings.",
        )
        return
    yield from _hook(str(hook.field("url")), events, has_secret=bool(hook.field("secret")), place="the App's settings")
    if service and hook.field("url") != service:
        fact = f"The App sends its events to {hook.field('url')}, and not to {service}."
        yield bad(_SUBJECT, fact, "The service there hears nothing.", "Correct the address in the App's settings.")
    yield from _deliveries(reader)


def _of_repository(reader: Reader) -> Iterator[Diagnosis]:
    reply = reader.get_here("/hooks")
    hooks = reply.data if reply.ok and isinstance(reply.data, list) else []
    for hook in (hook for hook in hooks if hook.get("active") and not set(EVENTS).isdisjoint(hook.get("events", ()))):
        config = hook.get("config") or {}
        place = "Settings, Webhooks"
        yield from _hook(str(config.get("url")), hook["events"], has_secret="secret" in config, place=place)
        yield from _answer(hook.get("last_response") or {}, place)


def _hook(url: str, events: Collection[str], *, has_secret: bool, place: str) -> Iterator[Diagnosis]:
    absent = [event for event in EVENTS if event not in events]
    if absent:
        consequence = "A service at that address does not hear of such events."
        fact = f"The webhook to {url} does not send {', '.join(absent)}."
        yield bad(_SUBJECT, fact, consequence, f"Subscribe to them in {place}.")
    if not has_secret:
        consequence = "The service refuses each delivery, because anybody could have sent it."
        remedy = f"Set one in {place}, and export it as BACKPORT_BOT_SECRET."
        yield bad(_SUBJECT, f"The webhook to {url} has no secret.", consequence, remedy)
    if has_secret and not absent:
        yield good(_SUBJECT, f"Events go to {url}.")


def _deliveries(reader: Reader) -> Iterator[Diagnosis]:
    reply = reader.get_as_app(f"/app/hook/deliveries?per_page={_LATEST}")
    deliveries = reply.data if reply is not None and reply.ok and isinstance(reply.data, list) else []
    if deliveries:
        last = deliveries[0]
        yield from _answer(
            {"code": last.get("status_code"), "message": last.get("status")}, "the App's settings, Advanced"
        )


def _answer(last: Mapping[str, object], place: str) -> Iterator[Diagnosis]:
    """Say how the service answered the last delivery. A webhook that sent nothing yet tells nothing."""
    code = last.get("code")
    if code is None and last.get("status") in (None, "unused"):
        return
    if isinstance(code, int) and 200 <= code < 300:
        yield good("delivery", f"The last delivery was answered with {code}.")
    else:
        yield bad(
            "delivery",
            f"The last delivery failed: {last.get('message') or code}.",
            "The service does not get its events.",
            f"Look at the deliveries in {place}. `backport-bot reconcile` serves what was missed.",
        )

"""JSON for webhooks and their deliveries. GitHub shows no secret."""

from __future__ import annotations

from bot.fake_github.accounts import App
from bot.fake_github.api import Json
from bot.fake_github.github_state import World
from bot.fake_github.repository_records import Repository, Webhook
from bot.fake_github.serializers.repositories import api_url
from bot.fake_github.serializers.users import stamp
from bot.fake_github.webhooks import Delivery


def config_json(url: str, *, has_secret: bool) -> Json:
    """Return GitHub's `webhook-config`."""
    secret = {"secret": "********"} if has_secret else {}
    return {"url": url, "content_type": "json", "insecure_ssl": "0"} | secret


def app_config_json(app: App) -> Json:
    """Return where an App's events are sent."""
    return config_json(app.webhook_url, has_secret=bool(app.webhook_secret))


def hook_json(world: World, repository: Repository, hook: Webhook) -> Json:
    """Return GitHub's `hook` of a repository, with the answer to its last delivery."""
    url = f"{api_url(world, repository)}/hooks/{hook.id}"
    ended = [delivery for delivery in world.outbox.deliveries() if delivery.hook is hook and delivery.done]
    last: Json = {"code": None, "status": "unused", "message": None}
    if ended:
        code = ended[-1].status_code
        last = {"code": code, "status": "active" if code < 400 else "failed", "message": _words(ended[-1])}
    return {
        "type": "Repository",
        "id": hook.id,
        "name": "web",
        "active": True,
        "events": sorted(hook.events),
        "config": config_json(hook.url, has_secret=bool(hook.secret)),
        "created_at": stamp(repository.created_at),
        "updated_at": stamp(repository.created_at),
        "url": url,
        "test_url": f"{url}/tests",
        "ping_url": f"{url}/pings",
        "deliveries_url": f"{url}/deliveries",
        "last_response": last,
    }


def delivery_json(number: int, delivery: Delivery) -> Json:
    """Return GitHub's `hook-delivery-item`."""
    return {
        "id": number,
        "guid": delivery.guid,
        "delivered_at": stamp(delivery.delivered_at),
        "redelivery": False,
        "duration": 0.0,
        "status": _words(delivery),
        "status_code": delivery.status_code,
        "event": delivery.event,
        "action": delivery.payload.get("action"),
        "installation_id": None,
        "repository_id": delivery.repository_id,
    }


def _words(delivery: Delivery) -> str:
    return (
        "OK"
        if 200 <= delivery.status_code < 300
        else delivery.error or f"Invalid HTTP Response: {delivery.status_code}"
    )

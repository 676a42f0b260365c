"""Webhooks of a repository and their recorded deliveries."""

from __future__ import annotations

from bot.fake_github.accounts import Level, now
from bot.fake_github.api import Call, Json, Refusal, Reply, Routes, not_found
from bot.fake_github.serializers.repositories import api_url
from bot.fake_github.serializers.users import stamp
from bot.fake_github.state import Webhook
from bot.fake_github.webhooks import Delivery

routes = Routes()
HOOKS = "/repos/{owner}/{repo}/hooks"
HOOK = f"{HOOKS}/{{hook:int}}"


def _hook_of(call: Call) -> Webhook:
    hook = call.repository.webhooks.get(call.number("hook"))
    if hook is None:
        raise not_found()
    return hook


def _hook_json(call: Call, hook: Webhook) -> Json:
    url = f"{api_url(call.world, call.repository)}/hooks/{hook.id}"
    return {
        "type": "Repository",
        "id": hook.id,
        "name": "web",
        "active": hook.active,
        "events": hook.events,
        "config": {"url": hook.url, "content_type": "json", "insecure_ssl": "0"},
        "created_at": stamp(hook.created_at),
        "updated_at": stamp(hook.created_at),
        "url": url,
        "test_url": f"{url}/test",
        "ping_url": f"{url}/pings",
        "deliveries_url": f"{url}/deliveries",
        "last_response": {"code": None, "status": "unused", "message": None},
    }


@routes.add("GET", HOOKS, Level.ADMIN)
def list_hooks(call: Call) -> Reply:
    """Answer the webhooks."""
    return call.page(call.repository.webhooks.values(), lambda hook: _hook_json(call, hook))


@routes.add("POST", HOOKS, Level.ADMIN)
def create_hook(call: Call) -> Reply:
    """Create a webhook and ping it."""
    config = call.body.get("config") or {}
    if not config.get("url"):
        raise Refusal(422, "Validation Failed", [{"resource": "Hook", "code": "custom", "field": "url"}])
    hook = Webhook(
        id=call.world.next_id(),
        url=str(config["url"]),
        secret=str(config.get("secret") or ""),
        events=list(call.body.get("events") or ["push"]),
        created_at=now(),
        active=bool(call.body.get("active", True)),
    )
    call.repository.webhooks[hook.id] = hook
    ping = {"zen": "Keep it logically awesome.", "hook_id": hook.id, "hook": _hook_json(call, hook)}
    call.world.outbox.send_to(hook, call.repository, "ping", ping)
    return Reply(_hook_json(call, hook), 201)


@routes.add("GET", HOOK, Level.ADMIN)
def get_hook(call: Call) -> Reply:
    """Answer one webhook."""
    return Reply(_hook_json(call, _hook_of(call)))


@routes.add("DELETE", HOOK, Level.ADMIN)
def delete_hook(call: Call) -> Reply:
    """Delete a webhook."""
    del call.repository.webhooks[_hook_of(call).id]
    return Reply(status=204)


@routes.add("GET", f"{HOOK}/deliveries", Level.ADMIN)
def list_deliveries(call: Call) -> Reply:
    """Answer what was sent, newest first."""
    hook = _hook_of(call)
    sent = [one for one in call.world.outbox.deliveries() if one.hook is hook and one.done]
    return call.page(sent[::-1], _delivery_json)


@routes.add("GET", f"{HOOK}/deliveries/{{delivery:int}}", Level.ADMIN)
def get_delivery(call: Call) -> Reply:
    """Answer one delivery with request and response."""
    delivery = _delivery_of(call)
    request = {"headers": delivery.request_headers, "payload": delivery.payload}
    response = {"headers": delivery.response_headers, "payload": delivery.response_body}
    return Reply(_delivery_json(delivery) | {"url": delivery.hook.url, "request": request, "response": response})


@routes.add("POST", f"{HOOK}/deliveries/{{delivery:int}}/attempts", Level.ADMIN)
def redeliver(call: Call) -> Reply:
    """Send a delivery again, with the same guid."""
    call.world.outbox.redeliver(_delivery_of(call).id)
    return Reply({}, 202)


def _delivery_of(call: Call) -> Delivery:
    hook = _hook_of(call)
    for one in call.world.outbox.deliveries():
        if one.hook is hook and one.id == call.number("delivery"):
            return one
    raise not_found()


def _delivery_json(delivery: Delivery) -> Json:
    answered = 200 <= delivery.status_code < 300
    return {
        "id": delivery.id,
        "guid": delivery.guid,
        "delivered_at": stamp(delivery.delivered_at),
        "redelivery": delivery.redelivery,
        "duration": delivery.duration,
        "status": "OK" if answered else delivery.error or f"Invalid HTTP Response: {delivery.status_code}",
        "status_code": delivery.status_code,
        "event": delivery.event,
        "action": delivery.action,
        "installation_id": None,
        "repository_id": delivery.repository_id,
        "throttled_at": None,
    }

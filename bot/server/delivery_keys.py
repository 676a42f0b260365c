"""Names the work of a delivery by a key, so that the same work under another delivery id is done once.

GitHub signs the body and not the headers, so an attacker could send a recorded delivery again under a new id. Also, an
App's webhook and a repository's own webhook report the same comment.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, assert_never

from bot.commands.triggers import ChangeTrigger, CommentTrigger, LabelTrigger, MergeTrigger, Trigger


def work_key(trigger: Trigger, payload: Mapping[str, Any]) -> str:
    """Return the key of the work that a delivery asks for; `trigger` is what was read out of its payload."""
    about: tuple[object, ...]
    match trigger:
        case CommentTrigger():
            about = ("comment", trigger.comment_id)
        case LabelTrigger():
            # Taken off and put on again, it asks again.
            about = ("label", trigger.pull_request, trigger.label, _moment(payload))
        case MergeTrigger():
            about = ("merge", trigger.pull_request)
        case ChangeTrigger():
            about = ("change", trigger.pull_request, payload.get("action"), _head(payload), _moment(payload))
        case _:
            assert_never(trigger)
    return json.dumps([trigger.repository.casefold(), *about])


def _moment(payload: Mapping[str, Any]) -> str:
    return str(payload["pull_request"].get("updated_at", ""))


def _head(payload: Mapping[str, Any]) -> str:
    head = payload["pull_request"].get("head")
    return str(head.get("sha", "")) if isinstance(head, dict) else ""

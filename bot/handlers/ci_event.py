"""Reads the event that a CI run begins with: a file that the CI wrote, or a comment's number.

`bot.commands.triggers` says what an event means.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.errors import RunFolderError

DISPATCH = "workflow_dispatch"
_EVENTS = ("issue_comment", "pull_request", DISPATCH)


@dataclass(frozen=True, slots=True)
class Event:
    """`name` is GitHub's name for webhooks. With a `comment_id` the comment is asked of GitHub, with its author."""

    name: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    comment_id: int | None = None

    @property
    def may_ask(self) -> bool:
        """Whether events of this name can ask anything of the bot."""
        return self.name in _EVENTS


def read_event(name: str, file: Path) -> Event:
    """Read an event file, as GITHUB_EVENT_NAME and GITHUB_EVENT_PATH name it. Raises RunFolderError."""
    try:
        payload = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise RunFolderError(f"The event file {file} cannot be read: {error}.", hint="Give a webhook's JSON.") from None
    if not isinstance(payload, dict):
        raise RunFolderError(f"The event file {file} holds no JSON object.", hint="Give a webhook's JSON.")
    # The payloads are the same; only the trust that Actions puts into the run differs.
    return Event("pull_request" if name == "pull_request_target" else name, payload)

"""Runs the first stage of a CI: reads its event, and shows with 👀 that a comment was seen, before anything slow.

What follows takes a second to import, and then minutes where a repository is large. So this module imports it last.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from bot.commands.parser import holds_command
from bot.commands.triggers import AnyTrigger, CommentTrigger, parse_delivery, parse_dispatch
from bot.environment import credentials
from bot.errors import ConfigError
from bot.github.client import GitHubClient
from bot.github.connection_settings import ConnectionSettings
from bot.handlers.ci_event import DISPATCH, Event
from bot.handlers.ci_ready import Ready
from bot.models import Progress


def run_plan(
    folder: Path, event: Event, settings: ConnectionSettings, *, config: Path | None, progress: Progress
) -> Ready:
    """Answer an event and return what is to be picked, and how. An event that asks for nothing opens no connection.

    `folder` is the run folder. `config` is a local file; without it backport.yaml is read from the repository's default
    branch.

    Raises:
        ConfigError: the configuration cannot be used; the requester got a reply that says so.
    """
    if not event.may_ask:
        return Ready()
    account = credentials.require_account("nothing was planned")
    signing_key = credentials.signing_key(account)
    with closing(settings.client(account)) as client:
        trigger = _read_trigger(event, client, progress)
        if trigger is None:
            return Ready()
        _acknowledge(trigger, client)
        from bot.handlers.plan_job import plan_event  # noqa: PLC0415 - see above

        return plan_event(trigger, folder, client, settings, account, signing_key, config=config, progress=progress)


def _read_trigger(event: Event, client: GitHubClient, progress: Progress) -> AnyTrigger | None:
    payload = event.payload if event.comment_id is None else client.comment_delivery(event.comment_id)
    trigger = _parse(event, payload, client.login)
    if trigger is not None and trigger.repository.casefold() == client.repository.casefold():
        return trigger
    if event.comment_id is not None:
        progress(_asks_nothing(event.comment_id, payload))
    return None


def _parse(event: Event, payload: Mapping[str, Any], own_login: str) -> AnyTrigger | None:
    if event.name != DISPATCH:
        return parse_delivery(event.name, payload, own_login=own_login)
    trigger = parse_dispatch(payload, own_login=own_login)
    if trigger is None:
        # The person looks at the run, which must not look like a success.
        raise ConfigError(
            "The run names no pull request, or no person started it, so nothing was planned.",
            hint="Give the inputs `pull_request` and `branches`; docs/ci.md has the workflow.",
        )
    return trigger


def _asks_nothing(comment_id: int, payload: Mapping[str, Any]) -> str:
    if payload.get("action") == "edited":
        return f"Comment {comment_id} was edited after it was written, so it is no command. Write it in a new comment."
    return f"Comment {comment_id} is not a person's on a pull request, so nothing was planned."


def _acknowledge(trigger: AnyTrigger, client: GitHubClient) -> None:
    if isinstance(trigger, CommentTrigger) and holds_command(trigger.body):
        client.react(trigger.comment_id, "eyes")

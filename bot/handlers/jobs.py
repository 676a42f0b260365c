"""Each stage as a job runs it: the doors it needs opened, its work done, its outputs for the jobs that follow.

Owns which stage gets which door and which secret. `prove` gets none, and drops a token that was left lying around.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bot.commands.events import parse_delivery
from bot.config import Config
from bot.environment import credentials
from bot.environment.credentials import Account
from bot.environment.signing import SigningKey
from bot.errors import ConfigError
from bot.git.mirror import open_mirror
from bot.git.repository import Repository
from bot.github.client import GitHubClient
from bot.handlers.comment import refuse
from bot.handlers.event import Event
from bot.handlers.stages import needs_account, pick_targets, plan_trigger, prove_target, publish_all
from bot.models import Progress, TargetOutcome, Verdict
from bot.pick.caches import PickCaches
from bot.pick.context import PickContext
from bot.pipeline.context import ConnectionSettings, RepositoryContext, open_connections, open_elsewhere
from bot.pipeline.records import Plan, Planned, kind_of
from bot.pipeline.run_folder import RunFolder
from bot.pipeline.seal import seal_picks
from bot.pipeline.settings import Settings, keep_local_settings, keep_repository_settings, read_settings


@dataclass(frozen=True, slots=True)
class Ready:
    """What the jobs after the plan go by: the targets to pick, and the digest over plan/.

    `account`: the pick takes the account that publishes. `runner`: the labels of the machine that proves, where the
    configuration names one.
    """

    targets: tuple[Planned, ...] = ()
    seal: str = ""
    account: bool = False
    runner: tuple[str, ...] = ()


def run_plan(
    folder: RunFolder, event: Event, connection: ConnectionSettings, *, config: Path | None, progress: Progress
) -> Ready:
    """Answer an event and return what is to be picked, and how; an event that asks for nothing opens no door.

    `config` is a file at hand; without it backport.yaml is read from the repository's default branch.

    Raises:
        ConfigError: the configuration cannot be used, which whoever asked was told.
    """
    if not event.may_ask:
        return Ready()
    account = credentials.require_account("nothing was planned")
    signing = credentials.signing_key(account)
    with open_connections(connection, account) as (client, mirror):
        payload = event.payload if event.comment_id is None else client.comment_delivery(event.comment_id)
        trigger = parse_delivery(event.name, payload, own_login=client.login)
        if trigger is None or trigger.repository.casefold() != client.repository.casefold():
            if event.comment_id is not None:
                progress(_asks_nothing(event.comment_id, payload))
            return Ready()
        try:
            settings = _kept_settings(config, client, mirror, folder)
        except ConfigError as error:
            # The run's log is seen by few; whoever asked is not left without an answer.
            bare = Settings(Config(repository=client.repository), {})
            with _open_context(
                client, _pick_context(mirror, bare, connection, progress), connection, account, signing
            ) as context:
                refuse(trigger, error, context)
            raise
        with _open_context(
            client, _pick_context(mirror, settings, connection, progress), connection, account, signing
        ) as context:
            plan_trigger(trigger, folder, context)
    return _ready(folder, settings)


def _asks_nothing(comment_id: int, payload: Mapping[str, Any]) -> str:
    if payload.get("action") == "edited":
        return f"Comment {comment_id} was edited after it was written, so it is no command. Write it in a new comment."
    return f"Comment {comment_id} is not a person's on a pull request, so nothing was planned."


def _kept_settings(config: Path | None, client: GitHubClient, mirror: Repository, folder: RunFolder) -> Settings:
    return keep_local_settings(config, folder) if config else keep_repository_settings(client, mirror, folder)


def _ready(folder: RunFolder, settings: Settings) -> Ready:
    plan, prove = folder.plan(), settings.config.prove
    return Ready(
        targets=plan.planned(),
        seal=folder.seal("plan"),
        account=needs_account(plan, verified=settings.config.commit.verified),
        runner=prove.actions.labels if prove.runner == "github-actions" else (),
    )


def run_pick(
    folder: RunFolder,
    targets: Sequence[str],
    connection: ConnectionSettings,
    *,
    seal: str | None = None,
    progress: Progress,
) -> tuple[str, ...]:
    """Pick some targets, or all without naming any; returns one line about each.

    A token is needed to read only, and the account that publishes where `needs_account` says so. `seal` is what the
    plan was sealed with, where that is known.
    """
    if seal is not None:
        folder.check_seal(seal, "plan")
    plan, settings = folder.plan(), read_settings(folder)
    with _open_for_pick(plan, settings, connection, progress) as (context, repository):
        picks = pick_targets(targets or [planned.id for planned in plan.planned()], folder, context, repository)
    return tuple(f"{identity}: {picked.branch}: {kind_of(picked)}" for identity, picked in picks.items())


@contextmanager
def _open_for_pick(
    plan: Plan, settings: Settings, connection: ConnectionSettings, progress: Progress
) -> Iterator[tuple[PickContext, RepositoryContext | None]]:
    """Open the mirror, and the account only if the pick takes one: the fewer secrets a job holds, the better."""
    if needs_account(plan, verified=settings.config.commit.verified):
        account = credentials.require_account("nothing was picked")
        connection = replace(connection, repository=plan.repository)
        with (
            open_connections(connection, account) as (client, mirror),
            _open_context(
                client, _pick_context(mirror, settings, connection, progress), connection, account
            ) as context,
        ):
            yield context.pick, context
        return
    token = credentials.take(credentials.TOKEN)
    with open_mirror(plan.clone_url, connection.directory / "mirror.git", token=token) as mirror:
        yield _pick_context(mirror, settings, connection, progress), None


def run_seal(folder: RunFolder) -> tuple[str, tuple[Planned, ...]]:
    """Return the seal of the folder and the targets that are to be proven."""
    sealed = seal_picks(folder)
    return sealed.seal, sealed.to_prove


def run_prove(
    folder: RunFolder, targets: Sequence[str], *, seal: str | None = None, progress: Progress
) -> dict[str, Verdict]:
    """Prove some targets, or all that have a candidate; returns the verdicts.

    `seal` is what the folder was sealed with, where that is known: code of another proof may have replaced what this
    one is given. Raises RunFolderError where it is not so any more; then nothing is run.
    """
    for name in credentials.SECRETS:
        credentials.drop(name)
    if seal is not None:
        folder.check_seal(seal)
    named = targets or [each.id for each in seal_picks(folder).to_prove]
    return {each: prove_target(each, folder, progress=progress) for each in named}


def run_publish(
    folder: RunFolder,
    seal: str,
    connection: ConnectionSettings,
    *,
    again: RunFolder | None = None,
    evidence_url: str = "",
    progress: Progress,
) -> tuple[TargetOutcome, ...]:
    """Publish what was proven; returns how every target ended that has. See `publish_all` for the options."""
    account = credentials.require_account("nothing was published")
    signing = credentials.signing_key(account)
    folder.check_seal(seal)
    with (
        open_connections(connection, account) as (client, mirror),
        _open_context(
            client, _pick_context(mirror, read_settings(folder), connection, progress), connection, account, signing
        ) as context,
    ):
        return publish_all(folder, seal, context, again=again, evidence_url=evidence_url)


def _pick_context(
    mirror: Repository, settings: Settings, connection: ConnectionSettings, progress: Progress
) -> PickContext:
    return PickContext(
        mirror=mirror,
        config=settings.config,
        patches=settings.patches,
        progress=progress,
        caches=PickCaches.open(connection.directory),
    )


@contextmanager
def _open_context(
    client: GitHubClient,
    pick: PickContext,
    connection: ConnectionSettings,
    account: Account,
    signing: SigningKey | None = None,
) -> Iterator[RepositoryContext]:
    run = os.environ.get("GITHUB_RUN_ID", "")
    context = RepositoryContext(pick=pick, github=client, signing=signing, run=run)
    with open_elsewhere(context, connection, account) as complete:
        yield complete


def matrix(targets: Iterable[Planned]) -> list[dict[str, str | int]]:
    """Return what a matrix of jobs needs of each target."""
    return [{"id": each.id, "branch": each.target, "original": each.request.original.number} for each in targets]


def write_outputs(outputs: dict[str, object]) -> None:
    """Give a GitHub Actions job its outputs, one line of JSON each; does nothing elsewhere."""
    file = os.environ.get("GITHUB_OUTPUT")
    if not file:
        return
    with Path(file).open("a", encoding="utf-8") as lines:
        for name, value in outputs.items():
            # json.dumps leaves no line break in a branch name, so no value can begin another output.
            lines.write(f"{name}={value if isinstance(value, str) else json.dumps(value)}\n")

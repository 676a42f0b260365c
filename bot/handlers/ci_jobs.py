"""Runs each stage as a CI job: opens the connections that it may use, and runs it.

A stage gets only the secrets that it needs. `prove` gets none, and drops a token that its environment holds.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bot.commands.triggers import AnyTrigger, parse_delivery, parse_dispatch
from bot.config import Config, ProveConfig
from bot.environment import credentials
from bot.environment.signing import SigningKey
from bot.errors import ConfigError, RunFolderError
from bot.git.mirror import open_mirror
from bot.handlers.ci_event import DISPATCH, Event
from bot.handlers.serve_trigger import refuse
from bot.handlers.stages import needs_account, pick_targets, plan_trigger, prove_target, publish_all
from bot.models import Progress, TargetOutcome, Verdict
from bot.pick.context import PickContext
from bot.pipeline.context import RepositoryContext
from bot.pipeline.open_context import Connection, ConnectionSettings, open_connection, pick_context
from bot.pipeline.run_folder import RunFolder, proof_name
from bot.pipeline.run_folder_records import Plan, PlannedTarget, kind_of
from bot.pipeline.run_settings import RunSettings, keep_local_settings, keep_repository_settings, read_settings
from bot.pipeline.seal import seal_picks


@dataclass(frozen=True, slots=True)
class Ready:
    """What the jobs after the plan need: the targets to pick, and the digest over plan/.

    `account`: the pick needs the account that publishes. `runner`: the labels of the machine that proves, if the
    configuration names one. `results` are the targets that ended with the plan.
    """

    targets: tuple[PlannedTarget, ...] = ()
    results: tuple[TargetOutcome, ...] = ()
    seal: str = ""
    account: bool = False
    runner: tuple[str, ...] = ()


def run_plan(
    folder: RunFolder, event: Event, settings: ConnectionSettings, *, config: Path | None, progress: Progress
) -> Ready:
    """Answer an event and return what is to be picked, and how. An event that asks for nothing opens no connection.

    `config` is a local file; without it backport.yaml is read from the repository's default branch.

    Raises:
        ConfigError: the configuration cannot be used; the requester got a reply that says so.
    """
    if not event.may_ask:
        return Ready()
    account = credentials.require_account("nothing was planned")
    signing_key = credentials.signing_key(account)
    with open_connection(replace(settings, partial=True), account, progress) as connection:
        client = connection.client
        payload = event.payload if event.comment_id is None else client.comment_delivery(event.comment_id)
        trigger = _trigger(event, payload, client.login)
        if trigger is None or trigger.repository.casefold() != client.repository.casefold():
            if event.comment_id is not None:
                progress(_asks_nothing(event.comment_id, payload))
            return Ready()
        try:
            run_settings = _keep_settings(config, connection, folder, progress)
        except ConfigError as error:
            # Few people see the run's log, so the requester gets a reply as well.
            defaults = RunSettings(Config(repository=client.repository), {})
            with _open_context(connection, defaults, signing_key) as context:
                refuse(trigger, error, context)
            raise
        with _open_context(connection, run_settings, signing_key) as context:
            plan_trigger(trigger, folder, context)
    return _ready(folder, run_settings)


def _trigger(event: Event, payload: Mapping[str, Any], own_login: str) -> AnyTrigger | None:
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


def _keep_settings(config: Path | None, connection: Connection, folder: RunFolder, progress: Progress) -> RunSettings:
    if config is not None:
        progress(f"Configuration: {config}.")
        return keep_local_settings(config, folder, connection.client.repository)
    return keep_repository_settings(connection.client, connection.mirror, folder, progress)


def _ready(folder: RunFolder, settings: RunSettings) -> Ready:
    plan, prove = folder.plan(), settings.config.prove
    return Ready(
        targets=plan.planned_targets(),
        results=plan.outcomes(),
        seal=folder.seal("plan"),
        account=needs_account(plan, verified=settings.config.commit.verified),
        runner=prove.actions.labels if prove.runner == "github-actions" else (),
    )


def run_pick(
    folder: RunFolder,
    targets: Sequence[str],
    settings: ConnectionSettings,
    *,
    seal: str | None = None,
    progress: Progress,
) -> tuple[str, ...]:
    """Pick some targets, or all without naming any; returns one line about each.

    The token needs only read access, unless `needs_account` asks for the account that publishes. `seal` is the digest
    of the plan, if the caller has it.
    """
    if seal is not None:
        folder.check_seal(seal, "plan")
    plan, run_settings = folder.plan(), read_settings(folder)
    with _open_for_pick(plan, run_settings, settings, progress) as (context, repository):
        picks = pick_targets(targets or [target.id for target in plan.planned_targets()], folder, context, repository)
    return tuple(f"{identity}: {plan.find(identity).target}: {kind_of(result)}" for identity, result in picks.items())


@contextmanager
def _open_for_pick(
    plan: Plan, run_settings: RunSettings, settings: ConnectionSettings, progress: Progress
) -> Iterator[tuple[PickContext, RepositoryContext | None]]:
    """Open the mirror, and the account only if the pick takes one: the fewer secrets a job holds, the better."""
    if needs_account(plan, verified=run_settings.config.commit.verified):
        account = credentials.require_account("nothing was picked")
        with (
            open_connection(replace(settings.to(plan.repository), partial=True), account, progress) as connection,
            _open_context(connection, run_settings) as context,
        ):
            yield context.pick, context
        return
    token = credentials.take(credentials.TOKEN)
    with open_mirror(plan.clone_url, settings.directory / "mirror.git", token=token, partial=True) as mirror:
        yield pick_context(mirror, run_settings.config, run_settings.patches, settings, progress), None


@dataclass(frozen=True, slots=True)
class PlannedProof:
    """A target that is to be proven; on one `device` of several, with the `labels` of its runner, if there are any."""

    target: PlannedTarget
    device: str = ""
    labels: tuple[str, ...] = ()
    extras: str = "tests"
    """The extras of the bot that the runner needs, unless it has what is in them."""


def run_seal(folder: RunFolder) -> tuple[str, tuple[PlannedProof, ...]]:
    """Return the seal of the folder and the proofs that are to be made: each target on each device."""
    picks, prove = seal_picks(folder), read_settings(folder).config.prove
    places = [(entry.name, entry.labels or (), prove.for_device(entry.name)) for entry in prove.devices]
    proofs = (
        PlannedProof(target, name, labels, _extras(target, settings))
        for target in picks.to_prove
        for name, labels, settings in places or [("", (), prove)]
    )
    return picks.seal, tuple(proofs)


def _extras(target: PlannedTarget, prove: ProveConfig) -> str:
    """A carried patch's suite needs torch, if no image brings it; the tests of an original need pytest at most."""
    return "suite" if target.plan.patch and not prove.containers else "tests"


def run_prove(
    folder: RunFolder, targets: Sequence[str], *, device: str | None = None, seal: str | None = None, progress: Progress
) -> dict[str, Verdict]:
    """Prove some targets, or all that have a candidate; returns the verdicts by the names of their files.

    `device` is one of the configured devices; without it a target is proven on all of them, one after the other.

    `seal` is the digest of the folder, if the caller has it: the code of another proof may have replaced files. Raises
    RunFolderError if the folder was changed since; then nothing is run.
    """
    # The suites run as children of this job, and could read its environment.
    for name in credentials.SECRETS:
        credentials.drop(name)
    if seal is not None:
        folder.check_seal(seal)
    ids = targets or [target.id for target in seal_picks(folder).to_prove]
    return {
        proof_name(target, name): prove_target(target, folder, device=name, progress=progress)
        for target in ids
        for name in _devices(folder, device)
    }


def _devices(folder: RunFolder, device: str | None) -> Sequence[str]:
    """Return the devices to prove on; one that is empty if none are configured."""
    names = [entry.name for entry in read_settings(folder).config.prove.devices]
    if device and device not in names:
        raise RunFolderError(
            f"The configuration has no device {device}; nothing was run.", hint=f"It has: {', '.join(names) or 'none'}."
        )
    return [device] if device else names or [""]


def run_publish(
    folder: RunFolder,
    seal: str,
    settings: ConnectionSettings,
    *,
    next_round: RunFolder | None = None,
    evidence_url: str = "",
    progress: Progress,
) -> tuple[TargetOutcome, ...]:
    """Publish what was proven; returns how every target ended that has. See `publish_all` for the options."""
    account = credentials.require_account("nothing was published")
    signing_key = credentials.signing_key(account)
    folder.check_seal(seal)
    with (
        open_connection(replace(settings, partial=True), account, progress) as connection,
        _open_context(connection, read_settings(folder), signing_key) as context,
    ):
        return publish_all(folder, seal, context, next_round=next_round, evidence_url=evidence_url)


def _open_context(
    connection: Connection, settings: RunSettings, signing_key: SigningKey | None = None
) -> AbstractContextManager[RepositoryContext]:
    # GitHub Actions names the run of a workflow: https://docs.github.com/actions/reference/workflows-and-actions/variables
    run = os.environ.get("GITHUB_RUN_ID", "")
    return connection.open_context(settings.config, settings.patches, signing_key=signing_key, run=run)

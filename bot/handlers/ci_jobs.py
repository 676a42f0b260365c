"""Runs each stage after the plan as a CI job: opens the connections that it may use, and runs it.

A stage gets only the secrets that it needs. `prove` gets none, and drops a token that its environment holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from bot.config import ProveConfig
from bot.environment import credentials
from bot.errors import RunFolderError
from bot.git.mirror import open_mirror
from bot.github.connection_settings import ConnectionSettings
from bot.handlers.plan_job import open_run_context
from bot.handlers.stages import needs_account, pick_targets, prove_target, publish_all
from bot.models import Progress, TargetOutcome, Verdict
from bot.pick.context import PickContext
from bot.pipeline.context import RepositoryContext
from bot.pipeline.open_context import open_connection, pick_context
from bot.pipeline.run_folder import RunFolder, proof_name
from bot.pipeline.run_folder_records import Plan, PlannedTarget, kind_of
from bot.pipeline.run_settings import RunSettings, read_settings
from bot.pipeline.seal import seal_picks


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
            open_run_context(connection, run_settings) as context,
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
        open_run_context(connection, read_settings(folder), signing_key) as context,
    ):
        return publish_all(folder, seal, context, next_round=next_round, evidence_url=evidence_url)

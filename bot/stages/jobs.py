"""Each stage as a job runs it: the doors it needs opened, its work done, its outputs for the jobs that follow.

Owns which stage gets which door and which secret. `prove` gets none, and drops a token that was left lying around.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from bot import credentials
from bot.git.repository import Repository
from bot.model import Progress, TargetResult, Verdict
from bot.pick.rung import Knowledge
from bot.stages.event import Event
from bot.stages.folder import RunFolder
from bot.stages.picking import pick_target
from bot.stages.planning import plan_trigger
from bot.stages.proving import prove_target
from bot.stages.publishing import publish_all
from bot.stages.records import Planned
from bot.stages.sealing import seal_picks
from bot.stages.settings import keep_local_settings, keep_repository_settings, read_settings
from bot.triggers import parse_delivery
from bot.workflow.workplace import Doors, Workplace, Workshop, opened_doors


def run_plan(
    folder: RunFolder, event: Event, doors: Doors, *, config: Path | None, progress: Progress
) -> tuple[Planned, ...]:
    """Answer an event and return the targets that are to be picked; an event that asks for nothing opens no door.

    `config` is a file at hand; without it backport.yaml is read from the repository's default branch.
    """
    if not event.may_ask:
        return ()
    token = credentials.require_account("nothing was planned")
    with opened_doors(doors, token) as (client, mirror):
        payload = event.payload if event.comment_id is None else client.comment_delivery(event.comment_id)
        trigger = parse_delivery(event.name, payload, own_login=client.login)
        if trigger is None or trigger.repository.casefold() != client.repository.casefold():
            return ()
        settings = keep_local_settings(config, folder) if config else keep_repository_settings(client, mirror, folder)
        at = Workplace(
            github=client,
            mirror=mirror,
            config=settings.config,
            patches=settings.patches,
            progress=progress,
            knowledge=Knowledge.kept_in(doors.directory),
        )
        return plan_trigger(trigger, folder, at).planned()


def run_pick(folder: RunFolder, targets: Sequence[str], directory: Path, *, progress: Progress) -> tuple[str, ...]:
    """Pick some targets, or all without naming any; returns one line about each. A token is needed to read only."""
    plan, settings, token = folder.plan(), read_settings(folder), credentials.take(credentials.TOKEN)
    with Repository.mirror(plan.clone_url, directory / "mirror.git", token=token) as mirror:
        at = Workshop(
            mirror=mirror,
            config=settings.config,
            patches=settings.patches,
            progress=progress,
            knowledge=Knowledge.kept_in(directory),
        )
        picked = {each: pick_target(each, folder, at) for each in targets or [one.id for one in plan.planned()]}
    return tuple(f"{target}: {each.made.value.branch}: {each.made.kind}" for target, each in picked.items())


def run_seal(folder: RunFolder) -> tuple[str, tuple[Planned, ...]]:
    """Return the seal of the folder and the targets that are to be proven."""
    sealed = seal_picks(folder)
    return sealed.seal, sealed.to_prove


def run_prove(folder: RunFolder, targets: Sequence[str], *, progress: Progress) -> dict[str, Verdict]:
    """Prove some targets, or all that have a candidate; returns the verdicts."""
    for name in (credentials.TOKEN, credentials.APP_ID, credentials.PRIVATE_KEY):
        credentials.take(name)
    named = targets or [each.id for each in seal_picks(folder).to_prove]
    return {each: prove_target(each, folder, progress=progress) for each in named}


def run_publish(folder: RunFolder, seal: str, doors: Doors, *, progress: Progress) -> tuple[TargetResult, ...]:
    """Publish what was proven; returns how every target branch ended."""
    token = credentials.require_account("nothing was published")
    folder.check_seal(seal)
    settings = read_settings(folder)
    with opened_doors(doors, token) as (client, mirror):
        at = Workplace(
            github=client,
            mirror=mirror,
            config=settings.config,
            patches=settings.patches,
            progress=progress,
            knowledge=Knowledge.kept_in(doors.directory),
        )
        return publish_all(folder, seal, at)


def matrix(targets: Iterable[Planned]) -> list[dict[str, str | int]]:
    """Return what a matrix of jobs needs of each target."""
    return [{"id": each.id, "branch": each.plan.branch, "original": each.request.original.number} for each in targets]


def write_outputs(outputs: dict[str, object]) -> None:
    """Give a GitHub Actions job its outputs, one line of JSON each; does nothing elsewhere."""
    file = os.environ.get("GITHUB_OUTPUT")
    if not file:
        return
    with Path(file).open("a", encoding="utf-8") as lines:
        for name, value in outputs.items():
            # json.dumps leaves no line break in a branch name, so no value can begin another output.
            lines.write(f"{name}={value if isinstance(value, str) else json.dumps(value)}\n")

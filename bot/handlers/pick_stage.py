"""The second stage: the candidates, newest branch first, with their objects in bundles.

Owns pick/. Needs read access to the repository and runs nobody's code; a way to GitHub only where commits are to be
written there, or targets are in other repositories.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from bot.git.bundle import write_bundle
from bot.models import AlreadyApplied, Candidate, Conflicted, Sha
from bot.pipeline import run
from bot.pipeline.context import Backport, Workplace, Workshop
from bot.pipeline.learn_backports import is_certain, learn_backports, serving_order
from bot.pipeline.publish import check_rights
from bot.pipeline.records import Picked, Plan, Planned, tagged
from bot.pipeline.repositories import place_of
from bot.pipeline.run_folder import RunFolder
from bot.pipeline.verified_commits import signed_by_github


def needs_account(plan: Plan, *, verified: bool) -> bool:
    """Say whether picking takes the bot's own account: GitHub is to write commits, or a target is elsewhere."""
    return verified or any(each.target != each.plan.branch for each in plan.planned())


def pick_targets(targets: Sequence[str], folder: RunFolder, at: Workshop) -> dict[str, Picked]:
    """Make the candidates of planned targets and write them down; every ending is written, none is an exception.

    The branches of one request help each other as on the line. Whether a sibling will be opened is not known here: the
    candidate names the commits that it was made from, and is published only after them.

    Raises:
        RunFolderError: there is no such target in the plan.
    """
    plan = folder.plan()
    learn_backports(at)
    siblings: defaultdict[str, list[Candidate]] = defaultdict(list)
    picked: dict[str, Picked] = {}
    for planned in _in_order([plan.find(target) for target in targets], at):
        picked[planned.id] = _pick_target(planned, tuple(siblings[planned.request.key]), folder, at)
        made = picked[planned.id].made.value
        if isinstance(made, Candidate) and is_certain(made):
            siblings[planned.request.key].append(made)
    return picked


def _in_order(planned: Sequence[Planned], at: Workshop) -> list[Planned]:
    """Return the targets request by request, each in the order in which the line would serve them."""
    ordered: list[Planned] = []
    for request in {each.request.key: each.request for each in planned}.values():
        of_request = {each.target: each for each in planned if each.request.key == request.key}
        ordered += [of_request[name] for name in serving_order(of_request, at.patch_for(request.original))]
    return ordered


def _pick_target(planned: Planned, siblings: tuple[Candidate, ...], folder: RunFolder, at: Workshop) -> Picked:
    backport = planned.request.backport(at.patch_for(planned.request.original), siblings=siblings)
    again = backport.asking(planned.target)
    made = run.contained(planned.target, lambda: _pick(planned, backport, folder, at), retry=again)
    picked = Picked.model_validate({"made": tagged(made)})
    folder.write(f"pick/{planned.id}.json", picked)
    return picked


def _pick(
    planned: Planned, backport: Backport, folder: RunFolder, at: Workshop
) -> Candidate | Conflicted | AlreadyApplied:
    there = _brought(planned, at)
    made = run.pick(planned.plan, backport, there)
    if not isinstance(made, Candidate):
        return replace(made, branch=planned.target)
    made = _signed(made, there)
    write_bundle(there.mirror, made.base_commit, made.commit, folder.made(f"pick/{planned.id}.bundle"))
    return made


def _brought(planned: Planned, at: Workshop) -> Workshop:
    """Return where the target is, with all commits at hand there that its plan names."""
    wanted: list[Sha] = [*planned.plan.commits, *planned.request.companion_originals.values()]
    at.mirror.fetch(wanted)
    there = place_of(planned.target, at)[0] if isinstance(at, Workplace) else at
    there.mirror.fetch([planned.plan.base_commit])
    return there


def _signed(candidate: Candidate, at: Workshop) -> Candidate:
    if not isinstance(at, Workplace):
        return candidate  # nothing of it needs an account, see `needs_account`
    check_rights(candidate, at)
    return signed_by_github(candidate, at)

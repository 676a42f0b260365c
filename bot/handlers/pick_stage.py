"""The second stage: the candidates, newest branch first, with their objects in bundles.

Owns pick/. Needs read access to the repository and runs nobody's code; a way to GitHub only where commits are to be
written there, or targets are in other repositories.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from bot.git.bundle import write_bundle
from bot.models import AlreadyApplied, Candidate, Conflicted
from bot.pick.context import PickContext
from bot.pipeline import run
from bot.pipeline.context import Backport, RepositoryContext
from bot.pipeline.learn_backports import is_certain, learn_backports, serving_order
from bot.pipeline.publish import check_rights
from bot.pipeline.records import Picked, Plan, Planned, tagged
from bot.pipeline.repositories import resolve_repository
from bot.pipeline.run_folder import RunFolder
from bot.pipeline.verified_commits import signed_by_github


def needs_account(plan: Plan, *, verified: bool) -> bool:
    """Say whether picking takes the bot's own account: GitHub is to write commits, or a target is elsewhere."""
    return verified or any(each.target != each.plan.branch for each in plan.planned())


def pick_targets(
    targets: Sequence[str], folder: RunFolder, context: PickContext, repository: RepositoryContext | None = None
) -> dict[str, Picked]:
    """Make the candidates of planned targets and write them down; every ending is written, none is an exception.

    The branches of one request help each other as on the line. Whether a sibling will be opened is not known here: the
    candidate names the commits that it was made from, and is published only after them. `repository` is for what needs
    the account that publishes, see `needs_account`.

    Raises:
        RunFolderError: there is no such target in the plan.
    """
    plan = folder.plan()
    learn_backports(context)
    siblings: defaultdict[str, list[Candidate]] = defaultdict(list)
    picked: dict[str, Picked] = {}
    for planned in _in_order([plan.find(target) for target in targets], context):
        picked[planned.id] = _pick_target(planned, tuple(siblings[planned.request.key]), folder, context, repository)
        candidate = picked[planned.id].made.value
        if isinstance(candidate, Candidate) and is_certain(candidate):
            siblings[planned.request.key].append(candidate)
    return picked


def _in_order(planned: Sequence[Planned], context: PickContext) -> list[Planned]:
    """Return the targets request by request, each in the order in which the line would serve them."""
    ordered: list[Planned] = []
    for request in {each.request.key: each.request for each in planned}.values():
        of_request = {each.target: each for each in planned if each.request.key == request.key}
        ordered += [of_request[name] for name in serving_order(of_request, context.patch_for(request.original))]
    return ordered


def _pick_target(
    planned: Planned,
    siblings: tuple[Candidate, ...],
    folder: RunFolder,
    context: PickContext,
    repository: RepositoryContext | None,
) -> Picked:
    backport = planned.request.backport(context.patch_for(planned.request.original), siblings=siblings)
    again = backport.asking(planned.target)
    made = run.capture_errors(
        planned.target, lambda: _pick(planned, backport, folder, context, repository), retry=again
    )
    picked = Picked.model_validate({"made": tagged(made)})
    folder.write(f"pick/{planned.id}.json", picked)
    return picked


def _pick(
    planned: Planned,
    backport: Backport,
    folder: RunFolder,
    context: PickContext,
    repository: RepositoryContext | None,
) -> Candidate | Conflicted | AlreadyApplied:
    context.mirror.fetch([*planned.plan.commits, *planned.request.companion_originals.values()])
    target = resolve_repository(planned.target, repository)[0] if repository else None
    pick = target.pick if target else context
    pick.mirror.fetch([planned.plan.base_commit])
    made = run.pick(planned.plan, backport, pick)
    if not isinstance(made, Candidate):
        return replace(made, branch=planned.target)
    if target is not None:
        check_rights(made, target)
        made = signed_by_github(made, target)
    write_bundle(pick.mirror, made.base_commit, made.commit, folder.made(f"pick/{planned.id}.bundle"))
    return made

"""Forecasts the backport of a pull request to each stable branch, as if it were merged now.

An open pull request has no merge commit yet, so its squash merge is written in a quarantine. Nothing is pushed, opened
or proven.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.carried.load import CarriedPatch
from bot.commands.targets import stable_branches
from bot.errors import BackportError
from bot.git.merge_trees import Trees
from bot.git.repository import Quarantine
from bot.git.trees import commit_paths, find_entry
from bot.git.trial_pick import CleanPick, UnmergedPick, merge_trees
from bot.models import (
    AlreadyApplied,
    Candidate,
    Certainty,
    Conflict,
    Method,
    NotAffected,
    NothingLeft,
    Outlook,
    PullRequest,
    Sha,
    TargetForecast,
    TargetPlan,
)
from bot.pick.forecast import Forecast, Forecaster
from bot.pipeline.context import RepositoryContext
from bot.pipeline.learn_backports import learn_backports
from bot.pipeline.merged_commits import merged_commits


def preflight(
    pull_request: PullRequest, branches: Sequence[str], context: RepositoryContext
) -> tuple[TargetForecast, ...]:
    """Say for each branch what a backport would come to; an open pull request is taken as a squash merge of it.

    Each branch has its forecast, whatever stops it: one that could not be tried is `unknown` with the reason.
    """
    tips = context.mirror.branches()
    missing_branches = [branch for branch in branches if branch not in tips]
    targets = {branch: tips[branch] for branch in branches if branch in tips}
    try:
        context.mirror.fetch([*targets.values(), *_commits_to_fetch(pull_request, tips)])
        learn_backports(context.pick)
        with context.mirror.quarantine() as quarantine:
            commits = _commits(pull_request, tips, quarantine, context)
            forecaster = Forecaster.in_quarantine(quarantine, context.pick).with_trials(commits, targets.values())
            patch = context.pick.patch_for(pull_request)
            forecasts = [_forecast(branch, tip, commits, patch, forecaster) for branch, tip in targets.items()]
    # The branches share the fetch and the quarantine, so without them none has a forecast.
    except BackportError as error:
        forecasts = [_unknown(branch, error.message) for branch in targets]
    return (*forecasts, *(_unknown(branch, "There is no such branch.") for branch in missing_branches))


def preflight_stable(pull_request: PullRequest, context: RepositoryContext) -> tuple[TargetForecast, ...]:
    """Say for every stable branch what a backport would come to, newest branch first."""
    return preflight(pull_request, stable_branches(context.mirror.branches(), context.config), context)


def _unknown(branch: str, reason: str) -> TargetForecast:
    return TargetForecast(branch=branch, outlook=Outlook.UNKNOWN, reason=reason)


def _commits_to_fetch(pull_request: PullRequest, tips: dict[str, Sha]) -> list[Sha]:
    if pull_request.merged:
        return [pull_request.merge_commit] if pull_request.merge_commit else []
    return [pull_request.head_sha, *([tips[pull_request.base]] if pull_request.base in tips else [])]


def _commits(
    pull_request: PullRequest, tips: dict[str, Sha], quarantine: Quarantine, context: RepositoryContext
) -> tuple[Sha, ...]:
    if pull_request.merged:
        return merged_commits(pull_request, context)[1]
    base = tips.get(pull_request.base)
    if base is None:
        raise BackportError(f"Its base branch `{pull_request.base}` is gone.", hint="Give it another base.")
    return (_write_squash_merge(pull_request, base, quarantine),)


def _write_squash_merge(pull_request: PullRequest, base: Sha, quarantine: Quarantine) -> Sha:
    """Write the commit that a squash merge would leave on the base branch; it is thrown away with the quarantine."""
    head = quarantine.commit(pull_request.head_sha)
    fork = quarantine.merge_base(base, head.sha)
    if fork is None:
        raise BackportError("It shares no history with its base branch.", hint="Rebase it.")
    ours = quarantine.commit(base).tree
    result = merge_trees(quarantine, head.sha, Trees(base=quarantine.commit(fork).tree, ours=ours, theirs=head.tree))
    if isinstance(result, UnmergedPick):
        files = ", ".join(f"`{file.path}`" for file in result.files[:5])
        raise BackportError(f"It conflicts with its own base branch in {files}.", hint="Resolve that first.")
    tree = result.tree if isinstance(result, CleanPick) else ours
    message = f"{pull_request.title} (#{pull_request.number})\n"
    return quarantine.writer.write_commit(tree, (base,), message, head.author, head.committer)


def _forecast(
    branch: str,
    tip: Sha,
    commits: tuple[Sha, ...],
    patch: CarriedPatch | None,
    forecaster: Forecaster,
) -> TargetForecast:
    try:
        plan = forecaster.plan(branch, tip, commits, patch)
        if not isinstance(plan, TargetPlan):
            return _describe(plan)
        forecast = forecaster.pick(plan)
        # A file that main has moved is missing by its name, too, but its change is picked into the older file.
        if not isinstance(forecast, Candidate) and _lacks_every_file(forecaster.repository, commits, tip):
            reason = "None of the files that it changes is on the branch."
            return TargetForecast(branch=branch, outlook=Outlook.NOT_AFFECTED, reason=reason)
        return _describe(forecast)
    except BackportError as error:
        return _unknown(branch, error.message)


def _lacks_every_file(quarantine: Quarantine, commits: Sequence[Sha], tip: Sha) -> bool:
    """Say whether main had every file before the change and the branch has none of them."""
    tree = quarantine.commit(tip).tree
    paths = {path for sha in commits for path in commit_paths(quarantine, quarantine.commit(sha))}
    parents = quarantine.commit(commits[0]).parents
    before = quarantine.commit(parents[0]).tree if parents else None
    return bool(paths) and all(
        before is not None and find_entry(quarantine, before, path) and not find_entry(quarantine, tree, path)
        for path in paths
    )


def _describe(forecast: Forecast) -> TargetForecast:
    match forecast:
        case NotAffected(target=branch, check=check):
            return TargetForecast(branch=branch, outlook=Outlook.NOT_AFFECTED, reason=check.reason)
        case AlreadyApplied(target=branch, how=how):
            return TargetForecast(branch=branch, outlook=Outlook.ALREADY_APPLIED, reason=how)
        case NothingLeft(target=branch, left_out=left_out):
            reason = f"`pick.leave_out` leaves out all that it changes: {_list(left_out)}."
            return TargetForecast(branch=branch, outlook=Outlook.NOTHING_LEFT, reason=reason, left_out=left_out)
        case Conflict():
            return _describe_conflict(forecast)
        case Candidate():
            return _describe_candidate(forecast)


def _list(paths: Sequence[str]) -> str:
    surplus = f" and {len(paths) - 5} more files" if len(paths) > 5 else ""
    return ", ".join(f"`{path}`" for path in paths[:5]) + surplus


def _describe_conflict(conflict: Conflict) -> TargetForecast:
    files = _list([file.path for file in conflict.files])
    left_out = f" Left out: {_list(conflict.left_out)}." if conflict.left_out else ""
    return TargetForecast(
        branch=conflict.branch,
        outlook=Outlook.CONFLICT,
        reason=f"It conflicts in {files}.{left_out}" if files else "It conflicts in how directories were renamed.",
        files=conflict.files,
        prerequisites=conflict.prerequisites,
        rest=conflict.rest,
        left_out=conflict.left_out,
    )


def _describe_candidate(candidate: Candidate) -> TargetForecast:
    plain = candidate.method is Method.CHERRY_PICK
    detail = candidate.rungs[-1].detail
    draft = "" if candidate.certainty is Certainty.CERTAIN else " It would open as a draft."
    draft += f" Left out: {_list(candidate.left_out)}." if candidate.left_out else ""
    return TargetForecast(
        branch=candidate.branch,
        outlook=Outlook.CLEAN if plain else Outlook.RESOLVABLE,
        reason=f"It {detail}.{draft}" if plain else f"git conflicts; {candidate.rungs[-1].rung}: {detail}.{draft}",
        findings=candidate.findings,
        left_out=candidate.left_out,
    )

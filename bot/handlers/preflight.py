"""What a pull request would come to on the stable branches if it were merged now: the line's trials, run ahead.

Owns the stand-in for a merge that has not been, and what a trial means for the future. Pushes, opens and proves
nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.carried.detect import check
from bot.commands.targets import stable_branches
from bot.errors import BackportError
from bot.git.merge_trees import Trees
from bot.git.repository import Quarantined
from bot.git.trees import CommitTree, commit_paths, find_entry
from bot.git.trial_pick import CleanPick, UnmergedPick, merge_trees
from bot.models import (
    AlreadyApplied,
    Candidate,
    Certainty,
    Conflict,
    MergeMethod,
    Method,
    NotAffected,
    Outlook,
    PullRequest,
    Sha,
    TargetForecast,
    TargetPlan,
)
from bot.pick import ladder
from bot.pick.batch_trials import BatchTrials, try_batch
from bot.pick.plan import plan_target
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
    missing = [branch for branch in branches if branch not in tips]
    named = {branch: tips[branch] for branch in branches if branch in tips}
    try:
        context.mirror.fetch([*named.values(), *_needed(pull_request, tips)])
        learn_backports(context.pick)
        with context.mirror.quarantined() as quarantine:
            commits = _commits(pull_request, tips, quarantine, context)
            context.pick.caches.histories.announce(commits, named.values())
            tried = try_batch(quarantine, commits, named.values())
            made = [
                _forecast(branch, tip, commits, pull_request, quarantine, tried, context)
                for branch, tip in named.items()
            ]
    except BackportError as error:
        made = [_unknown(branch, error.message) for branch in named]
    return (*made, *(_unknown(branch, "There is no such branch.") for branch in missing))


def preflight_stable(pull_request: PullRequest, context: RepositoryContext) -> tuple[TargetForecast, ...]:
    """Say for every stable branch what a backport would come to, newest branch first."""
    return preflight(pull_request, stable_branches(context.mirror.branches(), context.config), context)


def _unknown(branch: str, reason: str) -> TargetForecast:
    return TargetForecast(branch=branch, outlook=Outlook.UNKNOWN, reason=reason)


def _needed(pull_request: PullRequest, tips: dict[str, Sha]) -> list[Sha]:
    if pull_request.merged:
        return [pull_request.merge_commit] if pull_request.merge_commit else []
    return [pull_request.head_sha, *([tips[pull_request.base]] if pull_request.base in tips else [])]


def _commits(
    pull_request: PullRequest, tips: dict[str, Sha], quarantine: Quarantined, context: RepositoryContext
) -> tuple[Sha, ...]:
    if pull_request.merged:
        return merged_commits(pull_request, context)[1]
    base = tips.get(pull_request.base)
    if base is None:
        raise BackportError(f"Its base branch `{pull_request.base}` is gone.", hint="Give it another base.")
    return (_squashed(pull_request, base, quarantine),)


def _squashed(pull_request: PullRequest, base: Sha, quarantine: Quarantined) -> Sha:
    """Write the commit that a squash merge would leave on the base branch; it is thrown away with the quarantine."""
    head = quarantine.commit(pull_request.head_sha)
    fork = quarantine.merge_base(base, head.sha)
    if fork is None:
        raise BackportError("It shares no history with its base branch.", hint="Rebase it.")
    ours = quarantine.commit(base).tree
    merged = merge_trees(quarantine, head.sha, Trees(base=quarantine.commit(fork).tree, ours=ours, theirs=head.tree))
    if isinstance(merged, UnmergedPick):
        files = ", ".join(f"`{file.path}`" for file in merged.files[:5])
        raise BackportError(f"It conflicts with its own base branch in {files}.", hint="Resolve that first.")
    tree = merged.tree if isinstance(merged, CleanPick) else ours
    message = f"{pull_request.title} (#{pull_request.number})\n"
    return quarantine.writer.write_commit(tree, (base,), message, head.author, head.committer)


def _forecast(
    branch: str,
    tip: Sha,
    commits: tuple[Sha, ...],
    original: PullRequest,
    quarantine: Quarantined,
    tried: BatchTrials,
    context: RepositoryContext,
) -> TargetForecast:
    try:
        planned = _plan(branch, tip, commits, original, context)
        if isinstance(planned, NotAffected):
            return TargetForecast(branch=branch, outlook=Outlook.NOT_AFFECTED, reason=planned.check.reason)
        if isinstance(planned, AlreadyApplied):
            return TargetForecast(branch=branch, outlook=Outlook.ALREADY_APPLIED, reason=planned.how)
        if _touches_nothing_there(quarantine, commits, tip):
            reason = "None of the files that it changes is on the branch."
            return TargetForecast(branch=branch, outlook=Outlook.NOT_AFFECTED, reason=reason)
        return _try(planned, quarantine, tried, context)
    except BackportError as error:
        return _unknown(branch, error.message)


def _plan(
    branch: str, tip: Sha, commits: tuple[Sha, ...], original: PullRequest, context: RepositoryContext
) -> TargetPlan | NotAffected | AlreadyApplied:
    patch = context.pick.patch_for(original)
    return plan_target(
        branch=branch,
        base_commit=tip,
        backport_branch=context.config.backport_branch(original.number, branch),
        commits=commits,
        merge_method=MergeMethod.SQUASH,
        check=check(CommitTree(context.mirror, tip), patch) if patch else None,
    )


def _touches_nothing_there(quarantine: Quarantined, commits: Sequence[Sha], tip: Sha) -> bool:
    """Say whether a change is to files alone that main had before and the branch has not."""
    tree = quarantine.commit(tip).tree
    paths = {path for sha in commits for path in commit_paths(quarantine, quarantine.commit(sha))}
    parents = quarantine.commit(commits[0]).parents
    before = quarantine.commit(parents[0]).tree if parents else None
    return bool(paths) and all(
        before is not None and find_entry(quarantine, before, path) and not find_entry(quarantine, tree, path)
        for path in paths
    )


def _try(plan: TargetPlan, quarantine: Quarantined, tried: BatchTrials, context: RepositoryContext) -> TargetForecast:
    picked = ladder.pick(
        quarantine,
        plan,
        patches=context.patches,
        committer=context.pick.committer(),
        caches=context.pick.caches,
        batch=tried,
        max_prerequisites=context.config.pick.max_prerequisites,
        propose=context.config.pick.propose,
    )
    if isinstance(picked, AlreadyApplied):
        return TargetForecast(branch=plan.branch, outlook=Outlook.ALREADY_APPLIED, reason=picked.how)
    if isinstance(picked, Conflict):
        return _conflict(picked)
    return _candidate(picked)


def _conflict(conflict: Conflict) -> TargetForecast:
    files = ", ".join(f"`{file.path}`" for file in conflict.files[:5])
    more = f" and {len(conflict.files) - 5} more files" if len(conflict.files) > 5 else ""
    return TargetForecast(
        branch=conflict.branch,
        outlook=Outlook.CONFLICT,
        reason=f"It conflicts in {files}{more}." if files else "It conflicts in how directories were renamed.",
        files=conflict.files,
        prerequisites=conflict.prerequisites,
        rest=conflict.rest,
    )


def _candidate(candidate: Candidate) -> TargetForecast:
    plain = candidate.method is Method.CHERRY_PICK
    how = candidate.rungs[-1].detail
    draft = "" if candidate.certainty is Certainty.CERTAIN else " It would open as a draft."
    return TargetForecast(
        branch=candidate.branch,
        outlook=Outlook.CLEAN if plain else Outlook.RESOLVABLE,
        reason=f"It {how}.{draft}" if plain else f"git conflicts; {candidate.rungs[-1].rung}: {how}.{draft}",
        findings=candidate.findings,
    )

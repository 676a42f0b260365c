"""The second step: make the candidate of a target branch. Nothing in it can reach GitHub."""

from __future__ import annotations

from collections.abc import Sequence

from bot.models import AlreadyApplied, Candidate, Conflict, Conflicted, NothingLeft, Signature, TargetPlan
from bot.pick import ladder
from bot.pick.companions import carry_companions
from bot.pick.context import PickContext
from bot.pick.regenerator import Regenerator
from bot.pick.rewrite_commits import sign_off
from bot.pick.with_prerequisites import bring_prerequisites
from bot.pipeline.request import BackportRequest
from bot.text.markdown import count


def pick_candidate(
    plan: TargetPlan,
    request: BackportRequest,
    context: PickContext,
    *,
    siblings: Sequence[Candidate] = (),
    tools: Regenerator | None = None,
) -> Candidate | Conflicted | AlreadyApplied | NothingLeft:
    """Make the candidate, or say why there is none. The commits that the plan names are in the mirror.

    `siblings` are the request's candidates for other branches that may stand in for the original, newest branch first.
    `tools` regenerate conflicting files; they run untrusted code.
    """
    committer = context.committer()

    def pick_plan(
        target: TargetPlan, /, *, propose: bool = True
    ) -> Candidate | Conflict | AlreadyApplied | NothingLeft:
        return ladder.pick(
            context.mirror,
            target,
            patches=context.patches,
            committer=committer,
            siblings=tuple(siblings),
            caches=context.caches,
            max_prerequisites=context.config.pick.max_prerequisites,
            leave_out=context.config.pick.leave_out,
            propose=propose and context.config.pick.propose,
            regenerator=tools,
        )

    result = pick_plan(plan)
    if isinstance(result, Conflict) and result.prerequisites and request.options.with_prerequisites:
        result = bring_prerequisites(
            context.mirror, plan, result, committer, pick_plan, leave_out=context.config.pick.leave_out
        )
    if isinstance(result, Conflict):
        return Conflicted(target=plan.branch, conflict=result)
    if isinstance(result, AlreadyApplied | NothingLeft):
        return result
    context.progress(f"{plan.branch}: {result.method.value}, {result.fidelity.value}")
    candidate = _with_companions(result, committer, request, context)
    return sign_off(context.mirror, candidate, committer) if context.config.commit.signoff else candidate


def _with_companions(
    candidate: Candidate, committer: Signature, request: BackportRequest, context: PickContext
) -> Candidate:
    patch = context.patch_for(request.original)
    if patch is None or not request.options.with_companions:
        return candidate
    with_companions = carry_companions(
        context.mirror,
        candidate,
        patch,
        patches=context.patches,
        committer=committer,
        originals=request.companion_originals,
        leave_out=context.config.pick.leave_out,
    )
    context.progress(f"{candidate.branch}: {count(len(with_companions.companions), 'companion')} on top")
    return with_companions

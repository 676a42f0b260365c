"""The last stage: what is proven becomes pull requests, and every target branch its ending in the status comment.

Owns publish/. Holds a token and runs nobody's code. What a pick made is believed because the seal covers it; what a
proof says is believed only as a verdict about exactly the sealed commits. A branch that moved under its proof is not
opened: it is planned again for another round of the stages, where the caller has one, or else ends.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, replace

from bot.errors import RunFolderError
from bot.git.bundle import take_bundle
from bot.handlers.comment import RequestSummary, post_outcome_reaction
from bot.handlers.prove_stage import without_verdict
from bot.models import Candidate, Conflicted, Failed, TargetOutcome, TargetPlan, Verdict
from bot.pipeline import run
from bot.pipeline.cancellation import cancelled
from bot.pipeline.conflict_drafts import offer_draft
from bot.pipeline.context import Backport, RepositoryContext
from bot.pipeline.learn_backports import serving_order, sibling
from bot.pipeline.records import Plan, Planned, Request, Target
from bot.pipeline.reply_keys import comment_of
from bot.pipeline.repositories import resolve_repository
from bot.pipeline.run_folder import RunFolder
from bot.pipeline.status_comment import StatusComment
from bot.proof.verdict_json import clean_verdict
from bot.report.json_data import target_to_json


@dataclass(frozen=True, slots=True)
class _Sealed:
    """The run folder, which is as it was sealed, and the page of the run that it comes from."""

    folder: RunFolder
    evidence_url: str


def publish_all(
    folder: RunFolder, seal: str, context: RepositoryContext, *, again: RunFolder | None = None, evidence_url: str = ""
) -> tuple[TargetOutcome, ...]:
    """End every target of the plan and show it. Doing it twice opens nothing twice.

    Into the folder `again` goes a plan of the branches that moved, if any did: they have not ended, and the stages that
    follow are to be run on it. Without such a folder they end as failed, with the way out. `evidence_url` is the page
    on which the proofs' reports can be had.

    Raises:
        RunFolderError: the folder is not as it was sealed, and nothing was changed anywhere; or the results cannot be
            written down, after everything else was done.
    """
    folder.check_seal(seal)
    plan, sealed = folder.plan(), _Sealed(folder, evidence_url)
    served: dict[int | None, RequestSummary] = defaultdict(RequestSummary)
    requests = []
    for request in plan.requests:
        comment, planned_again = _publish(request, sealed, context, replan=again is not None)
        requests.append(planned_again)
        served[comment_of(request.key)] += RequestSummary(results=comment.results, under_way=comment.under_way)
    for comment_id, each in served.items():
        post_outcome_reaction(replace(each, refused=frozenset(plan.refused) & {comment_id}), comment_id, context)
    if again is not None:
        _plan_again(plan.model_copy(update={"requests": tuple(requests)}), folder, again)
    results = tuple(result for each in served.values() for result in each.results)
    data = json.dumps([target_to_json(result) for result in results], indent=1)
    folder.write_bytes("publish/results.json", f"{data}\n".encode())
    return results


def _plan_again(plan: Plan, folder: RunFolder, again: RunFolder) -> None:
    if plan.planned():
        again.keep_plan_of(folder, plan)


def _publish(
    request: Request, sealed: _Sealed, context: RepositoryContext, *, replan: bool
) -> tuple[StatusComment, Request]:
    """Show what each target of a request came to; returns the comment, and the request as it stands afterwards.

    The order is that of the picks, so that it is known how a sibling ended before what was made from it is opened.
    """
    backport = request.backport(context.pick.patch_for(request.original))
    names = tuple(each.branch for each in request.targets)
    comment = StatusComment(request.key, backport, names, context, command=request.command)
    targets = {target.branch: target for target in request.targets}
    siblings: list[Candidate] = []
    for target in [targets[name] for name in serving_order(names, backport.patch)]:
        decided = _decide(target, request, replace(backport, siblings=tuple(siblings)), sealed, context)
        if decided is None:
            decided = (
                run.plan_for(target.branch, backport, context)
                if replan
                else run.branch_moved_outcome(target.branch, backport, 1)
            )
        targets[target.branch] = Target.of(target.id, target.branch, decided)
        if isinstance(decided, TargetPlan):
            comment.begin(target.branch, "the branch moved during the proof: picked and proven again")
        else:
            comment.end(decided)
            candidate = sibling(decided)
            siblings += [candidate] if candidate else []
    return comment, request.model_copy(update={"targets": tuple(targets.values())})


def _plan_again_or_end(
    target: str, backport: Backport, context: RepositoryContext, *, replan: bool
) -> TargetPlan | TargetOutcome:
    return run.plan_for(target, backport, context) if replan else run.branch_moved_outcome(target, backport, 1)


def _decide(
    target: Target, request: Request, backport: Backport, sealed: _Sealed, context: RepositoryContext
) -> TargetPlan | TargetOutcome | None:
    """Return how a target ended; None where its branch has moved."""
    plan = target.decided.value
    if not isinstance(plan, TargetPlan):
        return plan
    planned = Planned(target.id, target.branch, request, plan)
    ended = run.capture_errors(
        target.branch, lambda: _end(planned, backport, sealed, context), retry=backport.asking(target.branch)
    )
    return replace(ended, branch=target.branch) if ended is not None else None


def _end(planned: Planned, backport: Backport, sealed: _Sealed, context: RepositoryContext) -> TargetOutcome | None:
    plan = planned.plan
    there, _ = resolve_repository(planned.target, context)
    stopped = cancelled(plan.branch, backport, there)
    if stopped is not None:
        return stopped
    picked = sealed.folder.picked(planned.id)
    if picked is None:
        return Failed(branch=plan.branch, message="The pick left no result.", hint="Look at its job, then ask again.")
    made = picked.made.value
    if not isinstance(made, Candidate | Conflicted):
        return made
    context.mirror.fetch(plan.commits)
    there.mirror.fetch([plan.base_commit])
    if isinstance(made, Conflicted):
        return offer_draft(made, plan, backport, there)
    return _open(planned, made, backport, sealed, there)


def _open(
    planned: Planned, candidate: Candidate, backport: Backport, sealed: _Sealed, context: RepositoryContext
) -> TargetOutcome | None:
    plan = planned.plan
    if (candidate.branch, candidate.base_commit) != (plan.branch, plan.base_commit):
        raise RunFolderError(f"The candidate is not one for {plan.branch}.", hint="Run the stages anew.")
    if not {sha for other in backport.siblings for sha in other.commits}.issuperset(candidate.siblings):
        return _without_sibling(planned, backport)
    verdict = _verdict(planned, candidate, sealed.folder) if backport.options.prove else None
    if verdict is not None:
        # What a proof says of the page is no more than anybody's word.
        verdict = replace(verdict, evidence_url=sealed.evidence_url)
    take_bundle(context.mirror, sealed.folder.bundle(planned.id), candidate.base_commit, candidate.commit)
    return run.publish(plan, candidate, verdict, backport, context)


def _without_sibling(planned: Planned, backport: Backport) -> Failed:
    return Failed(
        branch=planned.target,
        message="This backport was made from the one to another branch in the same request. That one was not opened, "
        "or its proof failed, so this one was not opened either.",
        hint=f"Comment `{backport.asking(planned.target)}`: it is then made without the other one.",
    )


def _verdict(planned: Planned, candidate: Candidate, folder: RunFolder) -> Verdict:
    """Return the verdict about this very candidate; anything else that lies there is no verdict."""
    try:
        proof = folder.proof(planned.id)
    except RunFolderError as error:
        return without_verdict(error.message)
    if proof is None:
        return without_verdict("The proof left no verdict: its job did not end by itself.")
    if (proof.base_commit, proof.candidate) != (candidate.base_commit, candidate.commit):
        return without_verdict("The proof is about other commits than the ones that were picked.")
    try:
        return clean_verdict(proof.verdict)
    except ValueError as error:
        return without_verdict(f"The proof cannot be read: {error}.")

"""The last stage: what is proven becomes pull requests, and every target branch its ending in the status comment.

Owns publish/. Holds a token and runs nobody's code. What a pick made is believed because the seal covers it; what a
proof says is believed only as a verdict about exactly the sealed commits.
"""

from __future__ import annotations

import json
from collections import defaultdict
from functools import partial

from bot.errors import RunFolderError
from bot.git.bundle import take_bundle
from bot.model import Candidate, Conflicted, Failed, TargetPlan, TargetResult, Verdict
from bot.report.data import target_to_json
from bot.stages.folder import RunFolder
from bot.stages.proving import without_verdict
from bot.stages.records import Planned, Request, Target
from bot.workflow import line
from bot.workflow.answer import Served, conclude
from bot.workflow.asking import comment_of
from bot.workflow.cancelling import cancelled
from bot.workflow.conflicts import offer_draft
from bot.workflow.status import StatusComment
from bot.workflow.workplace import Backport, Workplace


def publish_all(folder: RunFolder, seal: str, at: Workplace) -> tuple[TargetResult, ...]:
    """End every target branch of the plan and show it. Doing it twice opens nothing twice.

    Raises:
        RunFolderError: the folder is not as it was sealed; nothing was changed anywhere.
    """
    folder.check_seal(seal)
    plan = folder.plan()
    served: dict[int | None, Served] = defaultdict(lambda: Served(refused=plan.refused))
    for request in plan.requests:
        served[comment_of(request.key)] += Served(results=_publish(request, folder, at))
    for comment_id, each in served.items():
        conclude(each, comment_id, at)
    results = tuple(result for each in served.values() for result in each.results)
    data = json.dumps([target_to_json(result) for result in results], indent=1)
    folder.made("publish/results.json").write_text(data + "\n", encoding="utf-8")
    return results


def _publish(request: Request, folder: RunFolder, at: Workplace) -> tuple[TargetResult, ...]:
    backport = request.backport(at.patch_for(request.original))
    comment = StatusComment(request.key, backport, tuple(each.branch for each in request.targets), at)
    for target in request.targets:
        comment.end(line.contained(target.branch, partial(_end, target, request, backport, folder, at)))
    return comment.results


def _end(target: Target, request: Request, backport: Backport, folder: RunFolder, at: Workplace) -> TargetResult:
    plan = target.decided.value
    if not isinstance(plan, TargetPlan):
        return plan
    stopped = cancelled(target.branch, backport, at)
    if stopped is not None:
        return stopped
    picked = folder.picked(target.id)
    if picked is None:
        return Failed(branch=target.branch, message="The pick left no result.", hint="Look at its job, then ask again.")
    if isinstance(picked.made.value, Conflicted):
        at.mirror.fetch([plan.base_commit, *plan.commits])
        return offer_draft(picked.made.value, plan, backport, at)
    if not isinstance(picked.made.value, Candidate):
        return picked.made.value
    return _open(Planned(target.id, request, plan), picked.made.value, backport, folder, at)


def _open(planned: Planned, candidate: Candidate, backport: Backport, folder: RunFolder, at: Workplace) -> TargetResult:
    plan = planned.plan
    if (candidate.branch, candidate.base_commit) != (plan.branch, plan.base_commit):
        raise RunFolderError(f"The candidate is not one for {plan.branch}.", hint="Run the stages anew.")
    verdict = _verdict(planned, candidate, folder) if backport.options.prove else None
    at.mirror.fetch([plan.base_commit, *plan.commits])
    take_bundle(at.mirror, folder.bundle(planned.id), candidate.base_commit, candidate.commit)
    return line.publish(plan, candidate, verdict, backport, at) or line.moved(plan.branch, 1)


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
    return proof.verdict

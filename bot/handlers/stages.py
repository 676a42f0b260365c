"""The stages of a CI: each takes one step of `bot.pipeline.run` for the requests of one event, on a run folder.

A stage can reach only its arguments: `plan` and `publish` get a repository, `pick` a mirror and only if needed a
repository, `prove` neither. `plan` answers people as far as that is possible at once; `publish` answers the rest.
"""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bot.commands.triggers import AnyTrigger
from bot.errors import GitError, RunFolderError
from bot.git.bundle import open_bundle
from bot.handlers.request_summary import RequestSummary, post_outcome_reaction
from bot.handlers.serve_trigger import serve
from bot.models import Candidate, Moved, Progress, Target, TargetOutcome, TargetPlan, Verdict, silent
from bot.pick.context import PickContext
from bot.pipeline.context import RepositoryContext
from bot.pipeline.folder_store import FolderStore
from bot.pipeline.learn_backports import learn_backports
from bot.pipeline.prove import LocalRunner, ProofMeans
from bot.pipeline.request import BackportRequest
from bot.pipeline.result_store import Decision, MemoryStore
from bot.pipeline.run import RequestRun, serving_order
from bot.pipeline.run_folder import RunFolder, proof_name
from bot.pipeline.run_folder_records import Plan, PlannedRequest, TargetRecord
from bot.pipeline.run_settings import read_settings
from bot.pipeline.status_comment import StatusComment
from bot.proof.inconclusive import inconclusive
from bot.report.json_data import target_to_json

log = logging.getLogger(__name__)


class _Planner:
    """Plans the targets of each request of one event, and keeps the requests with what was decided."""

    def __init__(self) -> None:
        self.requests: list[PlannedRequest] = []

    def plan_targets(
        self, names: Sequence[str], request: BackportRequest, comment: StatusComment, context: RepositoryContext
    ) -> None:
        """Plan the targets of one request, and show those that end with it. This is a `RunTargets`."""
        run = RequestRun(request, MemoryStore())
        decisions: dict[str, Decision] = {}
        for name in names:
            decisions[name] = decision = run.plan(Target.parse(name), context)
            if isinstance(decision, TargetPlan):
                comment.begin(name)
            else:
                comment.end(decision)
        # Some targets ended before they could be planned, e.g. those that do not exist.
        decisions |= {outcome.target: outcome for outcome in comment.results}
        # An id names a target in all requests of the event, as the requests share one run folder.
        first_id = sum(len(earlier.targets) for earlier in self.requests) + 1
        records = (
            TargetRecord.of(str(number), name, decisions[name])
            for number, name in enumerate(comment.targets, start=first_id)
        )
        self.requests.append(PlannedRequest(**dict(request), targets=tuple(records)))


def plan_trigger(trigger: AnyTrigger, folder: RunFolder, context: RepositoryContext) -> Plan:
    """Answer what can be answered at once and write the plan of the rest, which may be empty.

    Raises:
        RateLimited, Unavailable: GitHub does not answer; the stage can be run again and has its effects once.
    """
    planner = _Planner()
    summary = serve(trigger, context, planner.plan_targets)
    plan = Plan(
        repository=context.config.repository,
        clone_url=context.github.clone_url,
        refused=tuple(sorted(comment for comment in summary.refused if comment is not None)),
        may_push_workflows=context.github.may_push_workflows(),
        requests=tuple(planner.requests),
    )
    folder.write("plan/plan.json", plan)
    return plan


def needs_account(plan: Plan, *, verified: bool) -> bool:
    """Say whether the pick takes the bot's own account: GitHub is to write commits, or a target is elsewhere."""
    return verified or any(
        Target.parse(planned_target.target).repository is not None for planned_target in plan.planned_targets()
    )


def pick_targets(
    ids: Sequence[str], folder: RunFolder, context: PickContext, repository: RepositoryContext | None = None
) -> dict[str, Candidate | TargetOutcome]:
    """Make the candidates of planned targets; returns by id what each pick left. No error stops another target.

    `repository` is given if `needs_account` says so.

    Raises:
        RunFolderError: there is no such target in the plan.
    """
    plan = folder.plan()
    # All ids are looked up before the first pick, so a wrong one stops the stage and not half of it.
    planned_targets = [plan.find(identity) for identity in ids]
    learn_backports(context)
    picks: dict[str, Candidate | TargetOutcome] = {}
    for request in plan.requests:
        names = {
            planned_target.target: planned_target.id
            for planned_target in planned_targets
            if planned_target.request.key == request.key
        }
        store = FolderStore(folder, request)
        run, targets = RequestRun(request, store), serving_order(names, context.patch_for(request.original))
        _fetch_together([store.decision(target) for target in targets if target.repository is None], context)
        for target in targets:
            picks[names[str(target)]] = run.pick(
                target, context, repository, may_push_workflows=plan.may_push_workflows
            )
    return picks


def _fetch_together(decisions: Sequence[Decision | None], context: PickContext) -> None:
    """Fetch what the picks of one request need at once: branches share most of it. Each pick fetches what it lacks."""
    plans = [decision for decision in decisions if isinstance(decision, TargetPlan)]
    try:
        context.mirror.fetch([sha for plan in plans for sha in (*plan.commits, plan.base_commit)])
    except GitError as error:
        log.warning("%s", error)
        return
    for commits in dict.fromkeys(plan.commits for plan in plans):
        context.caches.histories.announce(commits, [plan.base_commit for plan in plans if plan.commits == commits])


def prove_target(identity: str, folder: RunFolder, *, device: str = "", progress: Progress = silent) -> Verdict:
    """Run the regression suite of a picked target branch, from its bundle alone, and write down the verdict.

    `device` is one of the configured devices, if there are any.

    Raises:
        RunFolderError: there is no candidate to prove.
    """
    planned_target = folder.plan().find(identity)
    target = Target.parse(planned_target.target)
    store = FolderStore(folder, planned_target.request, device=device)
    candidate = store.pick(target)
    if not isinstance(candidate, Candidate):
        raise RunFolderError(
            f"Target {identity} has no candidate, so nothing was proven.", hint="Run `stage pick` for it first."
        )

    means = _open_proof(folder, identity, candidate, device, progress)
    verdict = RequestRun(planned_target.request, store).prove(target, candidate, means)
    if verdict is None:
        verdict = inconclusive("The request asks for no proof.")
        store.keep_verdict(target, candidate, verdict)
    return verdict


@contextmanager
def _open_proof(
    folder: RunFolder, identity: str, candidate: Candidate, device: str, progress: Progress
) -> Iterator[ProofMeans]:
    """Open the candidate's bundle; the proof runs on this machine."""
    settings = read_settings(folder)
    config = settings.config
    if device:
        config = config.model_copy(update={"prove": config.prove.for_device(device)})
    with open_bundle(folder.bundle(identity), candidate.base_commit, candidate.commit) as repository:
        context = PickContext(
            mirror=repository,
            config=config,
            patches=settings.patches,
            progress=progress,
            evidence=folder.path(f"evidence/{proof_name(identity, device)}"),
        )
        yield context, LocalRunner(context)


def publish_all(
    folder: RunFolder,
    seal: str,
    context: RepositoryContext,
    *,
    next_round: RunFolder | None = None,
    evidence_url: str = "",
) -> tuple[TargetOutcome, ...]:
    """End every target of the plan and show it. Doing it twice opens nothing twice.

    Into the folder `next_round` goes a plan of the branches that moved, if any did: they have not ended, and the stages
    that follow are to be run on it. Without such a folder they end as failed, with the way out. `evidence_url` is the
    page on which the proofs' reports can be had.

    Raises:
        RunFolderError: the folder is not as it was sealed, and nothing was changed anywhere; or the results cannot be
            written down, after everything else was done.
    """
    # First of all: after this line the files of plan/ and pick/ are trusted.
    folder.check_seal(seal)
    plan = folder.plan()
    summaries: defaultdict[int | None, RequestSummary] = defaultdict(RequestSummary)
    requests = []
    for request in plan.requests:
        devices = [entry.name for entry in context.config.prove.devices]
        store = FolderStore(folder, request, evidence_url=evidence_url, devices=devices)
        comment = _publish_request(RequestRun(request, store), store, context, replan=next_round is not None)
        requests.append(store.request)
        refused_comments = frozenset(plan.refused) & {request.comment_id}
        summaries[request.comment_id] += RequestSummary(
            results=comment.results, under_way=comment.under_way, refused=refused_comments
        )
    for comment_id, summary in summaries.items():
        post_outcome_reaction(summary, comment_id, context)
    next_plan = plan.model_copy(update={"requests": tuple(requests)})
    if next_round is not None and next_plan.planned_targets():
        next_round.keep_plan_of(folder, next_plan)
    results = tuple(outcome for summary in summaries.values() for outcome in summary.results)
    data = json.dumps([target_to_json(outcome) for outcome in results], indent=1)
    folder.write_bytes("publish/results.json", f"{data}\n".encode())
    return results


def _publish_request(run: RequestRun, store: FolderStore, context: RepositoryContext, *, replan: bool) -> StatusComment:
    """Show what each target of a request came to.

    The order is that of the picks, so that it is known how a sibling ended before what was made from it is opened.
    """
    names = tuple(record.target for record in store.request.targets)
    comment = StatusComment(run.request, names, context)
    for target in serving_order(names, context.pick.patch_for(run.request.original)):
        outcome = run.publish(target, context)
        if not isinstance(outcome, Moved):
            comment.end(outcome)
            continue
        decision = run.plan(target, context) if replan else run.end_moved(target, 1)
        if isinstance(decision, TargetPlan):
            comment.begin(str(target), f"{outcome.reason}: picked and proven again")
        else:
            comment.end(decision)
    return comment

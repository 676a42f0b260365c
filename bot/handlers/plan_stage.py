"""The first stage: answer an event as far as a person is concerned, and leave the work it asks for as a plan.

Owns plan/. Holds a token; runs nobody's code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.commands.events import Trigger
from bot.handlers.comment import serve
from bot.models import TargetOutcome, TargetPlan
from bot.pipeline import run
from bot.pipeline.context import Backport, RepositoryContext
from bot.pipeline.records import Plan, Request, Target
from bot.pipeline.run_folder import RunFolder
from bot.pipeline.status_comment import StatusComment


def plan_trigger(trigger: Trigger, folder: RunFolder, context: RepositoryContext) -> Plan:
    """Answer what can be answered at once and write the plan of the rest, which may be empty.

    Raises:
        RateLimited, Unavailable: GitHub does not answer; the stage can be run again and has its effects once.
    """
    recorder = _Recorder()
    served = serve(trigger, context, recorder)
    plan = Plan(
        repository=context.config.repository,
        clone_url=context.github.clone_url,
        refused=tuple(each for each in sorted(served.refused, key=str) if each is not None),
        requests=tuple(recorder.requests),
    )
    folder.write("plan/plan.json", plan)
    return plan


@dataclass(slots=True)
class _Recorder:
    """Plans the target branches of each request instead of working on them."""

    requests: list[Request] = field(default_factory=list)
    _targets: int = 0

    def __call__(
        self, branches: Sequence[str], backport: Backport, comment: StatusComment, context: RepositoryContext
    ) -> None:
        decided: dict[str, TargetPlan | TargetOutcome] = {}
        for branch in branches:
            decided[branch] = planned = run.plan_for(branch, backport, context)
            if isinstance(planned, TargetPlan):
                comment.begin(branch)
            else:
                comment.end(planned)
        decided |= {result.branch: result for result in comment.results}
        self.requests.append(
            Request(
                key=comment.key,
                command=comment.command,
                requester=backport.requester,
                labelled_at=backport.labelled_at,
                original=backport.original,
                merge_method=backport.merge_method,
                commits=backport.commits,
                options=backport.options,
                companion_originals=backport.companion_originals,
                undone=backport.undone,
                targets=tuple(self._target(name, decided[name]) for name in comment.branches),
            )
        )

    def _target(self, branch: str, decided: TargetPlan | TargetOutcome) -> Target:
        self._targets += 1
        return Target.of(str(self._targets), branch, decided)

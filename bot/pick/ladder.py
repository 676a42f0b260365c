"""The ladder: one target branch's plan → a candidate, a described conflict, or word that nothing is to be done.

Owns the order of the rungs and the record of each one's outcome. The first rung that makes a whole candidate wins;
what the others wrote is thrown away with the quarantine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.analysis.findings import are_fatal, find_findings
from bot.carried.load import CarriedPatch
from bot.git.repository import Repository
from bot.git.trial_pick import UnmergedPick
from bot.history.landed import find_standing
from bot.models import AlreadyApplied, Candidate, Certainty, Conflict, RungOutcome, Signature, TargetPlan
from bot.pick.already_there import AlreadyThere
from bot.pick.batch_trials import Together
from bot.pick.carried_patch import CarriedPatchRung
from bot.pick.cherry_pick import CherryPick
from bot.pick.explain_conflict import explain
from bot.pick.merge.confidence import judge
from bot.pick.merge.missing_files import MissingFile
from bot.pick.merge.resolver import FinerMerge
from bot.pick.prerequisites import NONE
from bot.pick.resolve_conflicts import Resolving
from bot.pick.reuse_resolution import RememberedResolution
from bot.pick.sibling import Sibling
from bot.pick.strategy import Attempt, Declined, Knowledge, Made, Regenerator, Rung

PLAIN: tuple[Rung, ...] = (AlreadyThere(), CherryPick())
"""The rungs that make nothing but what git itself picks."""

LADDER: tuple[Rung, ...] = (
    AlreadyThere(),
    CherryPick(),
    CarriedPatchRung(),
    Sibling(),
    Resolving("remembered resolution", regions=(RememberedResolution(),)),
    Resolving("finer merge", files=(MissingFile(FinerMerge()), FinerMerge()), judge=judge),
)


def pick(  # noqa: PLR0913 - the facts of one pick, and all but four may be left out
    repository: Repository,
    plan: TargetPlan,
    *,
    patches: Mapping[str, CarriedPatch],
    committer: Signature,
    siblings: Sequence[Candidate] = (),
    until: int | None = None,
    knowledge: Knowledge | None = None,
    together: Together | None = None,
    max_prerequisites: int = 3,
    propose: bool = True,
    regenerator: Regenerator | None = None,
    ladder: Sequence[Rung] = LADDER,
) -> Candidate | Conflict | AlreadyApplied:
    """Make the candidate of one target branch. Its objects are kept in the repository; no ref points at them.

    `siblings` are candidates that the same request made for other branches. With `until` (seconds since the epoch)
    nothing committed later is looked at. `knowledge` is what earlier picks in the same repository learned from its
    history; pass the same one to make it count. `together` is what was tried for several branches at once, in a
    quarantine that `repository` is or lies in. A conflict is described with prerequisites, `max_prerequisites` at most.
    Without `propose` a rung that is not certain makes no candidate. The `regenerator` writes files anew that conflict
    and that a tool makes; without one they are merged by lines or left.

    Raises:
        GitError: git could not do its part, e.g. an object is missing; nothing is kept.
    """
    with repository.quarantined() as quarantine:
        known, tried = knowledge or Knowledge(), together or Together()
        standing = find_standing(quarantine, plan.base_commit, plan.commits, known.histories)
        attempt = Attempt(
            repository=quarantine,
            plan=plan,
            committer=committer,
            commits=tuple(sha for sha in plan.commits if sha not in standing.landed),
            standing=standing,
            patches=patches,
            siblings=tuple(siblings),
            until=until,
            knowledge=known,
            regenerator=regenerator,
            trials=dict(tried.trials),
            splits=dict(tried.splits),
        )
        climbed = climb(attempt, ladder, propose=propose)
        if isinstance(climbed.ending, AlreadyApplied):
            return climbed.ending
        if climbed.ending is None:
            return _conflict(attempt, climbed, max_prerequisites, ladder, propose=propose)
        quarantine.keep(climbed.ending.commits[-1])
        return _candidate(attempt, climbed.ending, climbed.outcomes)


@dataclass(frozen=True, slots=True)
class Climbed:
    """How far the ladder led: an ending or none, each rung's outcome, and the first pick that conflicted."""

    ending: Made | AlreadyApplied | None
    outcomes: tuple[RungOutcome, ...]
    unmerged: UnmergedPick | None


def climb(attempt: Attempt, ladder: Sequence[Rung] = LADDER, *, propose: bool = True) -> Climbed:
    """Try rung after rung until one ends it. What is made stays in the attempt's quarantine."""
    outcomes: list[RungOutcome] = []
    unmerged: UnmergedPick | None = None
    for rung in ladder:
        ending = rung.climb(attempt)
        if isinstance(ending, Made) and ending.certainty is not Certainty.CERTAIN and not propose:
            ending = Declined(f"not certain, and the configuration wants no proposals: {ending.detail}")
        won = not isinstance(ending, Declined)
        detail = ending.how if isinstance(ending, AlreadyApplied) else ending.detail
        outcomes.append(RungOutcome(rung.name, won=won, detail=detail))
        if not isinstance(ending, Declined):
            return Climbed(ending, tuple(outcomes), unmerged)
        unmerged = unmerged or ending.unmerged
    return Climbed(None, tuple(outcomes), unmerged)


def _candidate(attempt: Attempt, made: Made, outcomes: Sequence[RungOutcome]) -> Candidate:
    repository = attempt.repository
    files = repository.changed_paths(attempt.plan.base_commit, made.commits[-1])
    tree, onto, theirs = (
        repository.commit(each).tree for each in (made.commits[-1], attempt.plan.base_commit, attempt.plan.commits[-1])
    )
    findings = find_findings(repository, tree, onto=onto, theirs=theirs, paths=files)
    return Candidate(
        branch=attempt.plan.branch,
        base_commit=attempt.plan.base_commit,
        commit=made.commits[-1],
        commits=made.commits,
        method=made.method,
        fidelity=made.fidelity,
        files=files,
        rungs=tuple(outcomes),
        certainty=Certainty.PROPOSED if are_fatal(findings) else made.certainty,
        resolutions=made.resolutions,
        siblings=made.siblings,
        findings=findings,
    )


def _conflict(
    attempt: Attempt, climbed: Climbed, max_prerequisites: int, ladder: Sequence[Rung], *, propose: bool
) -> Conflict:
    def made_of(after: Attempt) -> Made | None:
        ending = climb(after, ladder, propose=propose).ending
        return ending if isinstance(ending, Made) else None

    unmerged = climbed.unmerged
    limit = max_prerequisites
    files, found = explain(attempt, unmerged, limit, made_of, propose=propose) if unmerged else ((), NONE)
    return Conflict(
        branch=attempt.plan.branch,
        base_commit=attempt.plan.base_commit,
        commit=unmerged.commit if unmerged else attempt.plan.commits[-1],
        files=files,
        rungs=climbed.outcomes,
        prerequisites=found.commits,
        rest=found.rest,
    )

"""Prerequisites brought along: picked first, each as a commit of its own, and the originals on top of them.

Owns how the two picks become one candidate. Which prerequisites a conflict has was found before; what comes of them is
what the trial said, because both picks are made the way that it was made.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from bot.analysis.findings import find_findings
from bot.git.repository import Repository
from bot.git.trial_pick import CleanPick, try_pick
from bot.models import (
    AlreadyApplied,
    Candidate,
    Certainty,
    Conflict,
    Fidelity,
    Match,
    Method,
    RelatedCommit,
    Sha,
    Signature,
    TargetPlan,
)
from bot.pick.partial_commit import part_message, write_part
from bot.pick.series import write_pick


class Pick(Protocol):
    """Climbs the ladder for a plan, with all else that the request has."""

    def __call__(self, plan: TargetPlan, /, *, propose: bool = True) -> Candidate | Conflict | AlreadyApplied:
        """Make the candidate, or say why there is none; without `propose` only where it is certain."""


def bring_prerequisites(
    repository: Repository, plan: TargetPlan, conflict: Conflict, committer: Signature, pick: Pick
) -> Candidate | Conflict:
    """Return the candidate of a plan whose conflict has prerequisites, with these first; the conflict if there is none.

    Its objects are kept in the repository, those of the prerequisites also where the originals then do not pick.
    """
    in_part = any(each.paths for each in conflict.prerequisites)
    alone = replace(plan, commits=tuple(each.sha for each in conflict.prerequisites), patch=None, check=None)
    brought = _bring_in_part(repository, plan, conflict, committer) if in_part else pick(alone, propose=False)
    if not isinstance(brought, Candidate):
        return conflict
    with_them = replace(brought, prerequisites=conflict.prerequisites)
    made = pick(replace(plan, base_commit=brought.commit))
    if isinstance(made, AlreadyApplied):  # the prerequisites brought all of it
        return with_them
    if not isinstance(made, Candidate):
        return conflict
    whole = _joined(repository, with_them, made)
    return replace(whole, findings=_findings(repository, plan, whole)) if in_part else whole


def _findings(repository: Repository, plan: TargetPlan, whole: Candidate) -> tuple[Match, ...]:
    """Look at parts and originals together: what a part lacks by itself the originals may bring."""
    tree, onto, theirs = (repository.commit(sha).tree for sha in (whole.commit, plan.base_commit, plan.commits[-1]))
    return find_findings(repository, tree, onto=onto, theirs=theirs, paths=whole.files)


def _bring_in_part(
    repository: Repository, plan: TargetPlan, conflict: Conflict, committer: Signature
) -> Candidate | None:
    """Pick commits of some of which only a part is wanted; nothing is merged that git does not merge cleanly."""
    made: list[Sha] = []
    with repository.quarantined() as quarantine:
        tip = plan.base_commit
        for each in conflict.prerequisites:
            source = write_part(quarantine, each.sha, each.paths) if each.paths else each.sha
            picked = try_pick(quarantine, source, quarantine.commit(tip).tree) if source else None
            if not isinstance(picked, CleanPick):
                return None
            tip = _write(quarantine, each, picked.tree, tip, committer)
            made.append(tip)
        quarantine.keep(tip)
    return Candidate(
        branch=plan.branch,
        base_commit=plan.base_commit,
        commit=tip,
        commits=tuple(made),
        method=Method.CHERRY_PICK,
        fidelity=Fidelity.ADAPTED,
        files=repository.changed_paths(plan.base_commit, tip),
        certainty=Certainty.PROPOSED,
    )


def _write(repository: Repository, brought: RelatedCommit, tree: Sha, parent: Sha, committer: Signature) -> Sha:
    if not brought.paths:
        return write_pick(repository, brought.sha, tree, parent, committer)
    commit = repository.commit(brought.sha)
    message = part_message(commit.message, brought.sha, brought.paths)
    return repository.writer.write_commit(tree, (parent,), message, commit.author, committer)


def _joined(repository: Repository, brought: Candidate, made: Candidate) -> Candidate:
    return replace(
        made,
        base_commit=brought.base_commit,
        commits=(*brought.commits, *made.commits),
        method=brought.method if made.method is Method.CHERRY_PICK else made.method,
        fidelity=max(brought.fidelity, made.fidelity, key=list(Fidelity).index),
        files=repository.changed_paths(brought.base_commit, made.commit),
        certainty=max(brought.certainty, made.certainty, key=list(Certainty).index),
        resolutions=(*brought.resolutions, *made.resolutions),
        findings=(*brought.findings, *made.findings),
        prerequisites=brought.prerequisites,
        siblings=(*brought.siblings, *made.siblings),
    )

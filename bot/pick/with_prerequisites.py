"""Brings prerequisites along: they are picked first, each as a commit of its own, and the originals on top of them.

Both picks are made as in the search for the set, so their result is the one that was offered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from bot.analysis.findings import collect_findings
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
    NothingLeft,
    RelatedCommit,
    Sha,
    Signature,
    TargetPlan,
)
from bot.pick.partial_commit import part_message, write_part
from bot.pick.series import write_pick


class Pick(Protocol):
    """Runs the ladder for a plan with the context of the request."""

    def __call__(
        self, plan: TargetPlan, /, *, propose: bool = True
    ) -> Candidate | Conflict | AlreadyApplied | NothingLeft:
        """Make the candidate or return the conflict. Without `propose` only a certain candidate is made."""


def bring_prerequisites(
    repository: Repository,
    plan: TargetPlan,
    conflict: Conflict,
    committer: Signature,
    pick: Pick,
    *,
    leave_out: Sequence[str] = (),
) -> Candidate | Conflict:
    """Return the candidate with the conflict's prerequisites first, or the conflict if there is no such candidate.

    The objects are kept in the repository, those of the prerequisites even if the originals then conflict. Files that a
    glob of `leave_out` matches are not picked of either.
    """
    in_part = any(prerequisite.paths for prerequisite in conflict.prerequisites)
    prerequisite_plan = replace(
        plan, commits=tuple(prerequisite.sha for prerequisite in conflict.prerequisites), patch=None, check=None
    )
    # A whole prerequisite must be certain: two proposals in a row are right too rarely.
    base_candidate = (
        _bring_in_part(repository, plan, conflict, committer, leave_out)
        if in_part
        else pick(prerequisite_plan, propose=False)
    )
    if not isinstance(base_candidate, Candidate):
        return conflict
    with_them = replace(base_candidate, prerequisites=conflict.prerequisites)
    result = pick(replace(plan, base_commit=base_candidate.commit))
    if isinstance(result, AlreadyApplied):  # the prerequisites contain the originals
        return with_them
    if not isinstance(result, Candidate):
        return conflict
    # The originals were picked on top of the prerequisites, so the two series are one.
    candidate = _join_candidates(repository, with_them, result)
    return replace(candidate, findings=_findings(repository, plan, candidate)) if in_part else candidate


def _findings(repository: Repository, plan: TargetPlan, candidate: Candidate) -> tuple[Match, ...]:
    """Check parts and originals together: the originals may bring names that a part lacks."""
    tree, target_tree, theirs = (
        repository.commit(sha).tree for sha in (candidate.commit, plan.base_commit, plan.commits[-1])
    )
    return collect_findings(repository, tree, target=target_tree, theirs=theirs, paths=candidate.files)


def _bring_in_part(
    repository: Repository, plan: TargetPlan, conflict: Conflict, committer: Signature, leave_out: Sequence[str]
) -> Candidate | None:
    """Pick prerequisites of which some are taken in part. git must pick each of them cleanly."""
    commits: list[Sha] = []
    with repository.quarantine() as quarantine:
        tip = plan.base_commit
        for prerequisite in conflict.prerequisites:
            source = (
                write_part(quarantine, prerequisite.sha, prerequisite.paths) if prerequisite.paths else prerequisite.sha
            )
            result = try_pick(quarantine, source, quarantine.commit(tip).tree, leave_out) if source else None
            if not isinstance(result, CleanPick):
                return None
            tip = _write(quarantine, prerequisite, result.tree, tip, committer)
            commits.append(tip)
        quarantine.keep(tip)
    return Candidate(
        branch=plan.branch,
        base_commit=plan.base_commit,
        commit=tip,
        commits=tuple(commits),
        method=Method.CHERRY_PICK,
        fidelity=Fidelity.ADAPTED,
        files=repository.changed_paths(plan.base_commit, tip),
        certainty=Certainty.PROPOSED,
    )


def _write(repository: Repository, prerequisite: RelatedCommit, tree: Sha, parent: Sha, committer: Signature) -> Sha:
    if not prerequisite.paths:
        return write_pick(repository, prerequisite.sha, tree, parent, committer)
    commit = repository.commit(prerequisite.sha)
    message = part_message(commit.message, prerequisite.sha, prerequisite.paths)
    return repository.writer.write_commit(tree, (parent,), message, commit.author, committer)


def _join_candidates(repository: Repository, base_candidate: Candidate, originals: Candidate) -> Candidate:
    return replace(
        originals,
        base_commit=base_candidate.base_commit,
        commits=(*base_candidate.commits, *originals.commits),
        method=base_candidate.method if originals.method is Method.CHERRY_PICK else originals.method,
        fidelity=max(base_candidate.fidelity, originals.fidelity, key=list(Fidelity).index),
        files=repository.changed_paths(base_candidate.base_commit, originals.commit),
        certainty=max(base_candidate.certainty, originals.certainty, key=list(Certainty).index),
        resolutions=(*base_candidate.resolutions, *originals.resolutions),
        findings=(*base_candidate.findings, *originals.findings),
        prerequisites=base_candidate.prerequisites,
        left_out=tuple(sorted({*base_candidate.left_out, *originals.left_out})),
        absent_files=originals.absent_files,
        siblings=(*base_candidate.siblings, *originals.siblings),
    )

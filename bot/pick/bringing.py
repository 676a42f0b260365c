"""Prerequisites brought along: picked first, each as a commit of its own, and the originals on top of them.

Owns how the two picks become one candidate. Which prerequisites a conflict has was found before; what comes of them is
what the trial said, because both picks are made the way that it was made.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from bot.git.repository import Repository
from bot.model import AlreadyApplied, Candidate, Certainty, Conflict, Fidelity, Method, TargetPlan


class Pick(Protocol):
    """Climbs the ladder for a plan, with all else that the request has."""

    def __call__(self, plan: TargetPlan, /, *, propose: bool = True) -> Candidate | Conflict | AlreadyApplied:
        """Make the candidate, or say why there is none; without `propose` only where it is certain."""


def bring_prerequisites(
    repository: Repository, plan: TargetPlan, conflict: Conflict, pick: Pick
) -> Candidate | Conflict:
    """Return the candidate of a plan whose conflict has prerequisites, with these first; the conflict if there is none.

    Its objects are kept in the repository, those of the prerequisites also where the originals then do not pick.
    """
    alone = replace(plan, commits=tuple(each.sha for each in conflict.prerequisites), patch=None, check=None)
    brought = pick(alone, propose=False)
    if not isinstance(brought, Candidate):
        return conflict
    with_them = replace(brought, prerequisites=conflict.prerequisites)
    made = pick(replace(plan, base_commit=brought.commit))
    if isinstance(made, AlreadyApplied):  # the prerequisites brought all of it
        return with_them
    return _joined(repository, with_them, made) if isinstance(made, Candidate) else conflict


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
    )

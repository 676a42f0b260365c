"""Stores the result of each step of one request for the steps that follow.

A command keeps it in memory. The jobs of a CI keep it in a run folder (`bot.pipeline.folder_store`) and those of the
service in a database (`bot.server.run_store`), since each step may run in a process of its own.
"""

from __future__ import annotations

from typing import Protocol

from bot.git.repository import Repository
from bot.models import Candidate, Sha, Target, TargetOutcome, TargetPlan, Verdict

Decision = TargetPlan | TargetOutcome
"""What a target branch has come to so far: it is planned, or it has ended."""


class ResultStore(Protocol):
    """The results of one request's steps by target branch. A later result of a step replaces the earlier one."""

    def decision(self, target: Target) -> Decision | None:
        """Return the plan or the outcome; None if the target was not planned."""

    def keep_decision(self, target: Target, decision: Decision) -> None:
        """Keep the plan or the outcome."""

    def pick(self, target: Target) -> Candidate | TargetOutcome | None:
        """Return the candidate, or why there is none; None if the pick left nothing."""

    def keep_pick(self, target: Target, result: Candidate | TargetOutcome) -> None:
        """Keep the candidate, or why there is none."""

    def keep_objects(self, target: Target, candidate: Candidate, mirror: Repository) -> None:
        """Keep the candidate's commits and files beyond this process."""

    def fetch_objects(self, target: Target, candidate: Candidate, mirror: Repository) -> None:
        """Bring the candidate's commits and files into a mirror that has its base commit."""

    def verdict(self, target: Target, candidate: Candidate) -> Verdict | None:
        """Return the verdict about this very candidate; None if its proof was skipped."""

    def keep_verdict(self, target: Target, candidate: Candidate, verdict: Verdict) -> None:
        """Keep the verdict about a candidate."""


class MemoryStore:
    """A store for one process, whose mirror has every candidate's objects."""

    def __init__(self) -> None:
        self._decisions: dict[Target, Decision] = {}
        self._picks: dict[Target, Candidate | TargetOutcome] = {}
        self._verdicts: dict[tuple[Target, Sha], Verdict] = {}

    def decision(self, target: Target) -> Decision | None:
        """See `ResultStore`."""
        return self._decisions.get(target)

    def keep_decision(self, target: Target, decision: Decision) -> None:
        """See `ResultStore`."""
        self._decisions[target] = decision

    def pick(self, target: Target) -> Candidate | TargetOutcome | None:
        """See `ResultStore`."""
        return self._picks.get(target)

    def keep_pick(self, target: Target, result: Candidate | TargetOutcome) -> None:
        """See `ResultStore`."""
        self._picks[target] = result

    def keep_objects(self, target: Target, candidate: Candidate, mirror: Repository) -> None:
        """Do nothing: the mirror has them."""

    def fetch_objects(self, target: Target, candidate: Candidate, mirror: Repository) -> None:
        """Do nothing: the mirror has them."""

    def verdict(self, target: Target, candidate: Candidate) -> Verdict | None:
        """See `ResultStore`."""
        return self._verdicts.get((target, candidate.commit))

    def keep_verdict(self, target: Target, candidate: Candidate, verdict: Verdict) -> None:
        """See `ResultStore`."""
        self._verdicts[target, candidate.commit] = verdict

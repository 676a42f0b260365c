"""The interface between the pipeline and the places where suites run.

This machine is one (`bot.pipeline.prove`), a workflow run on GitHub Actions another (`bot.proof.github_actions`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bot.models import Progress, Sha, Verdict, silent


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofRequest:
    """A claim to prove: `commit` fixes on `branch` what `base_commit` has.

    `patch` and `companions` name the carried patches in it, `changed_files` are the paths that it changes.
    """

    branch: str
    base_commit: Sha
    commit: Sha
    patch: str | None
    companions: tuple[str, ...] = ()
    changed_files: tuple[str, ...] = ()


class Runner(Protocol):
    """A place where suites run."""

    def prove(self, request: ProofRequest, progress: Progress = silent) -> Verdict:
        """Run base and candidate on one machine and return the verdict on these very commits.

        An error that stops the runs gives an inconclusive verdict. Raises SuiteError if there is nothing to run.
        """

"""The candidate's proof: both trees laid out as plain files, the regression suite run on each."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from bot import gate
from bot.carried.detect import check
from bot.carried.load import CarriedPatch
from bot.carried.tree import DirectoryTree
from bot.gate.combine import combine
from bot.model import Affectedness, Candidate, Progress, SuiteRun, Verdict, VerdictOutcome, silent
from bot.workflow.workplace import Workshop


def prove_candidate(candidate: Candidate, patch: CarriedPatch | None, at: Workshop) -> Verdict:
    """Run the carried patch's suite on the candidate's base commit and on the candidate; both are removed again.

    Without a suite nothing can be proven, and the verdict is inconclusive.
    """
    if patch is None:
        return _without_suite()
    with tempfile.TemporaryDirectory(prefix="backport-trees-") as scratch:
        base, tree = Path(scratch, "base"), Path(scratch, "candidate")
        at.mirror.export(candidate.base_commit, base)
        at.mirror.export(candidate.commit, tree)
        return prove_trees(
            base,
            tree,
            patch,
            companions=[at.patches[companion.patch] for companion in candidate.companions],
            patches=at.patches,
            device=at.config.prove.device,
            longest=at.config.prove.timeout_minutes * 60,
            progress=lambda line: at.progress(f"{candidate.branch}: {line}"),
        )


def prove_trees(
    base: Path,
    candidate: Path,
    patch: CarriedPatch,
    *,
    companions: Sequence[CarriedPatch] = (),
    patches: Mapping[str, CarriedPatch],
    device: str = "auto",
    longest: float = math.inf,
    progress: Progress = silent,
) -> Verdict:
    """Run the suite of a carried patch, and those of the companions carried with it, on two trees.

    One run is stopped after `longest` seconds or the suite's own limit, whichever comes first.

    Raises:
        SuiteError: there is no suite to run.
    """

    def told(name: str) -> Progress:
        return (lambda line: progress(f"{name}: {line}")) if companions else progress

    verdicts = {
        each.name: gate.prove(
            base,
            candidate,
            replace(each.suite, timeout=min(each.suite.timeout, longest)),
            device=device,
            progress=told(each.name),
            resolved=_resolved(each, candidate, patches),
        )
        for each in (patch, *companions)
    }
    return combine(verdicts)


def _resolved(patch: CarriedPatch, candidate: Path, patches: Mapping[str, CarriedPatch]) -> frozenset[str]:
    """Name the carried patches whose fix the candidate has, by its own code: what they fix is no known failure."""
    named = {declared.fixed_by for declared in patch.suite.known_failures if declared.fixed_by}
    tree = DirectoryTree(candidate)
    return frozenset(
        name for name in named if name in patches and check(tree, patches[name]).status is Affectedness.FIXED
    )


def _without_suite() -> Verdict:
    never = SuiteRun(tree="", cases=(), device=None, seconds=0.0, problem="there is no regression suite")
    reason = "No regression suite is known for this pull request, so nothing could be proven."
    return Verdict(outcome=VerdictOutcome.INCONCLUSIVE, reason=reason, base=never, candidate=never)

"""The candidate's proof: both trees laid out as plain files, the regression suite run on each."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from bot import gate
from bot.carried.detect import check
from bot.carried.load import CarriedPatch
from bot.carried.tree import DirectoryTree
from bot.model import Affectedness, Candidate, Progress, SuiteRun, Verdict, VerdictOutcome, silent
from bot.workflow.workplace import Workplace


def prove_candidate(candidate: Candidate, patch: CarriedPatch | None, at: Workplace) -> Verdict:
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
    patches: Mapping[str, CarriedPatch],
    device: str = "auto",
    longest: float = math.inf,
    progress: Progress = silent,
) -> Verdict:
    """Run a carried patch's suite on two trees. Which known failures still count is asked of the candidate's own code.

    One run is stopped after `longest` seconds or the suite's own limit, whichever comes first.

    Raises:
        SuiteError: there is no suite to run.
    """
    named = {declared.fixed_by for declared in patch.suite.known_failures if declared.fixed_by}
    tree = DirectoryTree(candidate)
    resolved = frozenset(
        name for name in named if name in patches and check(tree, patches[name]).status is Affectedness.FIXED
    )
    suite = replace(patch.suite, timeout=min(patch.suite.timeout, longest))
    return gate.prove(base, candidate, suite, device=device, progress=progress, resolved=resolved)


def _without_suite() -> Verdict:
    never = SuiteRun(tree="", cases=(), device=None, seconds=0.0, problem="there is no regression suite")
    reason = "No regression suite is known for this pull request, so nothing could be proven."
    return Verdict(outcome=VerdictOutcome.INCONCLUSIVE, reason=reason, base=never, candidate=never)

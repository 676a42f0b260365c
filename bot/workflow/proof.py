"""The candidate's proof: both trees laid out as plain files, every suite that is for it run on each, one verdict."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from bot import gate
from bot.carried.detect import check
from bot.carried.load import CarriedPatch
from bot.carried.tree import DirectoryTree
from bot.config import Prove
from bot.gate.combine import combine
from bot.gate.evidence import write_evidence
from bot.model import (
    Affectedness,
    Candidate,
    CommandSuite,
    Progress,
    SourceTree,
    Suite,
    SuiteRun,
    Verdict,
    VerdictOutcome,
    silent,
)
from bot.workflow.suites import confinement_for, suites_for
from bot.workflow.workplace import Workshop

_DEFAULT = Prove()


def prove_candidate(candidate: Candidate, patch: CarriedPatch | None, at: Workshop) -> Verdict:
    """Run what proves the candidate on its base commit and on the candidate; both are removed again.

    Without a suite nothing can be proven, and the verdict is inconclusive.
    """
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
            settings=at.config.prove,
            branch=candidate.branch,
            changed=candidate.files,
            progress=lambda line: at.progress(f"{candidate.branch}: {line}"),
        )


def prove_trees(  # noqa: PLR0913 - two trees, what is carried between them, and where it is for; most have a default
    base: Path,
    candidate: Path,
    patch: CarriedPatch | None,
    *,
    companions: Sequence[CarriedPatch] = (),
    patches: Mapping[str, CarriedPatch],
    settings: Prove = _DEFAULT,
    device: str | None = None,
    branch: str = "",
    changed: Sequence[str] = (),
    evidence: Path | None = None,
    progress: Progress = silent,
) -> Verdict:
    """Run on two trees what proves the change between them: the suites of what is carried, or the tests it brings.

    `changed` are the paths in which the trees differ. `device` overrules the settings. What the runs reported is kept
    in the folder `evidence`.

    Raises:
        SuiteError: there is no suite to run.
    """
    suites = suites_for(branch, patch, companions, changed, settings)
    if not suites.proof and not suites.guards:
        return _without_suite()
    several = len(suites.proof) + len(suites.guards) > 1

    def prove(name: str, suite: Suite | CommandSuite) -> Verdict:
        return gate.prove(
            base,
            candidate,
            suite,
            device=device or settings.device,
            progress=(lambda line: progress(f"{name}: {line}")) if several else progress,
            resolved=resolved_in(DirectoryTree(candidate), suite, patches),
            confinement=confinement_for(branch, settings),
            keep=evidence and evidence / name,
        )

    verdicts = {name: prove(name, suite) for name, suite in (suites.proof | suites.guards).items()}
    verdict = combine(verdicts, guards=suites.guards.keys())
    if evidence is not None:
        write_evidence(evidence, verdict, verdicts)
    return verdict


def resolved_in(
    candidate: SourceTree, suite: Suite | CommandSuite, patches: Mapping[str, CarriedPatch]
) -> frozenset[str]:
    """Name the carried patches whose fix the candidate has, by its own code: what they fix is no known failure."""
    named = {declared.fixed_by for declared in suite.known_failures if declared.fixed_by}
    return frozenset(
        name for name in named if name in patches and check(candidate, patches[name]).status is Affectedness.FIXED
    )


def _without_suite() -> Verdict:
    never = SuiteRun(tree="", cases=(), device=None, seconds=0.0, problem="there is no regression suite")
    reason = (
        "No carried patch is known for this pull request and it changes no tests, so nothing could be proven. Tests "
        "that lie elsewhere are found once `prove.tests.paths` of the configuration names them."
    )
    return Verdict(outcome=VerdictOutcome.INCONCLUSIVE, reason=reason, base=never, candidate=never)

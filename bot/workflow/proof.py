"""The candidate's proof: both trees laid out as plain files, every suite that is for it run on each, one verdict."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from bot import gate
from bot.cache import cache_directory
from bot.carried.load import CarriedPatch
from bot.carried.tree import DirectoryTree
from bot.config import Prove
from bot.gate.combine import combine
from bot.gate.evidence import write_evidence
from bot.gate.place import Turn
from bot.gate.queue import prove_each
from bot.gate.runner import Assignment, Runner
from bot.gate.turns import drop_old_kernels
from bot.model import (
    Candidate,
    CommandSuite,
    Progress,
    StopWhen,
    Suite,
    SuiteRun,
    Verdict,
    VerdictOutcome,
    never,
    silent,
)
from bot.workflow.remote_proof import actions_runner
from bot.workflow.suites import confinement_for, resolved_in, suites_for, suites_of
from bot.workflow.workplace import Workplace, Workshop

_DEFAULT = Prove()


def prove_candidate(candidate: Candidate, patch: CarriedPatch | None, at: Workshop) -> Verdict:
    """Have the configured runner prove the candidate, on its very commits.

    Where there is no door to GitHub, nobody can be asked, and this machine is the runner.
    """
    assignment = Assignment(
        branch=candidate.branch,
        base_commit=candidate.base_commit,
        commit=candidate.commit,
        patch=patch.name if patch else None,
        companions=tuple(companion.patch for companion in candidate.companions),
        changed=candidate.files,
    )
    if not suites_of(assignment, at).every:
        return without_suite()
    return _runner(at).prove(assignment, lambda line: at.progress(f"{candidate.branch}: {line}"))


def _runner(at: Workshop) -> Runner:
    if isinstance(at, Workplace) and at.config.prove.runner == "github-actions":
        return actions_runner(at)
    return LocalRunner(at)


class LocalRunner:
    """This machine: both trees are laid out as plain files, which are removed again."""

    def __init__(self, at: Workshop) -> None:
        self._at = at

    def prove(self, assignment: Assignment, progress: Progress = silent) -> Verdict:
        """Run every suite that is for the candidate on both trees; without any, the verdict is inconclusive."""
        at = self._at
        with tempfile.TemporaryDirectory(prefix="backport-trees-") as scratch:
            base, tree = Path(scratch, "base"), Path(scratch, "candidate")
            at.mirror.export(assignment.base_commit, base)
            at.mirror.export(assignment.commit, tree)
            return prove_trees(
                base,
                tree,
                at.patches[assignment.patch] if assignment.patch else None,
                companions=[at.patches[name] for name in assignment.companions],
                patches=at.patches,
                settings=at.config.prove,
                branch=assignment.branch,
                changed=assignment.changed,
                commits=(assignment.base_commit, assignment.commit),
                evidence=at.evidence,
                progress=progress,
                stop_when=at.stop_when,
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
    commits: tuple[str, str] = ("", ""),
    evidence: Path | None = None,
    progress: Progress = silent,
    stop_when: StopWhen = never,
) -> Verdict:
    """Run on two trees what proves the change between them: the suites of what is carried, or the tests it brings.

    `changed` are the paths in which the trees differ, and `commits` what they are checked out at. `device` overrules
    the settings. What the runs reported is kept in the folder `evidence`.

    Raises:
        SuiteError: there is no suite to run.
    """
    suites = suites_for(branch, patch, companions, changed, DirectoryTree(candidate), settings)
    if not suites.every:
        return without_suite()
    device, confinement = device or settings.device, confinement_for(branch, settings)
    several, kernels = len(suites.every) > 1, cache_directory() / "kernels"
    drop_old_kernels(kernels)

    def prove(name: str, suite: Suite | CommandSuite, turn: Turn, stop_when: StopWhen) -> Verdict:
        verdict = gate.prove(
            base,
            candidate,
            suite,
            device=device,
            progress=(lambda line: progress(f"{name}: {line}")) if several else progress,
            resolved=resolved_in(DirectoryTree(candidate), suite, patches),
            confinement=confinement,
            keep=evidence and evidence / name,
            kernels=kernels,
            turn=turn,
            stop_when=stop_when,
        )
        of_base, of_candidate = (
            replace(run, commit=commit) for run, commit in zip((verdict.base, verdict.candidate), commits, strict=True)
        )
        return replace(verdict, base=of_base, candidate=of_candidate)

    verdicts = prove_each(suites.every, prove, device=device, confinement=confinement, stop_when=stop_when)
    verdict = combine(verdicts, guards=suites.guards.keys())
    if evidence is not None:
        write_evidence(evidence, verdict, verdicts)
    return verdict


def without_suite() -> Verdict:
    """Return the verdict on a change that no suite is for, with what could be done about it."""
    nothing = SuiteRun(tree="", cases=(), device=None, seconds=0.0, problem="there is no regression suite")
    reason = (
        "No carried patch is known for this pull request and it changes no tests, so nothing could be proven. Tests "
        "that lie elsewhere are found once `prove.tests.paths` of the configuration names them."
    )
    return Verdict(outcome=VerdictOutcome.INCONCLUSIVE, reason=reason, base=nothing, candidate=nothing)

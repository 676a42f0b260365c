"""The candidate's proof, by the runner that is configured: on this machine, or one that GitHub Actions finds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bot.carried.load import CarriedPatch
from bot.environment.temporary_folders import scratch_folder
from bot.git.trees import list_submodules
from bot.models import Candidate, Progress, Verdict, silent
from bot.pipeline.context import Workplace, Workshop
from bot.pipeline.remote_proof import actions_runner
from bot.proof.prove_trees import prove_trees, without_suite
from bot.proof.runner import Assignment, Runner
from bot.proof.select_suites import suites_of

_LISTED = 5
"""Submodules that a note names."""


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
    verdict = _runner(at).prove(assignment, lambda line: at.progress(f"{candidate.branch}: {line}"))
    return verdict if verdict.proven else replace(verdict, notes=(*verdict.notes, *_left_out(candidate, at)))


def _left_out(candidate: Candidate, at: Workshop) -> Iterator[str]:
    """Say what the runs did not have: to fetch it would take whatever address the branch names."""
    paths = list_submodules(at.mirror, candidate.commit)
    if paths:
        named = ", ".join(f"`{path.replace('`', '')}`" for path in paths[:_LISTED])
        more = f" and {len(paths) - _LISTED} more" if len(paths) > _LISTED else ""
        yield f"A proof brings no submodules along ({named}{more}): tests that need them cannot run."
    if b"filter=lfs" in (at.mirror.read(candidate.commit, ".gitattributes") or b""):
        yield "A proof brings no files of Git LFS along, only their pointers: tests that need them cannot run."


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
        with scratch_folder("backport-trees-") as scratch:
            base, tree = scratch / "base", scratch / "candidate"

            def lay_out() -> None:
                at.mirror.export(assignment.base_commit, base)
                at.mirror.export(assignment.commit, tree)

            return prove_trees(
                base,
                tree,
                at.patches[assignment.patch] if assignment.patch else None,
                lay_out=lay_out,
                companions=[at.patches[name] for name in assignment.companions],
                patches=at.patches,
                settings=at.config.prove,
                branch=assignment.branch,
                changed=assignment.changed,
                commits=(assignment.base_commit, assignment.commit),
                kernels_of=assignment.base_commit,
                evidence=at.evidence,
                progress=progress,
                stop_when=at.stop_when,
            )

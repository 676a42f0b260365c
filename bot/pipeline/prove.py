"""The candidate's proof, by the runner that is configured: on this machine, or one that GitHub Actions finds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bot.carried.load import CarriedPatch
from bot.environment.temporary_folders import scratch_folder
from bot.git.trees import list_submodules
from bot.models import Candidate, Progress, Verdict, VerdictOutcome, silent
from bot.pick.context import PickContext
from bot.pipeline.context import RepositoryContext
from bot.pipeline.remote_proof import actions_runner
from bot.proof.artifacts import evidence_folder
from bot.proof.change import Change
from bot.proof.inconclusive import inconclusive
from bot.proof.no_tests import checks_instead, missing_tests, no_tests, unrun_tests
from bot.proof.prove_trees import prove_trees
from bot.proof.runner import ProofRequest, Runner
from bot.proof.select_suites import suites_of

ProofMeans = tuple[PickContext, Runner]
"""What one proof needs: a context whose mirror has both trees, and the runner of the suites."""
_MAX_NAMED = 5
"""Submodules that a note names."""


def prove_candidate(candidate: Candidate, patch: CarriedPatch | None, context: PickContext, runner: Runner) -> Verdict:
    """Have the runner prove the candidate, on its very commits."""
    request = _proof_request(candidate, patch)
    suites = suites_of(request, context)
    unrun = "" if suites.proof else unrun_tests(candidate, context.config.prove.tests.paths)
    if unrun:
        return inconclusive(unrun, problem="no test of the original ran")
    if not suites.all_suites:
        return no_tests(candidate.files, checks_instead(candidate))
    verdict = runner.prove(request, lambda line: context.progress(f"{candidate.branch}: {line}"))
    if verdict.outcome is VerdictOutcome.NO_TESTS:
        reason = f"{missing_tests(candidate.files)} {checks_instead(candidate)} {verdict.reason}"
        return replace(verdict, reason=reason)
    return verdict if verdict.proven else replace(verdict, notes=(*verdict.notes, *_left_out(candidate, context)))


def has_tests(candidate: Candidate, patch: CarriedPatch | None, context: PickContext) -> bool:
    """Say whether anything could prove the candidate: a carried patch, tests that it brings, or tests that it lacks.

    A verdict that says otherwise comes from a machine that ran untrusted code, and is not to be believed.
    """
    paths = context.config.prove.tests.paths
    return bool(suites_of(_proof_request(candidate, patch), context).proof or unrun_tests(candidate, paths))


def _proof_request(candidate: Candidate, patch: CarriedPatch | None) -> ProofRequest:
    return ProofRequest(
        branch=candidate.branch,
        base_commit=candidate.base_commit,
        commit=candidate.commit,
        patch=patch.name if patch else None,
        companions=tuple(companion.patch for companion in candidate.companions),
        changed_files=candidate.files,
    )


def _left_out(candidate: Candidate, context: PickContext) -> Iterator[str]:
    """Say which files the runs lacked. They are not fetched, because the branch would choose the address."""
    paths = list_submodules(context.mirror, candidate.commit)
    if paths:
        names = ", ".join(f"`{path.replace('`', '')}`" for path in paths[:_MAX_NAMED])
        others_text = f" and {len(paths) - _MAX_NAMED} more" if len(paths) > _MAX_NAMED else ""
        yield f"A proof brings no submodules along ({names}{others_text}): tests that need them cannot run."
    if b"filter=lfs" in (context.mirror.read(candidate.commit, ".gitattributes") or b""):
        yield "A proof brings no files of Git LFS along, only their pointers: tests that need them cannot run."


@contextmanager
def configured_proof(context: RepositoryContext) -> Iterator[ProofMeans]:
    """Open what a proof of the service needs, with the runner that the configuration names."""
    is_remote = context.config.prove.runner == "github-actions"
    yield context.pick, actions_runner(context) if is_remote else LocalRunner(context.pick)


def _kept_evidence(request: ProofRequest, context: PickContext, progress: Progress) -> Path | None:
    if context.evidence_root is None:
        return None
    folder = evidence_folder(context.evidence_root, request.branch, request.commit)
    progress(f"reports: {folder}")
    return folder


class LocalRunner:
    """This machine: both trees are laid out as plain files, which are removed again."""

    def __init__(self, context: PickContext) -> None:
        self._context = context

    def prove(self, request: ProofRequest, progress: Progress = silent) -> Verdict:
        """Run every suite that is for the candidate on both trees; without any, the verdict is inconclusive."""
        context = self._context
        with scratch_folder("backport-trees-") as scratch:
            base, tree = scratch / "base", scratch / "candidate"

            def lay_out() -> None:
                context.mirror.export(request.base_commit, base)
                context.mirror.export(request.commit, tree)

            return prove_trees(
                Change(
                    base,
                    tree,
                    context.patches[request.patch] if request.patch else None,
                    companions=[context.patches[name] for name in request.companions],
                    patches=context.patches,
                    branch=request.branch,
                    changed_files=request.changed_files,
                    commits=(request.base_commit, request.commit),
                    kernels_of=request.base_commit,
                ),
                lay_out=lay_out,
                settings=context.config.prove,
                evidence=context.evidence or _kept_evidence(request, context, progress),
                progress=progress,
                stop_when=context.stop_when,
            )

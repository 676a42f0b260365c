"""The fourth stage: one candidate's proof, from its bundle alone.

Owns prove/ and evidence/: the verdict, which `publish` takes, and what the runs reported, for people. Holds no token,
needs no network and has no mirror: the regression suite is somebody's code.
"""

from __future__ import annotations

from bot.errors import RunFolderError
from bot.git.bundle import open_bundle
from bot.models import Candidate, Failed, Progress, SuiteRun, Verdict, VerdictOutcome, silent
from bot.pick.context import PickContext
from bot.pipeline import run
from bot.pipeline.records import Planned, Proof
from bot.pipeline.run_folder import RunFolder
from bot.pipeline.settings import read_settings


def prove_target(target: str, folder: RunFolder, *, progress: Progress = silent) -> Verdict:
    """Run the regression suite of a picked target branch and write down the verdict.

    Raises:
        RunFolderError: there is no candidate to prove.
    """
    planned = folder.plan().find(target)
    picked = folder.picked(target)
    if picked is None or not isinstance(picked.made.value, Candidate):
        raise RunFolderError(
            f"Target {target} has no candidate, so nothing was proven.", hint="Run `stage pick` for it first."
        )
    candidate = picked.made.value
    verdict = run.capture_errors(planned.plan.branch, lambda: _prove(planned, candidate, folder, progress))
    told = without_verdict(verdict.message) if isinstance(verdict, Failed) else verdict
    proof = Proof(base_commit=candidate.base_commit, candidate=candidate.commit, verdict=told)
    folder.write(f"prove/{target}.json", proof)
    return told


def without_verdict(reason: str) -> Verdict:
    """Return the verdict of a proof that came to none."""
    never = SuiteRun(tree="", cases=(), device=None, seconds=0.0, problem=reason)
    return Verdict(outcome=VerdictOutcome.INCONCLUSIVE, reason=reason, base=never, candidate=never)


def _prove(planned: Planned, candidate: Candidate, folder: RunFolder, progress: Progress) -> Verdict:
    settings = read_settings(folder)
    with open_bundle(folder.bundle(planned.id), candidate.base_commit, candidate.commit) as repository:
        context = PickContext(
            mirror=repository,
            config=settings.config,
            patches=settings.patches,
            progress=progress,
            evidence=folder.path(f"evidence/{planned.id}"),
        )
        backport = planned.request.backport(context.patch_for(planned.request.original))
        return run.prove(candidate, backport, context) or without_verdict("The request asks for no proof.")

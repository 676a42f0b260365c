"""Companions of a carried patch as further commits of a candidate.

This module words the commits. `bot.carried.companions` selects the companions and computes their changes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from bot.carried.apply import Applied, StepFailure
from bot.carried.companions import apply_companions
from bot.carried.load import CarriedPatch
from bot.git.commit_message import backport_message
from bot.git.repository import Repository
from bot.git.trees import CommitTree
from bot.models import Candidate, Commit, CompanionCommit, Sha, Signature, StrategyResult
from bot.text.markdown import count

FindOriginal = Callable[[CarriedPatch], Commit | None]
"""Returns the merge commit of a patch's original, or None if it is not merged or cannot be fetched."""


def carry_companions(
    repository: Repository,
    candidate: Candidate,
    patch: CarriedPatch,
    *,
    patches: Mapping[str, CarriedPatch],
    committer: Signature,
    original_of: FindOriginal,
) -> Candidate:
    """Return the candidate with one more commit for each companion whose fault it has.

    A companion that does not apply is recorded in `rungs`, and the candidate goes on without it.
    """
    for outcome in apply_companions(CommitTree(repository, candidate.commit), patch, patches):
        strategy = f"companion {outcome.patch}"
        if isinstance(outcome, StepFailure):
            candidate = replace(
                candidate, rungs=(*candidate.rungs, StrategyResult(strategy, won=False, detail=str(outcome)))
            )
            continue
        # Each companion was computed on top of those before it, so the commits are written in the same order.
        companion = patches[outcome.patch]
        commit = _write(repository, candidate, companion, outcome, committer, original_of(companion))
        detail = f"{count(len(outcome.steps), 'step')} changed {', '.join(sorted(outcome.changes))}"
        candidate = replace(
            candidate,
            commit=commit,
            commits=(*candidate.commits, commit),
            companions=(*candidate.companions, CompanionCommit(companion.name, commit, _title(companion))),
            rungs=(*candidate.rungs, StrategyResult(strategy, won=True, detail=detail)),
            files=repository.changed_paths(candidate.base_commit, commit),
        )
    return candidate


def _write(
    repository: Repository,
    candidate: Candidate,
    companion: CarriedPatch,
    outcome: Applied,
    committer: Signature,
    original: Commit | None,
) -> Sha:
    note = f"Applied to {candidate.branch} by the carried patch {companion.name}, not by its original lines."
    if original is not None:
        message, author = backport_message(original.message, (original.sha,), (note,)), original.author
    else:
        message, author = _message(companion, note), committer
    return repository.write_commit(
        candidate.commit, outcome.changes, message=message, author=author, committer=committer
    )


def _message(companion: CarriedPatch, note: str) -> str:
    """Word a commit whose original is not in this repository: it names no commit, but credits the author."""
    provenance, original = companion.provenance, companion.provenance.original
    origin = f"The fix is that of https://github.com/{original.repository}/pull/{original.pull_request}."
    # GitHub's form of a private address:
    # https://docs.github.com/en/account-and-profile/reference/email-addresses-reference
    credit = f"Co-authored-by: {original.author} <{original.author}@users.noreply.github.com>"
    return "\n\n".join([_title(companion), provenance.summary.strip(), origin, note, credit]) + "\n"


def _title(companion: CarriedPatch) -> str:
    original = companion.provenance.original
    return f"{original.title} (#{original.pull_request})"

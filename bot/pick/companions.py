"""Companions of a carried patch as further commits of a candidate.

A companion comes as its original's own commits if they apply and mend the branch, and by its rules if not. This module
words the commits. `bot.carried.companions` selects the companions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot.analysis.findings import are_fatal, collect_findings
from bot.carried.apply import Applied, StepFailure, apply
from bot.carried.companions import companions_of
from bot.carried.detect import check
from bot.carried.load import CarriedPatch
from bot.git.commit_message import backport_message
from bot.git.repository import Repository
from bot.git.trees import CommitTree
from bot.git.trial_pick import UnmergedPick
from bot.models import (
    Affectedness,
    Candidate,
    CompanionCommit,
    MergeMethod,
    Method,
    Sha,
    Signature,
    StrategyResult,
    TargetPlan,
)
from bot.pick.attempt import Attempt
from bot.pick.series import pick_series, series_fidelity
from bot.text.markdown import count


def carry_companions(
    repository: Repository,
    candidate: Candidate,
    patch: CarriedPatch,
    *,
    patches: Mapping[str, CarriedPatch],
    committer: Signature,
    originals: Mapping[str, Sequence[Sha]],
    leave_out: Sequence[str] = (),
) -> Candidate:
    """Return the candidate with further commits for each companion whose fault it has, each on top of the others.

    `originals` are the commits of companions that are merged, by name, oldest first, with their objects in the
    repository. Files that a glob of `leave_out` matches are not picked. A companion that does not apply is recorded in
    `rungs`, and the candidate goes on without it.
    """
    for companion in companions_of(patch, patches):
        # A companion that the tree does not need would only add risk.
        if check(CommitTree(repository, candidate.commit), companion).status is not Affectedness.AFFECTED:
            continue
        shas = tuple(originals.get(companion.name, ()))
        picked = _pick(repository, candidate, companion, shas, committer, tuple(leave_out)) if shas else None
        candidate = picked or _carry(repository, candidate, companion, shas, committer)
    return candidate


def _pick(
    repository: Repository,
    candidate: Candidate,
    companion: CarriedPatch,
    originals: tuple[Sha, ...],
    committer: Signature,
    leave_out: tuple[str, ...],
) -> Candidate | None:
    """Pick the original's own commits; None if they conflict, or do not mend the branch as the rules see it."""
    plan = TargetPlan(
        branch=candidate.branch,
        base_commit=candidate.commit,
        backport_branch="",
        commits=originals,
        merge_method=MergeMethod.REBASE if len(originals) > 1 else MergeMethod.SQUASH,
    )
    with repository.quarantine() as quarantine:
        attempt = Attempt(repository=quarantine, plan=plan, committer=committer, leave_out=leave_out)
        series = pick_series(attempt)
        if isinstance(series, UnmergedPick) or not series:
            return None
        tip, before = series[-1], quarantine.commit(candidate.commit).tree
        if check(CommitTree(quarantine, tip), companion).status is not Affectedness.FIXED:
            return None
        paths = quarantine.changed_paths(candidate.commit, tip)
        theirs = quarantine.commit(originals[-1]).tree
        findings = collect_findings(quarantine, quarantine.commit(tip).tree, target=before, theirs=theirs, paths=paths)
        if are_fatal(findings):
            return None
        fidelity = series_fidelity(quarantine, tuple(map(attempt.as_picked, originals)), series)
        left_out = attempt.left_out()
        quarantine.keep(tip)
    candidate = replace(
        candidate,
        findings=(*candidate.findings, *findings),
        left_out=tuple(sorted({*candidate.left_out, *left_out})),
    )
    detail = f"its original applies, {fidelity.value}"
    return _with_commits(repository, candidate, companion, series, Method.CHERRY_PICK, detail)


def _carry(
    repository: Repository,
    candidate: Candidate,
    companion: CarriedPatch,
    originals: tuple[Sha, ...],
    committer: Signature,
) -> Candidate:
    """Apply the companion's rules; if they do not apply, the candidate only records that."""
    outcome = apply(CommitTree(repository, candidate.commit), companion)
    if isinstance(outcome, StepFailure):
        result = StrategyResult(f"companion {companion.name}", won=False, detail=str(outcome))
        return replace(candidate, rungs=(*candidate.rungs, result))
    commit = _write(repository, candidate, companion, outcome, committer, originals)
    detail = f"{count(len(outcome.steps), 'step')} changed {', '.join(sorted(outcome.changes))}"
    return _with_commits(repository, candidate, companion, (commit,), Method.CARRIED_PATCH, detail)


def _with_commits(
    repository: Repository,
    candidate: Candidate,
    companion: CarriedPatch,
    commits: tuple[Sha, ...],
    method: Method,
    detail: str,
) -> Candidate:
    tip = commits[-1]
    return replace(
        candidate,
        commit=tip,
        commits=(*candidate.commits, *commits),
        companions=(*candidate.companions, CompanionCommit(companion.name, tip, _title(companion), method)),
        rungs=(*candidate.rungs, StrategyResult(f"companion {companion.name}", won=True, detail=detail)),
        files=repository.changed_paths(candidate.base_commit, tip),
    )


def _write(
    repository: Repository,
    candidate: Candidate,
    companion: CarriedPatch,
    outcome: Applied,
    committer: Signature,
    originals: tuple[Sha, ...],
) -> Sha:
    note = f"Applied to {candidate.branch} by the carried patch {companion.name}, not by its original lines."
    if originals:
        original = repository.commit(originals[-1])
        message, author = backport_message(original.message, originals, (note,)), original.author
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

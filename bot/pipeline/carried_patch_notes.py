"""Gathers the facts of a carried patch that the pull request shows beside the change: risks, follow-ups, companions."""

from __future__ import annotations

from bot.carried.companions import companions_of
from bot.carried.detect import check, find_follow_ups
from bot.carried.load import CarriedPatch
from bot.git.trees import CommitTree
from bot.models import Affectedness, Candidate
from bot.pipeline.context import RepositoryContext
from bot.report.pull_request import PatchNotes


def patch_notes(patch: CarriedPatch, candidate: Candidate, context: RepositoryContext) -> PatchNotes:
    """Gather risks, the follow-up sites in this very candidate, and the companions that it still lacks."""
    tree = CommitTree(context.mirror, candidate.commit)
    original = patch.provenance.original
    companion_references = [
        reference for carrier in (patch, *companions_of(patch, context.patches)) for reference in carrier.companions
    ]
    reasons = {
        reference.patch: reference.reason
        for reference in reversed(companion_references)
        if reference.patch != patch.name
    }
    companions = [
        f"{name}: {reason}"
        for name, reason in reversed(reasons.items())
        if name not in context.patches or check(tree, context.patches[name]).status is Affectedness.AFFECTED
    ]
    return PatchNotes(
        name=patch.name,
        title=original.title,
        url=f"https://github.com/{original.repository}/pull/{original.pull_request}",
        risks=patch.provenance.risks,
        open_questions=patch.provenance.open_questions,
        follow_ups=find_follow_ups(tree, patch),
        companions=tuple(companions),
    )

"""What a carried patch knows beyond its change, as the pull request shows it."""

from __future__ import annotations

from bot.carried.detect import check, find_follow_ups
from bot.carried.load import CarriedPatch
from bot.git.tree import CommitTree
from bot.model import Affectedness, Candidate
from bot.report.pull_request import PatchNotes
from bot.workflow.workplace import Workplace


def patch_notes(patch: CarriedPatch, candidate: Candidate, at: Workplace) -> PatchNotes:
    """Gather risks, the follow-up sites in this very candidate, and the companions that it still lacks."""
    tree = CommitTree(at.mirror, candidate.commit)
    original = patch.provenance.original
    companions = [
        f"{companion.patch}: {companion.reason}"
        for companion in patch.companions
        if companion.patch not in at.patches or check(tree, at.patches[companion.patch]).status is Affectedness.AFFECTED
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

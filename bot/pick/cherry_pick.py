"""The strategy "cherry-pick": the result of `git cherry-pick`, unchanged and without a worktree."""

from __future__ import annotations

from collections.abc import Sequence

from bot.carried.detect import check
from bot.git.diff_text import commit_patches, differ_in_line_ends
from bot.git.repository import Repository
from bot.git.trees import CommitTree
from bot.git.trial_pick import UnmergedPick
from bot.models import Affectedness, AlreadyApplied, Fidelity, Method, Sha
from bot.pick.attempt import Attempt
from bot.pick.series import pick_series, series_fidelity
from bot.pick.strategy import NotApplicable, Picked
from bot.text.markdown import count


class CherryPick:
    """Picks the originals as they are."""

    name = "cherry-pick"

    def apply(self, attempt: Attempt) -> Picked | AlreadyApplied | NotApplicable:
        """Pick the series; decline at the first conflict."""
        series = pick_series(attempt)
        if isinstance(series, UnmergedPick):
            return NotApplicable(describe_conflict(series), series)
        if not series:
            return AlreadyApplied(target=attempt.plan.branch, how="picking it changes nothing on the branch")
        remaining_fault = _still_affected(attempt, series[-1])
        if remaining_fault:
            return NotApplicable(remaining_fault)
        originals = tuple(map(attempt.as_picked, attempt.commits))
        fidelity = series_fidelity(attempt.repository, originals, series)
        line_ends = _line_ends(attempt.repository, originals, series) if fidelity is Fidelity.ADAPTED else ""
        detail = f"applies, {fidelity.value}{line_ends}"
        return Picked(commits=series, method=Method.CHERRY_PICK, fidelity=fidelity, detail=detail)


def describe_conflict(conflict: UnmergedPick) -> str:
    """Return one line that lists the conflicting files."""
    if not conflict.files:
        return f"{conflict.commit[:12]} conflicts in how directories were renamed"
    files = ", ".join(f"{file.path} ({file.kind.value})" for file in conflict.files)
    return f"{conflict.commit[:12]} conflicts in {count(len(conflict.files), 'file')}: {files}"


def _line_ends(repository: Repository, originals: Sequence[Sha], series: Sequence[Sha]) -> str:
    """Return a clause that says that the series has the branch's line ends, or "" if it does not differ in them."""
    # The patches differ in every line then, which would look like an adaptation.
    texts = commit_patches(repository, [*originals, *series])
    pairs = zip(originals, series, strict=False)
    differs = any(differ_in_line_ends(texts[original], texts[copy]) for original, copy in pairs)
    return ": with the line ends that the branch has" if differs else ""


def _still_affected(attempt: Attempt, commit: Sha) -> str | None:
    # A clean pick can miss the branch's own form of the fault. The carried patch's rules find that.
    patch = attempt.patches.get(attempt.plan.patch or "")
    if patch is None:
        return None
    report = check(CommitTree(attempt.repository, commit), patch)
    if report.status is not Affectedness.AFFECTED:
        return None
    return f"applies, but the carried patch {patch.name} still finds the fault: {report.reason}"

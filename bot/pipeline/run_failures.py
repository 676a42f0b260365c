"""Words the failures that the run itself finds, not one of its steps: a branch that moved, a sibling that failed."""

from __future__ import annotations

from bot.models import Failed, Target
from bot.pipeline.request import BackportRequest


def moved_failure(target: Target, request: BackportRequest, attempts: int) -> Failed:
    """Return the outcome of a branch that moved during every proof."""
    often = "once" if attempts == 1 else f"{attempts} times"
    return Failed(
        target=str(target),
        message=f"The branch moved {often} while the candidate was being proven, so nothing was opened: a proof holds "
        "for the commit that it was made on.",
        hint=f"Comment `{request.command_for(str(target))}` when the branch is quieter: it is then made on the new "
        "tip.",
    )


def sibling_failure(target: Target, request: BackportRequest) -> Failed:
    """Return the outcome of a branch whose candidate was made from one that was not opened."""
    return Failed(
        target=str(target),
        message="This backport was made from the one to another branch in the same request. That one was not opened, "
        "or its proof failed, so this one was not opened either.",
        hint=f"Comment `{request.command_for(str(target))}`: it is then made without the other one.",
    )


def lost_pick_failure(target: Target) -> Failed:
    """Return the outcome of a branch whose pick left nothing, not even why."""
    return Failed(target=str(target), message="The pick left no result.", hint="Look at its job, then ask again.")

"""A conflict explained: who changed what is in conflict, and what would have to come along.

Owns how much time that may take and that it is a help only: where history cannot be read, the conflict stands as it is.
"""

from __future__ import annotations

import logging

from bot.errors import GitError
from bot.git.trial_pick import UnmergedPick
from bot.models import ConflictFile
from bot.pick.attempt import Attempt
from bot.pick.describe_conflict import describe_files, open_histories
from bot.pick.prerequisites import NO_PREREQUISITES, Prerequisites, RunLadder, find_prerequisites

SECONDS = 1.8
"""What a person who waits for the answer to a comment does not notice; git is ended when it is up."""

ALL_SECONDS = 8.0
"""For all branches that are asked about together; each has its share."""

log = logging.getLogger(__name__)


def explain(
    attempt: Attempt, conflict: UnmergedPick, max_prerequisites: int, run_ladder: RunLadder, *, propose: bool = True
) -> tuple[tuple[ConflictFile, ...], Prerequisites]:
    """Return the files of a conflict with who changed them, and the smallest set of prerequisites that was found.

    `run_ladder` is asked what the ladder makes of the originals where some still conflict after prerequisites. Without
    `propose` only sets count with which the pick is certain.
    """
    files = tuple(file.conflict_file for file in conflict.files)
    try:
        branches = attempt.caches.histories.together(attempt.plan.commits, attempt.plan.base_commit)
        seconds = min(SECONDS, ALL_SECONDS / branches)
        histories = open_histories(attempt, seconds=seconds, share_mainline=branches > 1)
        if histories is None:
            return files, NO_PREREQUISITES
        files = describe_files(histories, conflict, attempt.split(conflict))
        return files, find_prerequisites(
            attempt, histories, conflict, max_size=max_prerequisites, run_ladder=run_ladder, propose=propose
        )
    except GitError as error:
        log.warning("%s", error)
        return files, NO_PREREQUISITES

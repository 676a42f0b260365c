"""Explains a conflict: the commits that changed its lines, and the prerequisites that would make the pick possible.

The explanation is limited in time and optional: if history cannot be read, the conflict is reported without it. If a
partial mirror cannot fetch it, that is an error: some requests bring the prerequisites along, and a whole mirror has
them.
"""

from __future__ import annotations

import logging

from bot.errors import FetchFailed, GitError
from bot.git.trial_pick import UnmergedPick
from bot.models import ConflictFile
from bot.pick.attempt import Attempt
from bot.pick.describe_conflict import describe_files, open_histories
from bot.pick.prerequisites import NO_PREREQUISITES, Prerequisites, RunLadder, find_prerequisites

SECONDS = 1.8
"""Seconds for one branch, which a person who waits for a reply hardly notices. git is terminated after them."""

ALL_SECONDS = 8.0
"""Seconds for all branches of a request together, in equal shares."""

log = logging.getLogger(__name__)


def explain(
    attempt: Attempt, conflict: UnmergedPick, max_prerequisites: int, run_ladder: RunLadder, *, propose: bool = True
) -> tuple[tuple[ConflictFile, ...], Prerequisites]:
    """Return the files of a conflict with the commits that changed them, and the smallest set of prerequisites found.

    `run_ladder` makes a candidate of originals that still conflict after prerequisites. Without `propose` a set counts
    only if the pick with it is certain.

    Raises:
        FetchFailed: a partial mirror could not get the history.
    """
    files = tuple(file.conflict_file for file in conflict.files)
    try:
        # Preflight asks for all branches at once, so they share the time that a person waits.
        branches = attempt.caches.histories.together(attempt.plan.commits, attempt.plan.base_commit)
        seconds = min(SECONDS, ALL_SECONDS / branches)
        histories = open_histories(attempt, seconds=seconds, share_mainline=branches > 1)
        if histories is None:
            return files, NO_PREREQUISITES
        files = describe_files(histories, conflict, attempt.split(conflict))
        return files, find_prerequisites(
            attempt, histories, conflict, max_size=max_prerequisites, run_ladder=run_ladder, propose=propose
        )
    except FetchFailed:
        raise
    except GitError as error:
        # The conflict is reported without an explanation.
        log.warning("%s", error)
        return files, NO_PREREQUISITES

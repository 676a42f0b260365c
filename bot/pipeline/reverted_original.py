"""Finds out whether the original was reverted on the branch that it was merged into.

This is only a hint: if the branch cannot be read, nothing is reported. A reverted original is still backported, since a
release may need it and people decide; requester and reviewers see a sentence about it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from bot.errors import GitError
from bot.history.landed import find_landing_status
from bot.models import PullRequest, Sha
from bot.pipeline.context import RepositoryContext

log = logging.getLogger(__name__)


def taken_back(original: PullRequest, commits: Sequence[Sha], context: RepositoryContext) -> str:
    """Return a sentence on the commits that were reverted on the original's base branch; empty if none was."""
    try:
        tip = context.mirror.branches().get(original.base)
        if tip is None:
            return ""
        context.mirror.fetch([tip, *commits])
        reverts_by_commit = find_landing_status(context.mirror, tip, commits).reverted
    except GitError as error:
        log.warning("%s", error)
        return ""
    if not reverts_by_commit:
        return ""
    by = ", ".join(dict.fromkeys(revert.commit[:12] for revert in reverts_by_commit.values()))
    part = "" if len(reverts_by_commit) == len(commits) else f"{len(reverts_by_commit)} of its {len(commits)} commits: "
    return f"`{original.base}` took the original back: {part}reverted by {by}. Look at why before merging this."

"""Finds the commits of an original on the main branch. git alone cannot tell a rebase from a push, so GitHub is asked.

GitHub's answers are kept for good: the commits of a merge never change.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.git.merge_method import own_commits
from bot.git.repository import Repository
from bot.github.protocol import GitHub
from bot.history.message_references import own_number
from bot.history.store import HistoryStore
from bot.sync.types import Original

_TOPIC = "merged commits"


@dataclass(frozen=True, slots=True)
class MergedCommits:
    """Completes originals of several commits. With `mainline` a merge stays one commit.

    Without GitHub the commits of a rebase are unknown, and the last one stands for all.
    """

    repository: Repository
    store: HistoryStore
    github: GitHub | None
    mainline: bool = False

    def complete(self, original: Original, *, ask: bool) -> Original:
        """Return the original with all its commits, oldest first; without `ask` GitHub is not asked."""
        commit = self.repository.commit(original.commits[-1])
        if len(commit.parents) > 1:
            commits = () if self.mainline else own_commits(self.repository, commit.sha)
            return replace(original, commits=commits or original.commits)
        # GitHub puts the number into the title of a squash.
        if self.github is None or original.number is None or own_number(commit.subject) == original.number:
            return original
        merged_commits = self.store.cached_result(_TOPIC, str(original.number))
        if merged_commits is None and not ask:
            return original
        if merged_commits is None:
            _, merged_commits = self.github.merged_commits(self.github.pull_request(original.number))
            self.store.keep_results(_TOPIC, {str(original.number): merged_commits})
        return replace(original, commits=tuple(merged_commits))

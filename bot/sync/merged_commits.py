"""The commits that an original left on the main branch, where git alone cannot tell a rebase from a push.

Owns when GitHub is asked, and keeps its answers: what was merged does not change.
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
    """Completes originals that are several commits. With `mainline` a merge stays the one commit that it is.

    Which commits a rebase left is not known without a GitHub; there the last one stands for all.
    """

    repository: Repository
    store: HistoryStore
    github: GitHub | None
    mainline: bool = False

    def complete(self, original: Original, *, ask: bool) -> Original:
        """Return the original with all its commits, oldest first; GitHub is only asked where the caller says so."""
        commit = self.repository.commit(original.commits[-1])
        if len(commit.parents) > 1:
            own = () if self.mainline else own_commits(self.repository, commit.sha)
            return replace(original, commits=own or original.commits)
        # A title with the number is a squash.
        if self.github is None or original.number is None or own_number(commit.subject) == original.number:
            return original
        kept = self.store.cached_result(_TOPIC, str(original.number))
        if kept is None and not ask:
            return original
        if kept is None:
            _, kept = self.github.merged_commits(self.github.pull_request(original.number))
            self.store.keep_results(_TOPIC, {str(original.number): kept})
        return replace(original, commits=tuple(kept))

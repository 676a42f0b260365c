"""The resolver "remembered resolution": it resolves a conflict as people resolved the same conflict before."""

from __future__ import annotations

from bot.git.conflict_markers import Region
from bot.models import Certainty
from bot.pick.attempt import Attempt
from bot.pick.resolution_memory import RememberedResolution
from bot.pick.resolver import ConflictedFile, RegionResolution

# Each backport costs a trial pick, and more of the same original rarely differ.
_MOST_LESSONS = 6


class ReuseResolution:
    """Resolves regions that occurred before, on any branch."""

    name = "remembered resolution"

    def resolve_region(self, file: ConflictedFile, index: int, attempt: Attempt) -> RegionResolution | None:
        """Take the newest resolution of the same conflict; one of the same original comes first.

        The result is only proposed, even if two earlier resolutions agree: of 17 such picks, people merged 13
        unchanged. A region may be the same while the rest of the file needs more.
        """
        region = file.parts[index]
        if not isinstance(region, Region):
            return None
        self._learn(file, attempt)
        memories = attempt.caches.memory.recall(file.path, region, attempt.known_before)
        of_this_original = (memory for memory in memories if memory.original == file.commit)
        newest = next(iter((*of_this_original, *memories)), None)
        if newest is None:
            return None
        return RegionResolution(newest.result, Certainty.PROPOSED, _sentence(newest))

    def _learn(self, file: ConflictedFile, attempt: Attempt) -> None:
        for backport in attempt.backports(file.commit)[:_MOST_LESSONS]:
            if not attempt.caches.memory.knows(file.commit, backport.commit):
                attempt.caches.memory.learn(attempt.repository, file.commit, backport.commit)


def _sentence(memory: RememberedResolution) -> str:
    return f"as {memory.backport[:12]} resolved the same conflict"

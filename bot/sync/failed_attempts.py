"""What was attempted and failed, so that it is not attempted again before something changes that it depends on."""

from __future__ import annotations

from dataclasses import dataclass

from bot.carried.load import CarriedPatch
from bot.git.repository import Repository
from bot.history.store import HistoryStore
from bot.models import Sha
from bot.sync.trial_cache import Fingerprints
from bot.sync.types import Original

_TOPIC = "attempt"


@dataclass(frozen=True, slots=True)
class Attempts:
    """The failed attempts on one branch at one tip."""

    store: HistoryStore
    repository: Repository
    tip: Sha
    branch: str

    def failed(self, original: Original, patch: CarriedPatch | None) -> str:
        """Say how an attempt under the same conditions failed; empty where there was none."""
        kept = self.store.cached_result(_TOPIC, self._key(original))
        return str(kept[1]) if kept and kept[0] == self._marks().of(original, patch) else ""

    def remember(self, original: Original, patch: CarriedPatch | None, why: str) -> None:
        """Keep that an attempt failed."""
        self.store.keep_results(_TOPIC, {self._key(original): [self._marks().of(original, patch), why]})

    def _marks(self) -> Fingerprints:
        return Fingerprints(self.repository, self.tip)

    def _key(self, original: Original) -> str:
        return f"{original.commits[-1]} {self.branch}"

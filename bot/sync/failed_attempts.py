"""Failed attempts, kept so that none is made again before something changes that it depends on."""

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
class FailedAttempts:
    """The failed attempts on one branch at one tip."""

    store: HistoryStore
    repository: Repository
    tip: Sha
    branch: str

    def find(self, original: Original, patch: CarriedPatch | None) -> str:
        """Return why an attempt under the same conditions failed; empty if there was none."""
        record = self.store.cached_result(_TOPIC, self._key(original))
        return str(record[1]) if record and record[0] == self._fingerprint(original, patch) else ""

    def add(self, original: Original, patch: CarriedPatch | None, reason: str) -> None:
        """Keep that an attempt failed, and why."""
        self.store.keep_results(_TOPIC, {self._key(original): [self._fingerprint(original, patch), reason]})

    def _fingerprint(self, original: Original, patch: CarriedPatch | None) -> str:
        return Fingerprints(self.repository, self.tip).of(original, patch)

    def _key(self, original: Original) -> str:
        return f"{original.commits[-1]} {self.branch}"

"""Trials on the branches of a repository, whose results are kept until something changes that they depend on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot import __version__
from bot.carried.load import CarriedPatch
from bot.git.repository import Repository
from bot.git.trees import list_directory
from bot.history.store import HistoryStore
from bot.models import Progress, Sha, silent
from bot.pick.forecast import Forecaster
from bot.sync.trial import TrialResult, TrialRunner, earlier
from bot.sync.types import Original, State
from bot.text.markdown import count

_TOPIC = "trial"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials:
    """Trials on the branches of one repository; their results go to the store, their objects are thrown away.

    Conflicts are resolved only if a branch lacks at most `most_thorough` originals: beyond that the rules are too wide.
    """

    forecaster: Forecaster
    store: HistoryStore
    most_thorough: int
    progress: Progress = silent

    def on_branch(
        self, branch: str, tip: Sha, backlog: Sequence[Original], patch_of: Mapping[int, CarriedPatch]
    ) -> dict[int, TrialResult]:
        """Try all that a branch lacks, oldest first; return the results by position.

        `patch_of` are carried patches, also by position.
        """
        thorough = len(backlog) <= self.most_thorough
        keys = self._keys(tip, backlog, patch_of, thorough=thorough)
        records = self.store.cached_results(_TOPIC)
        results = {position: _from_json(records[key]) for position, key in keys.items() if key in records}
        pending = [original for original in backlog if original.position not in results]
        if not pending:
            return results
        self.progress(f"{branch}: trying {count(len(pending), 'original')}")
        commits = self.store.commits()
        runner = TrialRunner(
            forecaster=self.forecaster,
            branch=branch,
            tip=tip,
            patch_of=patch_of,
            original_of={patch.name: commits[position].sha for position, patch in patch_of.items()},
            thorough=thorough,
        )
        new = dict(runner.run(pending, backlog))
        self.store.keep_results(_TOPIC, {keys[position]: _to_json(result) for position, result in new.items()})
        return results | new

    def _keys(
        self, tip: Sha, backlog: Sequence[Original], patch_of: Mapping[int, CarriedPatch], *, thorough: bool
    ) -> dict[int, str]:
        """Return by position a digest of all that the result of a trial depends on."""
        fingerprints = Fingerprints(self.forecaster.repository, tip)
        settings = (thorough, self.forecaster.propose, self.forecaster.max_prerequisites, self.forecaster.leave_out)
        keys = {}
        for original in backlog:
            # Without `thorough` no prerequisites are looked for.
            candidates = earlier(original, backlog) if thorough else []
            fingerprint = fingerprints.of(original, patch_of.get(original.position))
            patches = self._predecessors(patch_of.get(original.position))
            # A prerequisite may come from any of these, so the result depends on them.
            text = json.dumps([fingerprint, [candidate.commits for candidate in candidates], settings, patches])
            keys[original.position] = hashlib.sha256(text.encode()).hexdigest()
        return keys

    def _predecessors(self, patch: CarriedPatch | None) -> list[str]:
        """Return digests of the carried patches that a patch may need first."""
        if patch is None or not patch.file.apply_after:
            return []
        return [_digest(carrier.directory) for _, carrier in sorted(self.forecaster.patches.items())]


class Fingerprints:
    """Texts that change when something changes on a branch that bringing an original there depends on."""

    def __init__(self, repository: Repository, tip: Sha) -> None:
        self._repository = repository
        self._tip = tip
        self._tree = repository.commit(tip).tree
        self._directories: dict[str, Mapping[str, Any]] = {}

    def of(self, original: Original, patch: CarriedPatch | None) -> str:
        """Return the text for one original. A carried patch looks beyond the files that its original changes."""
        entries = [self._entry(path) for path in original.paths]
        # Its rules may read any file, so its trial depends on the whole tip.
        carried_patch = [self._tip, _digest(patch.directory)] if patch else []
        # A new version may pick otherwise.
        text = json.dumps([__version__, original.commits, entries, carried_patch])
        return hashlib.sha256(text.encode()).hexdigest()

    def _entry(self, path: str) -> str:
        directory, _, name = path.rpartition("/")
        if directory not in self._directories:
            self._directories[directory] = list_directory(self._repository, self._tree, directory)
        entry = self._directories[directory].get(name)
        return f"{entry.mode} {entry.sha}" if entry else ""


def _digest(directory: Path) -> str:
    files = sorted(path for path in directory.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    content = hashlib.sha256()
    for path in files:
        content.update(f"{path.relative_to(directory)}\0".encode() + path.read_bytes() + b"\0")
    return content.hexdigest()


def _to_json(result: TrialResult) -> list[object]:
    return [result.state.value, result.reason, list(result.needs)]


def _from_json(data: Sequence[Any]) -> TrialResult:
    state, reason, needs = data
    return TrialResult(State(state), reason, tuple(needs))

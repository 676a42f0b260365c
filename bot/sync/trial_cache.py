"""Trials whose answers are kept until something changes that they follow from.

Owns what an answer depends on. How one is found is decided in `trying`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot import __version__
from bot.carried.load import CarriedPatch
from bot.git.repository import Quarantined, Repository
from bot.git.trees import list_directory
from bot.history.store import HistoryStore
from bot.models import Progress, Sha, silent
from bot.pick.strategy import PickCaches
from bot.sync.trial import Bench, Outcome, earlier
from bot.sync.types import Original, State
from bot.text.markdown import count

_TOPIC = "trial"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials:
    """Trials on the branches of one repository. Nothing that is made in the quarantine is kept, only the answers.

    Conflicts are worked on only where a branch lacks at most `most_thorough` originals; beyond, the rules are too wide.
    """

    repository: Quarantined
    store: HistoryStore
    patches: Mapping[str, CarriedPatch]
    caches: PickCaches
    most_thorough: int
    propose: bool = True
    max_prerequisites: int = 3
    progress: Progress = silent

    def on_branch(
        self, branch: str, tip: Sha, missing: Sequence[Original], patch_of: Mapping[int, CarriedPatch]
    ) -> dict[int, Outcome]:
        """Try the originals that are missing on a branch (oldest first); answers come by position.

        `patch_of` are carried patches, likewise by position.
        """
        marks = Fingerprints(self.repository, tip)
        thorough = len(missing) <= self.most_thorough
        near = {each.position: earlier(each, missing) if thorough else [] for each in missing}
        how = (thorough, self.propose, self.max_prerequisites)
        keys = {
            each.position: _key(marks, each, near[each.position], patch_of.get(each.position), how) for each in missing
        }
        kept = self.store.answers(_TOPIC)
        known = {at: _outcome(kept[key]) for at, key in keys.items() if key in kept}
        left = [each for each in missing if each.position not in known]
        if not left:
            return known
        self.progress(f"{branch}: trying {count(len(left), 'original')}")
        bench = Bench(
            repository=self.repository,
            branch=branch,
            tip=tip,
            patches=self.patches,
            patch_of=patch_of,
            caches=self.caches,
            thorough=thorough,
            propose=self.propose,
            max_prerequisites=self.max_prerequisites,
        )
        found = dict(bench.outcomes(left, missing))
        self.store.keep_answers(_TOPIC, {keys[at]: _kept(outcome) for at, outcome in found.items()})
        return known | found


class Fingerprints:
    """Texts that change when something changes on a branch that bringing an original there depends on."""

    def __init__(self, repository: Repository, tip: Sha) -> None:
        self._repository = repository
        self._tip = tip
        self._tree = repository.commit(tip).tree
        self._directories: dict[str, Mapping[str, Any]] = {}

    def of(self, original: Original, patch: CarriedPatch | None) -> str:
        """Return the text for one original. A carried patch looks beyond the files that its original changes."""
        here = [self._entry(path) for path in original.paths]
        carried = [self._tip, _digest(patch.directory)] if patch else []
        text = json.dumps([__version__, original.commits, here, carried])
        return hashlib.sha256(text.encode()).hexdigest()

    def _entry(self, path: str) -> str:
        directory, _, name = path.rpartition("/")
        if directory not in self._directories:
            self._directories[directory] = list_directory(self._repository, self._tree, directory)
        entry = self._directories[directory].get(name)
        return f"{entry.mode} {entry.sha}" if entry else ""


def _key(
    marks: Fingerprints,
    original: Original,
    near: Sequence[Original],
    patch: CarriedPatch | None,
    how: tuple[bool, bool, int],
) -> str:
    text = json.dumps([marks.of(original, patch), [each.commits for each in near], how])
    return hashlib.sha256(text.encode()).hexdigest()


def _digest(directory: Path) -> str:
    files = sorted(path for path in directory.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    content = hashlib.sha256()
    for path in files:
        content.update(f"{path.relative_to(directory)}\0".encode() + path.read_bytes() + b"\0")
    return content.hexdigest()


def _kept(outcome: Outcome) -> list[object]:
    return [outcome.state.value, outcome.reason, list(outcome.needs)]


def _outcome(kept: Sequence[Any]) -> Outcome:
    state, reason, needs = kept
    return Outcome(State(state), reason, tuple(needs))

"""Which originals a branch has, by what its own commits are and say.

Owns the evidence and its order: the commit itself, a name by hash, an equal patch, and what people write by convention
where the files bear it out. A number or a title alone is no evidence. The branch's commits are replayed in their order,
so that a revert takes away and a second landing brings back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.history.commits import Commits, Position
from bot.history.evidence import Evidence
from bot.history.mainline import Mainline


@dataclass(frozen=True, slots=True)
class Landing:
    """The commit of the branch that brought an original, or took it away, and what showed it."""

    commit: Position
    how: str


@dataclass(slots=True)
class Landed:
    """What a branch has. `reverted` had landed and was taken away; `partial` are originals of which only some commits
    landed, with those that did.
    """

    here: dict[Position, Landing] = field(default_factory=dict)
    reverted: dict[Position, Landing] = field(default_factory=dict)
    partial: dict[Position, set[Position]] = field(default_factory=dict)


def replay(commits: Commits, main: Mainline, branch: BranchHistory, evidence: Evidence) -> Landed:
    """Go through the branch's own commits, oldest first."""
    return _Replay(commits, main, branch, evidence).run()


@dataclass(frozen=True, slots=True)
class BranchHistory:
    """A branch's own commits: those it has since the branch point, oldest first.

    `point` is the commit of the main branch that it grew from; `brought_in` says which commit of the branch's own
    first-parent chain brought each of them.
    """

    name: str
    tip: Position
    point: Position
    own: Sequence[Position]
    brought_in: Mapping[Position, Position]


class _Replay:
    def __init__(self, commits: Commits, main: Mainline, branch: BranchHistory, evidence: Evidence) -> None:
        self._commits = commits
        self._main = main
        self._branch = branch
        self._evidence = evidence
        self._landed = Landed()
        self._brought: dict[Position, set[Position]] = {}
        self._took: dict[Position, set[Position]] = {}
        self._numbers: dict[int, Position] = {}

    def run(self) -> Landed:
        for position in self._branch.own:
            self._take_away(position)
            for original, how in self._evidence.of(position):
                self._bring(position, original, how)
            number = self._commits[position].number
            if number is not None:
                self._numbers[number] = position
        return self._landed

    def _bring(self, position: Position, named: Position, how: str) -> None:
        original = self._main.brought_by[named]
        if named != original and not self._is_whole(original, named):
            return
        for each in {position, self._branch.brought_in.get(position, position)}:
            self._brought.setdefault(each, set()).add(original)
        self._landed.partial.pop(original, None)
        self._landed.reverted.pop(original, None)
        self._landed.here.setdefault(original, Landing(position, how))

    def _is_whole(self, original: Position, part: Position) -> bool:
        """Note a part of an original; say whether no part is left to land."""
        parts = self._landed.partial.setdefault(original, set())
        parts.add(part)
        return self._main.parts.get(original, set()) <= parts

    def _take_away(self, position: Position) -> None:
        for target in self._targets(position):
            if target in self._took:
                how = f"{self._short(position)} reverts the revert {self._short(target)}"
                for original in self._took.pop(target):
                    self._bring(position, original, how)
                continue
            gone = {original for original in self._originals(target) if original in self._landed.here}
            for original in gone:
                landing = self._landed.here.pop(original)
                how = f"{self._short(landing.commit)} brought it and {self._short(position)} reverted that"
                self._landed.reverted[original] = Landing(position, how)
            if gone:
                self._took[position] = gone

    def _targets(self, position: Position) -> Iterable[Position]:
        claims = self._commits[position].claims
        named = [self._commits.find(name) for name in claims.reverts]
        named += [self._numbers.get(number, self._main.numbers.get(number)) for number in claims.reverts_numbers]
        return dict.fromkeys(each for each in named if each is not None and each != position)

    def _originals(self, target: Position) -> Collection[Position]:
        if target in self._brought:
            return self._brought[target]
        original = self._main.brought_by.get(target)
        return [] if original is None else [original]

    def _short(self, position: Position) -> str:
        return self._commits[position].sha[:12]


def landed_to_data(landed: Landed) -> list[object]:
    """Return what a branch has as plain data, to be kept beside the commits whose positions it names."""
    landings = [
        [[at, landing.commit, landing.how] for at, landing in found.items()] for found in (landed.here, landed.reverted)
    ]
    return [*landings, [[at, sorted(parts)] for at, parts in landed.partial.items()]]


def parse_landed(data: Sequence[Any]) -> Landed:
    """Read that data."""
    here, reverted, partial = data
    return Landed(
        here={at: Landing(commit, how) for at, commit, how in here},
        reverted={at: Landing(commit, how) for at, commit, how in reverted},
        partial={at: set(parts) for at, parts in partial},
    )

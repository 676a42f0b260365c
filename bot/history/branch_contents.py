"""Which originals a branch has, by what its own commits are and say.

Owns what a branch as a whole has of each original. The branch's commits are replayed in their order, so that a revert
takes away and a second landing brings back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.history.branch_replay import Landing, Replay
from bot.history.commit_names import CommitNames
from bot.history.commits import Commits, Position
from bot.history.landing_evidence import LandingEvidence
from bot.history.mainline import Mainline, Undoes


@dataclass(slots=True)
class BranchContents:
    """What a branch has. `reverted` had landed and was taken away; `partial` are originals of which only some commits
    landed, with those that did.
    """

    here: dict[Position, Landing[Position]] = field(default_factory=dict)
    reverted: dict[Position, Landing[Position]] = field(default_factory=dict)
    partial: dict[Position, set[Position]] = field(default_factory=dict)


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


def replay_branch(
    commits: Commits, main: Mainline, branch: BranchHistory, evidence: LandingEvidence, undoes: Undoes
) -> BranchContents:
    """Go through the branch's own commits, oldest first."""
    done = Replay[Position, Position](undoes, lambda at: commits[at].sha[:12])
    parts = _Parts(main)
    names = CommitNames[Position]()
    for position in branch.own:
        reached = list(dict.fromkeys((position, branch.brought_in.get(position, position))))
        done.take_back(reached, names.meant(commits[position].claims))
        sources = []
        for named, how in evidence.of(position):
            original = main.brought_by[named]
            sources += [named, original]
            if by := parts.complete(original, named, position):
                done.bring(dict.fromkeys((*reached, *by)), original, how)
        names.add(position, commits[position].subject, [commits[at].sha for at in (position, *sources)])
    return BranchContents(done.here, done.reverted, parts.partial)


@dataclass(frozen=True, slots=True)
class _Parts:
    """Originals of several commits of which a branch has some, and its commits that make them."""

    main: Mainline
    partial: dict[Position, set[Position]] = field(default_factory=dict)
    _by: dict[Position, list[Position]] = field(default_factory=dict)

    def complete(self, original: Position, part: Position, by: Position) -> Sequence[Position]:
        """Note what landed with a commit; return the commits that make the whole, or none where parts are missing."""
        if part == original:
            self.partial.pop(original, None)
            return [by]
        parts = self.partial.setdefault(original, set())
        parts.add(part)
        makers = self._by.setdefault(original, [])
        makers.append(by)
        if not self.main.parts.get(original, set()) <= parts:
            return ()
        del self.partial[original]
        return makers


def landed_to_data(landed: BranchContents) -> list[object]:
    """Return what a branch has as plain data, to be kept beside the commits whose positions it names."""
    landings = [
        [[at, landing.commit, landing.how] for at, landing in found.items()] for found in (landed.here, landed.reverted)
    ]
    return [*landings, [[at, sorted(parts)] for at, parts in landed.partial.items()]]


def parse_landed(data: Sequence[Any]) -> BranchContents:
    """Read that data."""
    here, reverted, partial = data
    return BranchContents(
        here={at: Landing(commit, how) for at, commit, how in here},
        reverted={at: Landing(commit, how) for at, commit, how in reverted},
        partial={at: set(parts) for at, parts in partial},
    )

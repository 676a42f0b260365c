"""The originals that a branch has, by the changes and the messages of its own commits.

The branch's commits are replayed in order: a revert takes an original away, a second landing brings it back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.history.branch_replay import Landing, Replay
from bot.history.commit_graph import Commits, Position
from bot.history.commit_names import CommitNames
from bot.history.landing_evidence import LandingEvidence
from bot.history.mainline import Mainline, Undoes


@dataclass(slots=True)
class BranchContents:
    """The originals that a branch has. `reverted` ones had landed and were taken away. `partial` are originals of which
    only some commits landed, with those commits. `unconfirmed` are originals that a commit of the branch names as its
    source although it makes another change: a part of them, or something written for the branch.
    """

    present: dict[Position, Landing[Position]] = field(default_factory=dict)
    reverted: dict[Position, Landing[Position]] = field(default_factory=dict)
    partial: dict[Position, set[Position]] = field(default_factory=dict)
    unconfirmed: dict[Position, Landing[Position]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StableBranch:
    """A branch's own commits: those it has since the branch point, oldest first.

    `point` is the commit of the main branch that it grew from; `carriers` says which commit of the branch's own
    first-parent chain brought each of them.
    """

    name: str
    tip: Position
    point: Position
    positions: Sequence[Position]
    carriers: Mapping[Position, Position]


def replay_branch(
    commits: Commits, main: Mainline, branch: StableBranch, evidence: LandingEvidence, undoes: Undoes
) -> BranchContents:
    """Go through the branch's own commits, oldest first."""
    replay = Replay[Position, Position](undoes, lambda position: commits[position].sha[:12])
    # Replayed apart: a commit that only names an original takes nothing back, and a revert of it takes the name back.
    claims = Replay[Position, Position](undoes, lambda position: commits[position].sha[:12])
    parts = _Parts(main)
    names = CommitNames[Position]()
    for position in branch.positions:
        arrivals = list(dict.fromkeys((position, branch.carriers.get(position, position))))
        reverted_commits = tuple(names.reverted_commits(commits[position].references))
        replay.take_back(arrivals, reverted_commits)
        claims.take_back(arrivals, reverted_commits)
        for source, reason in evidence.unconfirmed(position):
            claims.bring(arrivals, main.brought_by[source], reason)
        sources = []
        for source, reason in evidence.of(position):
            original = main.brought_by[source]
            sources += [source, original]
            if by := parts.complete(original, source, position):
                replay.bring(dict.fromkeys((*arrivals, *by)), original, reason)
        names.add(position, commits[position].subject, [commits[source].sha for source in (position, *sources)])
    decided = {*replay.present, *replay.reverted}
    unconfirmed = {original: claim for original, claim in claims.present.items() if original not in decided}
    return BranchContents(replay.present, replay.reverted, parts.partial, unconfirmed)


@dataclass(frozen=True, slots=True)
class _Parts:
    """Originals of several commits of which a branch has some, and its commits that make them."""

    main: Mainline
    partial: dict[Position, set[Position]] = field(default_factory=dict)
    _by: dict[Position, list[Position]] = field(default_factory=dict)

    def complete(self, original: Position, part: Position, commit: Position) -> Sequence[Position]:
        """Record a part that landed with a commit. Returns the commits that make the whole original, or () if parts are
        missing.
        """
        if part == original:
            self.partial.pop(original, None)
            return [commit]
        parts = self.partial.setdefault(original, set())
        parts.add(part)
        makers = self._by.setdefault(original, [])
        makers.append(commit)
        # The original counts as landed only with its last part.
        if not self.main.parts.get(original, set()) <= parts:
            return ()
        del self.partial[original]
        return makers


def contents_to_data(contents: BranchContents) -> list[object]:
    """Return the contents as plain data, to be stored beside the commits whose positions it uses."""
    landings = [
        [[original, entry.commit, entry.reason] for original, entry in by_original.items()]
        for by_original in (contents.present, contents.reverted, contents.unconfirmed)
    ]
    return [*landings, [[original, sorted(parts)] for original, parts in contents.partial.items()]]


def parse_contents(data: Sequence[Any]) -> BranchContents:
    """Parse the data of `contents_to_data`."""
    present, reverted, unconfirmed, partial = data
    return BranchContents(
        present={original: Landing(commit, reason) for original, commit, reason in present},
        reverted={original: Landing(commit, reason) for original, commit, reason in reverted},
        partial={original: set(parts) for original, parts in partial},
        unconfirmed={original: Landing(commit, reason) for original, commit, reason in unconfirmed},
    )

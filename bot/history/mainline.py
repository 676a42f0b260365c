"""The main branch as a list of originals: the commits of its first-parent chain, their parts and their reverts.

An original is one commit of the chain: a squash, a merge with all that it brought, or a direct push. A merge that
brings a stable branch forward is none, because its commits were on a stable branch first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import takewhile

from bot.history.branch_replay import Replay
from bot.history.commit_graph import Commits, Position
from bot.history.commit_names import CommitNames


@dataclass(frozen=True, slots=True)
class Mainline:
    """The first-parent chain of the main branch, newest first, and the original that brought each commit.

    `brought_by` maps every commit of an original to it. `numbers` maps pull requests to originals. `parts` are the
    commits of a merge, without merges and empty ones. `undone_by` maps an original to the one that reverts it and takes
    its change back, unless that one was reverted in turn.
    """

    chain: Sequence[Position]
    place: Mapping[Position, int]
    brought_by: Mapping[Position, Position]
    forward_merges: Set[Position]
    numbers: Mapping[int, Position]
    parts: Mapping[Position, Set[Position]]
    undone_by: Mapping[Position, Position] = field(default_factory=dict)

    def since(self, point: Position) -> Sequence[Position]:
        """Return the originals after a commit of the chain, oldest first."""
        newer_positions = self.chain[: self.place[point]]
        return [position for position in reversed(newer_positions) if position not in self.forward_merges]


Undoes = Callable[[Position, Position], bool]
"""Tells whether a commit takes back the change of another one."""


def read_mainline(commits: Commits, tip: Position, stable_chains: Iterable[Iterable[Position]]) -> Mainline:
    """Find the originals of the main branch. The chains are those of the stable branches, newest first.

    `read_undone` finds the reverts.
    """
    chain = list(commits.first_parents(tip))
    place = {position: index for index, position in enumerate(chain)}
    stable = {
        position
        for stable_chain in stable_chains
        for position in takewhile(lambda commit: commit not in place, stable_chain)
    }
    forward_merges = {
        position for position in chain if any(parent in stable for parent in commits[position].parents[1:])
    }
    owner = commits.carriers(chain)
    brought_by = {position: original for position, original in owner.items() if original not in forward_merges}
    numbers = _numbers(commits, chain, forward_merges)
    return Mainline(
        chain=chain,
        place=place,
        brought_by=brought_by,
        forward_merges=forward_merges,
        numbers=numbers,
        parts=_parts(commits, brought_by),
    )


def _numbers(commits: Commits, chain: Sequence[Position], forward_merges: Set[Position]) -> dict[int, Position]:
    # If two commits have one number, the older one counts: the younger quotes it.
    numbers = {}
    for position in chain:
        number = commits[position].number
        if number is not None and position not in forward_merges:
            numbers[number] = position
    return numbers


def _parts(commits: Commits, brought_by: Mapping[Position, Position]) -> dict[Position, Set[Position]]:
    parts: dict[Position, set[Position]] = {}
    for position, original in brought_by.items():
        if position != original and len(commits[position].parents) < 2 and commits[position].paths_digest:
            parts.setdefault(original, set()).add(position)
    return dict(parts)


def read_undone(commits: Commits, main: Mainline, undoes: Undoes) -> dict[Position, Position]:
    """Return the originals that were reverted, each with the original that reverted it. The commits are replayed in
    order.
    """
    replay = Replay[Position, Position](undoes, lambda commit: commits[commit].sha[:12])
    names = CommitNames[Position]()
    for position in sorted(main.brought_by):
        original = main.brought_by[position]
        replay.take_back(dict.fromkeys((position, original)), names.reverted_commits(commits[position].references))
        if position == original:
            replay.bring([position], position, "")
            # One commit of a merge of several is not the whole original.
            parts = main.parts.get(position, ())
            sources = parts if len(parts) == 1 else ()
            names.add(position, commits[position].subject, [commits[commit].sha for commit in (position, *sources)])
    return {original: main.brought_by[revert.commit] for original, revert in replay.reverted.items()}

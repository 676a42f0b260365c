"""The main branch as a list of originals: what each step of its first-parent chain brought, and what undid it.

Owns what an original is: one commit of the chain, be it a squash, a merge with all it brought, or a direct push. A
merge that brings a stable branch forward is none: what it brings was on a stable branch first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import takewhile

from bot.history.commits import Commits, Position


@dataclass(frozen=True, slots=True)
class Mainline:
    """The first-parent chain of the main branch, newest first, and who brought which commit.

    `brought_by` maps every commit of an original to it. `numbers` maps pull requests to originals. `undone_by` maps an
    original to the one that reverted it, unless that was reverted in turn. `parts` are the commits that a merge is made
    of, without merges and empty ones.
    """

    chain: Sequence[Position]
    place: Mapping[Position, int]
    brought_by: Mapping[Position, Position]
    forwarded: Set[Position]
    numbers: Mapping[int, Position]
    undone_by: Mapping[Position, Position]
    parts: Mapping[Position, Set[Position]]

    def since(self, point: Position) -> Sequence[Position]:
        """Return the originals after a commit of the chain, oldest first."""
        later = self.chain[: self.place[point]]
        return [position for position in reversed(later) if position not in self.forwarded]


def read_mainline(commits: Commits, tip: Position, stable_chains: Iterable[Iterable[Position]]) -> Mainline:
    """Work out the originals of the main branch; the chains are those of the stable branches, newest first."""
    chain = list(commits.first_parents(tip))
    place = {position: index for index, position in enumerate(chain)}
    stable = {position for each in stable_chains for position in takewhile(lambda at: at not in place, each)}
    forwarded = {position for position in chain if any(parent in stable for parent in commits[position].parents[1:])}
    owner = commits.brought_in(chain)
    brought_by = {position: by for position, by in owner.items() if by not in forwarded}
    numbers = _numbers(commits, chain, forwarded)
    return Mainline(
        chain=chain,
        place=place,
        brought_by=brought_by,
        forwarded=forwarded,
        numbers=numbers,
        undone_by=_undone(commits, chain, brought_by, numbers),
        parts=_parts(commits, brought_by),
    )


def _numbers(commits: Commits, chain: Sequence[Position], forwarded: Set[Position]) -> dict[int, Position]:
    # Of two commits that claim one number the older counts: the younger quotes it.
    found = {}
    for position in chain:
        number = commits[position].number
        if number is not None and position not in forwarded:
            found[number] = position
    return found


def _parts(commits: Commits, brought_by: Mapping[Position, Position]) -> dict[Position, Set[Position]]:
    found: dict[Position, set[Position]] = {}
    for position, original in brought_by.items():
        if position != original and len(commits[position].parents) < 2 and commits[position].touched:
            found.setdefault(original, set()).add(position)
    return dict(found)


def _undone(
    commits: Commits,
    chain: Sequence[Position],
    brought_by: Mapping[Position, Position],
    numbers: Mapping[int, Position],
) -> dict[Position, Position]:
    undone: dict[Position, Position] = {}
    for position in reversed(chain):
        claims = commits[position].claims
        named = [brought_by.get(at) for name in claims.reverts if (at := commits.find(name)) is not None]
        named += [numbers.get(number) for number in claims.reverts_numbers]
        for target in dict.fromkeys(named):
            if target is None or target == position:
                continue
            undone[target] = position
            # A revert that is reverted leaves what it had undone in force again.
            for restored in [each for each, by in undone.items() if by == target]:
                del undone[restored]
    return undone

"""What originals say they fix or revert: other originals, found once for all branches.

Owns when such a word is believed. A commit named by hash is meant; a number could be an issue's, or one of another
repository whose history was merged in, so there the files have to bear it out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from bot.history.commits import Position
from bot.history.scan import Scan
from bot.history.store import HistoryStore

References = Mapping[Position, Sequence[Position]]
"""Original → the originals that it fixes or reverts."""


def find_references(scan: Scan, store: HistoryStore, originals: Iterable[Position]) -> References:
    """Return the aims of those originals that have any."""
    by_hash = {at: found for at in originals if (found := list(_by_hash(scan, at)))}
    by_number = {at: found for at in originals if (found := list(_by_number(scan, at)))}
    paths = store.paths({*by_number, *(aim for aims in by_number.values() for aim in aims)})
    borne_out = {
        at: [aim for aim in aims if not set(paths[at]).isdisjoint(paths[aim])] for at, aims in by_number.items()
    }
    both = {at: dict.fromkeys([*by_hash.get(at, ()), *borne_out.get(at, ())]) for at in {*by_hash, *borne_out}}
    return {at: tuple(aims) for at, aims in both.items() if aims}


def _by_hash(scan: Scan, at: Position) -> Iterator[Position]:
    references = scan.commits[at].references
    for name in (*references.reverts, *references.fixes):
        named = scan.commits.find(name)
        aim = scan.main.brought_by.get(named) if named is not None else None
        if aim is not None and aim != at:
            yield aim


def _by_number(scan: Scan, at: Position) -> Iterator[Position]:
    references = scan.commits[at].references
    numbers: Collection[int] = (*references.reverts_numbers, *references.fixes_numbers)
    found = (scan.main.numbers.get(number) for number in numbers)
    return (aim for aim in found if aim is not None and aim != at)

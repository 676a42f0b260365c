"""References between originals: which others an original says it fixes or reverts.

A reference by hash is believed. A number may be an issue's, or belong to another repository whose history was merged
in, so a reference by number counts only if both originals change a common file.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from bot.history.commit_graph import Position
from bot.history.scan_branches import Scan
from bot.history.store import HistoryStore

References = Mapping[Position, Sequence[Position]]
"""Original → the originals that it fixes or reverts."""


def find_references(scan: Scan, store: HistoryStore, originals: Iterable[Position]) -> References:
    """Return the references of those originals that have any."""
    by_hash = {position: targets for position in originals if (targets := list(_by_hash(scan, position)))}
    by_number = {position: targets for position in originals if (targets := list(_by_number(scan, position)))}
    paths = store.paths({*by_number, *(target for targets in by_number.values() for target in targets)})
    with_common_file = {
        position: [target for target in targets if not set(paths[position]).isdisjoint(paths[target])]
        for position, targets in by_number.items()
    }
    references = {
        position: tuple(dict.fromkeys([*by_hash.get(position, ()), *with_common_file.get(position, ())]))
        for position in {*by_hash, *with_common_file}
    }
    return {position: targets for position, targets in references.items() if targets}


def _by_hash(scan: Scan, position: Position) -> Iterator[Position]:
    references = scan.commits[position].references
    for name in (*references.reverts, *references.fixes):
        commit = scan.commits.find(name)
        target = scan.main.brought_by.get(commit) if commit is not None else None
        if target is not None and target != position:
            yield target


def _by_number(scan: Scan, position: Position) -> Iterator[Position]:
    references = scan.commits[position].references
    numbers: Collection[int] = (*references.reverts_numbers, *references.fixes_numbers)
    targets = (scan.main.numbers.get(number) for number in numbers)
    return (target for target in targets if target is not None and target != position)

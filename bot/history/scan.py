"""Every stable branch compared with the main branch, from git alone: which originals are there, and how.

Owns the order of the reading. Asks no GitHub and tries no pick.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from bot.git.repository import Repository
from bot.history.branch_contents import BranchContents, BranchHistory, landed_to_data, parse_landed, replay_branch
from bot.history.commits import Commits, Position
from bot.history.confirmed_references import ConfirmedReferences
from bot.history.landing_evidence import LandingEvidence
from bot.history.mainline import Mainline, read_mainline, read_undone
from bot.history.store import HistoryStore
from bot.models import Progress, Sha, silent

_TOPIC = "landed"


@dataclass(frozen=True, slots=True)
class Scan:
    """What git says. `unrelated` are branches without a common ancestor with the main branch."""

    commits: Commits
    main: Mainline
    branches: Mapping[str, BranchHistory]
    landed: Mapping[str, BranchContents]
    unrelated: Sequence[str] = ()


def scan(
    repository: Repository,
    store: HistoryStore,
    *,
    main: Sha,
    branches: Mapping[str, Sha],
    until: int | None = None,
    progress: Progress = silent,
) -> Scan:
    """Compare branches (by their tips) with the main branch.

    With `until` (seconds since the epoch) every branch is seen as it was then; a branch that was not cut yet is left
    out.

    Raises:
        GitError: a tip or an object that is needed is not here.
    """
    commits = store.update(repository, [main, *branches.values()], progress)
    main_tip = _as_of(commits, commits.require(main), until)
    tips = {name: _as_of(commits, commits.require(tip), until) for name, tip in branches.items()}
    mainline = read_mainline(commits, main_tip, (commits.first_parents(tip) for tip in tips.values()))
    histories, unrelated = _histories(commits, mainline, tips, until)
    key = _key(commits, main_tip, tips)
    kept = store.answer(_TOPIC, key)
    if kept is None:
        undone, landed = _read(repository, store, commits, mainline, histories, progress)
        data = {name: landed_to_data(each) for name, each in landed.items()}
        store.keep_answers(_TOPIC, {key: [list(undone.items()), data]}, alone=True)
    else:
        undone, landed = dict(kept[0]), {name: parse_landed(kept[1][name]) for name in histories}
    return Scan(commits, replace(mainline, undone_by=undone), histories, landed, unrelated)


def _read(
    repository: Repository,
    store: HistoryStore,
    commits: Commits,
    main: Mainline,
    histories: Mapping[str, BranchHistory],
    progress: Progress,
) -> tuple[dict[Position, Position], dict[str, BranchContents]]:
    borne_out = ConfirmedReferences(repository, store, commits, progress)
    undone = borne_out.with_reverts(lambda undoes: read_undone(commits, main, undoes))
    evidence = LandingEvidence(repository, store, commits, main, borne_out)
    evidence.gather({position for each in histories.values() for position in each.own}, progress)
    landed = borne_out.with_reverts(
        lambda undoes: {name: replay_branch(commits, main, each, evidence, undoes) for name, each in histories.items()}
    )
    return undone, landed


def _key(commits: Commits, main: Position, tips: Mapping[str, Position]) -> str:
    """Name all that decides what has landed where; how it is decided changes with the version of the store."""
    seen = [commits[main].sha, *sorted(f"{name} {commits[tip].sha}" for name, tip in tips.items())]
    return hashlib.sha256("\n".join(seen).encode(errors="surrogateescape")).hexdigest()


def _as_of(commits: Commits, tip: Position, until: int | None) -> Position:
    if until is None:
        return tip
    chain = list(commits.first_parents(tip))
    return next((position for position in chain if commits[position].committed <= until), chain[-1])


def _histories(
    commits: Commits, main: Mainline, tips: Mapping[str, Position], until: int | None
) -> tuple[dict[str, BranchHistory], tuple[str, ...]]:
    found = {}
    points = {name: _branch_point(commits, main, tip) for name, tip in tips.items()}
    related = {name: point for name, point in points.items() if point is not None}
    by_mask: dict[int, list[Position]] = defaultdict(list)
    for position, mask in enumerate(commits.reached([*related.values(), *(tips[name] for name in related)])):
        by_mask[mask].append(position)
    for bit, (name, point) in enumerate(related.items()):
        before, after = 1 << bit, 1 << (bit + len(related))
        alike = (positions for mask, positions in by_mask.items() if mask & after and not mask & before)
        own = sorted(position for positions in alike for position in positions)
        if own or until is None:
            found[name] = _history(commits, name, tips[name], point, own)
    return found, tuple(name for name, point in points.items() if point is None)


def _history(commits: Commits, name: str, tip: Position, point: Position, own: Sequence[Position]) -> BranchHistory:
    within = set(own)
    chain = list(takewhile(lambda position: position in within, commits.first_parents(tip)))
    return BranchHistory(name, tip, point, own, commits.brought_in(chain, within))


def _branch_point(commits: Commits, main: Mainline, tip: Position) -> Position | None:
    """Return the commit of the main branch that a branch grew from."""
    on_chain = next((position for position in commits.first_parents(tip) if position in main.place), None)
    if on_chain is not None:
        return on_chain
    # A branch whose own chain leads past the main branch, as after a merge the wrong way round.
    reached = commits.reached([tip])
    return next((position for position in main.chain if reached[position]), None)

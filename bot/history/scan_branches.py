"""Compares every stable branch with the main branch, from git alone: the originals that are there, and the evidence.

It asks no GitHub and tries no pick.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from bot.git.repository import Repository
from bot.history.branch_contents import BranchContents, StableBranch, contents_to_data, parse_contents, replay_branch
from bot.history.commit_graph import Commits, Position
from bot.history.confirmed_references import ConfirmedReferences
from bot.history.landing_evidence import LandingEvidence
from bot.history.mainline import Mainline, read_mainline, read_undone
from bot.history.store import HistoryStore
from bot.models import Progress, Sha, silent

_TOPIC = "landed"


@dataclass(frozen=True, slots=True)
class Scan:
    """The result. `unrelated_branches` have no common ancestor with the main branch."""

    commits: Commits
    main: Mainline
    branches: Mapping[str, StableBranch]
    landed: Mapping[str, BranchContents]
    unrelated_branches: Sequence[str] = ()

    def number_of(self, name: str) -> int | None:
        """Return the pull request whose original a hash means, perhaps abbreviated; None if it means none."""
        position = self.commits.find(name)
        original = self.main.brought_by.get(position) if position is not None else None
        return self.commits[original].number if original is not None else None


def scan(
    repository: Repository,
    store: HistoryStore,
    *,
    main: Sha,
    branches: Mapping[str, Sha],
    until: int | None = None,
    leave_out: Sequence[str] = (),
    progress: Progress = silent,
) -> Scan:
    """Compare branches (by their tips) with the main branch.

    With `until` (seconds since the epoch) every branch is read as it was then; a branch that was not cut yet is left
    out. A backport counts also without the files that a glob of `leave_out` matches.

    Raises:
        GitError: a tip or an object that is needed is missing.
    """
    commits = store.update(repository, [main, *branches.values()], progress)
    main_tip = _as_of(commits, commits.require(main), until)
    tips = {name: _as_of(commits, commits.require(tip), until) for name, tip in branches.items()}
    mainline = read_mainline(commits, main_tip, (commits.first_parents(tip) for tip in tips.values()))
    histories, unrelated_branches = _histories(commits, mainline, tips, until)
    key = _key(commits, main_tip, tips, leave_out)
    cached_result = store.cached_result(_TOPIC, key)
    if cached_result is None:
        references = ConfirmedReferences(repository, store, commits, progress, leave_out)
        undone_by, contents = _read(repository, store, commits, mainline, histories, references, progress)
        data = {name: contents_to_data(branch_contents) for name, branch_contents in contents.items()}
        # Another key means that a tip moved, so the old result is of no use.
        store.keep_results(_TOPIC, {key: [list(undone_by.items()), data]}, replace=True)
    else:
        undone_by, contents = (
            dict(cached_result[0]),
            {name: parse_contents(cached_result[1][name]) for name in histories},
        )
    return Scan(commits, replace(mainline, undone_by=undone_by), histories, contents, unrelated_branches)


def _read(
    repository: Repository,
    store: HistoryStore,
    commits: Commits,
    main: Mainline,
    histories: Mapping[str, StableBranch],
    references: ConfirmedReferences,
    progress: Progress,
) -> tuple[dict[Position, Position], dict[str, BranchContents]]:
    undone_by = references.with_reverts(lambda undoes: read_undone(commits, main, undoes))
    evidence = LandingEvidence(repository, store, commits, main, references)
    evidence.gather({position for history in histories.values() for position in history.positions}, progress)
    contents = references.with_reverts(
        lambda undoes: {
            name: replay_branch(commits, main, history, evidence, undoes) for name, history in histories.items()
        }
    )
    return undone_by, contents


def _key(commits: Commits, main: Position, tips: Mapping[str, Position], leave_out: Sequence[str]) -> str:
    """Return a key of all inputs of the result. The version of the store covers the rules."""
    branches = sorted(f"{name} {commits[tip].sha}" for name, tip in tips.items())
    facts = [commits[main].sha, json.dumps(leave_out), *branches]
    # git allows branch names that are not UTF-8.
    return hashlib.sha256("\n".join(facts).encode(errors="surrogateescape")).hexdigest()


def _as_of(commits: Commits, tip: Position, until: int | None) -> Position:
    if until is None:
        return tip
    chain = list(commits.first_parents(tip))
    return next((position for position in chain if commits[position].commit_date <= until), chain[-1])


def _histories(
    commits: Commits, main: Mainline, tips: Mapping[str, Position], until: int | None
) -> tuple[dict[str, StableBranch], tuple[str, ...]]:
    histories = {}
    points = {name: _branch_point(commits, main, tip) for name, tip in tips.items()}
    branch_points = {name: point for name, point in points.items() if point is not None}
    by_mask: dict[int, list[Position]] = defaultdict(list)
    for position, mask in enumerate(
        commits.reachability_masks([*branch_points.values(), *(tips[name] for name in branch_points)])
    ):
        by_mask[mask].append(position)
    for bit, (name, point) in enumerate(branch_points.items()):
        # The starts are all branch points and then all tips.
        before, after = 1 << bit, 1 << (bit + len(branch_points))
        groups = (group for mask, group in by_mask.items() if mask & after and not mask & before)
        positions = sorted(position for group in groups for position in group)
        if positions or until is None:
            histories[name] = _history(commits, name, tips[name], point, positions)
    return histories, tuple(name for name, point in points.items() if point is None)


def _history(
    commits: Commits, name: str, tip: Position, point: Position, positions: Sequence[Position]
) -> StableBranch:
    within = set(positions)
    chain = list(takewhile(lambda position: position in within, commits.first_parents(tip)))
    return StableBranch(name, tip, point, positions, commits.carriers(chain, within))


def _branch_point(commits: Commits, main: Mainline, tip: Position) -> Position | None:
    """Return the commit of the main branch from which a branch was cut."""
    on_chain = next((position for position in commits.first_parents(tip) if position in main.place), None)
    if on_chain is not None:
        return on_chain
    # A branch whose own chain leads past the main branch, as after a merge the wrong way round.
    is_ancestor = commits.reachability_masks([tip])
    return next((position for position in main.chain if is_ancestor[position]), None)

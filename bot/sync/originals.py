"""Reads the originals on the main branch from git, and from GitHub if there is one.

Messages and paths are read only if a condition of the policy needs them: they are most of the reading time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from bot.config import Conditions, Sync
from bot.history.commit_graph import Position
from bot.history.scan_branches import Scan
from bot.history.store import HistoryStore
from bot.models import ListedPullRequest
from bot.sync.types import Original

# GitHub's keywords: https://docs.github.com/en/issues/tracking-your-work-with-issues/using-issues/linking-a-pull-request-to-an-issue
_CLOSES = re.compile(
    r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+(?:[\w.-]{1,100}/[\w.-]{1,100})?#(\d{1,9})\b", re.IGNORECASE
)


def gather_originals(
    scan: Scan,
    store: HistoryStore,
    sync: Sync,
    pulls: Mapping[int, ListedPullRequest],
    issues_by_label: Mapping[str, frozenset[int]],
    main: str,
) -> dict[Position, Original]:
    """Return the originals that any of the branches could lack. `issues_by_label` has the labels that rules name."""
    positions = sorted({position for history in scan.branches.values() for position in scan.main.since(history.point)})
    pull_by_position = _pulls_by_position(scan, pulls, main)
    conditions: tuple[Conditions, ...] = (*sync.rules, *sync.deny)
    messages = store.messages(positions) if any(condition.bodies for condition in conditions) else {}
    paths = store.paths(positions) if any(condition.paths for condition in conditions) else {}
    originals = {}
    for position in positions:
        body = messages.get(position, "").partition("\n")[2]
        pull = pull_by_position.get(position)
        originals[position] = _original(scan, position, pull, issues_by_label, body, paths.get(position, ()))
    return originals


def with_paths(original: Original, store: HistoryStore, positions: Iterable[Position]) -> Original:
    """Return an original with the files that the commits at these positions change."""
    paths = (path for commit_paths in store.paths(positions).values() for path in commit_paths)
    return replace(original, paths=tuple(dict.fromkeys(paths)))


def _pulls_by_position(
    scan: Scan, pulls: Mapping[int, ListedPullRequest], main: str
) -> dict[Position, ListedPullRequest]:
    pull_by_position = {}
    for pull in pulls.values():
        if pull.merged and pull.base == main:
            merge = scan.commits.find(pull.merge_commit) if pull.merge_commit else None
            position = scan.main.brought_by.get(merge) if merge is not None else scan.main.numbers.get(pull.number)
            if position is not None:
                pull_by_position[position] = pull
    return pull_by_position


def _original(
    scan: Scan,
    position: Position,
    pull: ListedPullRequest | None,
    issues_by_label: Mapping[str, frozenset[int]],
    body: str,
    paths: tuple[str, ...],
) -> Original:
    commit = scan.commits[position]
    if pull is None:
        return Original(
            position=position,
            commits=(commit.sha,),
            merged=commit.commit_date,
            title=commit.subject,
            number=commit.number,
            author=commit.author.partition(" <")[0],
            body=body,
            paths=paths,
        )
    closes = set(map(int, _CLOSES.findall(f"{pull.title}\n{pull.body}")))
    return Original(
        position=position,
        commits=(commit.sha,),
        merged=pull.merged,
        title=pull.title,
        number=pull.number,
        url=pull.url,
        author=pull.author,
        body=pull.body or body,
        labels=pull.labels,
        milestone=pull.milestone,
        paths=paths,
        issue_labels=frozenset(label for label, numbers in issues_by_label.items() if closes & numbers),
    )

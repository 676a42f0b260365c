"""The main branch's steps as originals: what git says of each, and GitHub where there is one.

Owns the joining of the two. Long texts are only read where the policy asks for them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from bot.config import Conditions, Sync
from bot.history.commits import Position
from bot.history.scan import Scan
from bot.history.store import HistoryStore
from bot.models import ListedPullRequest
from bot.sync.types import Original

# GitHub's own words by which a pull request closes an issue.
_CLOSES = re.compile(
    r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+(?:[\w.-]{1,100}/[\w.-]{1,100})?#(\d{1,9})\b", re.IGNORECASE
)


def gather_originals(
    scan: Scan,
    store: HistoryStore,
    sync: Sync,
    pulls: Mapping[int, ListedPullRequest],
    labelled: Mapping[str, frozenset[int]],
    main: str,
) -> dict[Position, Original]:
    """Return the originals that any of the branches could lack. `labelled` are issues by the labels that rules name."""
    wanted = sorted({at for history in scan.branches.values() for at in scan.main.since(history.point)})
    of_pull = _pulls_by_position(scan, pulls, main)
    conditions: tuple[Conditions, ...] = (*sync.rules, *sync.deny)
    messages = store.messages(wanted) if any(each.bodies for each in conditions) else {}
    paths = store.paths(wanted) if any(each.paths for each in conditions) else {}
    found = {}
    for at in wanted:
        body = messages.get(at, "").partition("\n")[2]
        found[at] = _original(scan, at, of_pull.get(at), labelled, body, paths.get(at, ()))
    return found


def with_paths(original: Original, store: HistoryStore, positions: Iterable[Position]) -> Original:
    """Return an original with the files that its commits change."""
    changed = (path for paths in store.paths(positions).values() for path in paths)
    return replace(original, paths=tuple(dict.fromkeys(changed)))


def _pulls_by_position(
    scan: Scan, pulls: Mapping[int, ListedPullRequest], main: str
) -> dict[Position, ListedPullRequest]:
    found = {}
    for pull in pulls.values():
        if pull.merged and pull.base == main:
            at = scan.commits.find(pull.merge_commit) if pull.merge_commit else None
            by = scan.main.brought_by.get(at) if at is not None else scan.main.numbers.get(pull.number)
            if by is not None:
                found[by] = pull
    return found


def _original(
    scan: Scan,
    at: Position,
    pull: ListedPullRequest | None,
    labelled: Mapping[str, frozenset[int]],
    body: str,
    paths: tuple[str, ...],
) -> Original:
    commit = scan.commits[at]
    if pull is None:
        return Original(
            position=at,
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
        position=at,
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
        issue_labels=frozenset(label for label, numbers in labelled.items() if closes & numbers),
    )

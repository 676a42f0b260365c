"""Finds an open backport that a person or another tool made, so that the bot does not open a second one.

The name of its branch says where to look, and costs no request: projects' own workflows, Mergify and people put the
original's number or hash into it. Its commits must then make the original's change.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from itertools import islice

from bot.errors import FetchFailed
from bot.history.landed import find_landed
from bot.history.message_references import parse_references
from bot.models import PullRequest, Sha
from bot.pipeline.context import RepositoryContext
from bot.pipeline.request import BackportRequest
from bot.text.markers import parse_pull_request_marker

log = logging.getLogger(__name__)

_MOST_BRANCHES = 5
"""Branches that GitHub is asked about. More of them name one original only if somebody plays with names."""


def foreign_heads(request: BackportRequest, branches: Iterable[str]) -> tuple[str, ...]:
    """Return the branches whose names say that they backport the original, as many as GitHub is asked about."""
    return tuple(islice(_named_for(request, branches), _MOST_BRANCHES))


def find_foreign_backport(
    pull_requests: Iterable[PullRequest], base: Sha, request: BackportRequest, context: RepositoryContext
) -> PullRequest | None:
    """Return the first pull request that is open and makes the request's change on a branch whose tip is `base`.

    `pull_requests` are those from `foreign_heads` into the branch, newest first.
    """
    open_pulls = (pull for pull in pull_requests if pull.state == "open")
    return next((pull for pull in open_pulls if _makes_change(pull, base, request, context)), None)


def _named_for(request: BackportRequest, branches: Iterable[str]) -> Iterator[str]:
    """Yield the branches whose names say that they backport the original."""
    for name in branches:
        # The rule for branch names reads the title of a merge.
        references = parse_references(f"Merge pull request #1 from x/{name}")
        by_hash = any(sha.startswith(source) for source in references.sources for sha in request.commits)
        if by_hash or request.original.number in references.backports:
            yield name


def _makes_change(pull: PullRequest, base: Sha, request: BackportRequest, context: RepositoryContext) -> bool:
    key = parse_pull_request_marker(pull.body)
    if key is not None and key.repository.casefold() != context.config.repository.casefold():
        # Another repository's original has the same number.
        return False
    try:
        context.mirror.fetch([pull.head_sha])
    except FetchFailed as error:
        log.warning("#%d cannot be looked at, so it is not taken for a backport: %s", pull.number, error)
        return False
    leave_out = context.config.pick.leave_out
    # What the branch itself has by now is nothing that the pull request brings.
    on_branch, with_it = (
        find_landed(context.mirror, tip, request.commits, leave_out=leave_out) for tip in (base, pull.head_sha)
    )
    # One that merges main brings the commits themselves, and everything else of main.
    is_pick = all(landed.commit != sha for sha, landed in with_it.items() if sha not in on_branch)
    return is_pick and len(with_it) == len(request.commits) > len(on_branch)

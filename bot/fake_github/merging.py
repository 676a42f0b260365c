"""Merging a pull request, at once or as soon as its required checks have passed.

Owns when a merge is allowed and what follows it. The commits come from `pulling`.
"""

from __future__ import annotations

from bot.fake_github.accounts import User, now
from bot.fake_github.conversation import AutoMerge, Issue
from bot.fake_github.events import issue_event
from bot.fake_github.pull_requests import default_message, mergeable_state, merged_head, record_merge
from bot.fake_github.refs import notice_moves
from bot.fake_github.state import Repository
from bot.fake_github.world import World


class MergeRefused(Exception):
    """The pull request cannot be merged as it stands. Says why in GitHub's words."""


_REASONS = {
    "dirty": "Pull Request is not mergeable",
    "draft": "Pull Request is still a draft",
    "blocked": "Required status check is expected.",
}


def merge(
    world: World,
    repository: Repository,
    issue: Issue,
    method: str,
    merger: User,
    *,
    title: str | None = None,
    message: str | None = None,
) -> str:
    """Merge into the base branch and return the last commit made. Raises MergeRefused and then changes nothing."""
    pull = issue.pull
    if pull is None or issue.state != "open":
        raise MergeRefused("Pull Request is not mergeable")
    state = mergeable_state(repository, pull)
    if state in _REASONS:
        raise MergeRefused(_REASONS[state])
    own_title, own_message = default_message(repository, issue, method)
    before = repository.git.branch(pull.base)
    sha = merged_head(
        repository, issue, method, title or own_title, own_message if message is None else message, merger
    )
    if sha is None or before is None:
        raise MergeRefused("Pull Request is not mergeable")
    pull.base_sha, pull.landed = before, tuple(one.sha for one in repository.git.log(f"{before}..{sha}"))
    repository.git.set_ref(f"refs/heads/{pull.base}", sha, before)
    record_merge(world, issue, sha, merger)
    issue_event(world, repository, issue, "closed", merger)
    notice_moves(world, repository, merger)
    return sha


def order_merge(
    world: World, repository: Repository, issue: Issue, method: str, who: User, title: str, message: str
) -> None:
    """Keep a standing order to merge. Raises MergeRefused where nothing blocks the merge, as GitHub does."""
    pull = issue.pull
    if pull is None or issue.state != "open":
        raise MergeRefused("Pull request is closed")
    if not repository.auto_merge:
        raise MergeRefused("Pull request Auto merge is not allowed for this repository")
    state = mergeable_state(repository, pull)
    if state in {"clean", "dirty"}:
        raise MergeRefused(f"Pull request is in {'clean' if state == 'clean' else 'unstable'} status")
    own_title, own_message = default_message(repository, issue, method)
    pull.auto_merge = AutoMerge(
        enabled_by=who, enabled_at=now(), method=method, title=title or own_title, message=message or own_message
    )
    world.note(issue, "auto_merge_enabled", who)
    issue_event(world, repository, issue, "auto_merge_enabled", who)


def carry_out_orders(world: World, repository: Repository, sha: str) -> None:
    """Merge what waited for the checks on a commit."""
    for issue in repository.pulls():
        pull = issue.pull
        if pull and pull.auto_merge and issue.state == "open" and pull.head_sha == sha:
            order = pull.auto_merge
            if mergeable_state(repository, pull) == "clean":
                who, title, message = order.enabled_by, order.title, order.message
                merge(world, repository, issue, order.method, who, title=title, message=message)

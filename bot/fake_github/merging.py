"""Merging a pull request, at once or as soon as its required checks have passed.

Decides when a merge is allowed and what follows it. The commits come from `pull_requests`.
"""

from __future__ import annotations

from bot.fake_github.accounts import User
from bot.fake_github.conversation import AutoMerge, Issue
from bot.fake_github.events import pull_request_event
from bot.fake_github.github_state import World
from bot.fake_github.pull_requests import default_message, mergeable_state, merged_head, record_merge
from bot.fake_github.ref_updates import follow_refs
from bot.fake_github.repository_records import Repository


class MergeRejected(Exception):
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
    """Merge into the base branch and return the last commit made. Raises MergeRejected and then changes nothing."""
    pull, git = issue.pull, repository.git
    if pull is None or issue.state != "open":
        raise MergeRejected("Pull Request is not mergeable")
    state = mergeable_state(repository, pull)
    if state in _REASONS:
        raise MergeRejected(_REASONS[state])
    default_title, default_text = default_message(repository, issue, method)
    text = default_text if message is None else message
    before, sha = git.branch(pull.base), merged_head(repository, issue, method, title or default_title, text, merger)
    if sha is None or before is None:
        raise MergeRejected("Pull Request is not mergeable")
    pull.base_sha, pull.landed = before, tuple(commit.sha for commit in git.log(f"{before}..{sha}"))
    git.set_ref(f"refs/heads/{pull.base}", sha, before)
    record_merge(world, issue, sha, merger)
    pull_request_event(world, repository, issue, "closed", merger)
    follow_refs(world, repository, merger)
    return sha


def order_merge(world: World, repository: Repository, issue: Issue, method: str, user: User) -> None:
    """Keep a standing order to merge. Raises MergeRejected where nothing blocks the merge, as GitHub does."""
    pull = issue.pull
    if pull is None or issue.state != "open":
        raise MergeRejected("Pull request is closed")
    if not repository.auto_merge:
        raise MergeRejected("Pull request Auto merge is not allowed for this repository")
    state = mergeable_state(repository, pull)
    if state in {"clean", "dirty"}:
        raise MergeRejected(f"Pull request is in {'clean' if state == 'clean' else 'unstable'} status")
    title, message = default_message(repository, issue, method)
    pull.auto_merge = AutoMerge(enabled_by=user, method=method, title=title, message=message)
    world.note(issue, "auto_merge_enabled", user)
    pull_request_event(world, repository, issue, "auto_merge_enabled", user)


def merge_as_ordered(world: World, repository: Repository, sha: str) -> None:
    """Merge what waited for the checks on a commit."""
    for issue in repository.pulls():
        order = issue.pull.auto_merge if issue.pull and issue.pull.head_sha == sha else None
        if order and issue.pull and issue.state == "open" and mergeable_state(repository, issue.pull) == "clean":
            merge(world, repository, issue, order.method, order.enabled_by, title=order.title, message=order.message)

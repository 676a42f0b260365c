"""What a pull request has beside its text: labels, people and reviewers, however they are asked for."""

from __future__ import annotations

from collections.abc import Sequence

from bot.fake_github.accounts import User
from bot.fake_github.conversation import Issue, Label
from bot.fake_github.events import pull_request_event
from bot.fake_github.github_state import World
from bot.fake_github.repository_records import Repository
from bot.fake_github.serializers.pulls import pull_of
from bot.fake_github.serializers.repositories import label_json
from bot.fake_github.serializers.users import user_json


class ReviewRejected(Exception):
    """A review may not be asked of somebody. Says why in GitHub's words."""


def add_label(world: World, repository: Repository, issue: Issue, label: Label, by: User) -> None:
    """Add a label, unless the issue has it."""
    if label not in issue.labels:
        issue.labels.append(label)
        note_label(world, repository, issue, "labeled", label, by)


def note_label(world: World, repository: Repository, issue: Issue, event: str, label: Label, by: User) -> None:
    """Record that a label was added or removed, and send the event."""
    world.note(issue, event, by, label=label)
    pull_request_event(world, repository, issue, event, by, label=label_json(world, repository, label))


def assign(world: World, repository: Repository, issue: Issue, users: Sequence[User | None], by: User) -> None:
    """Assign the people with access. Others are passed over without an error, as on GitHub."""
    for user in users:
        if user and _has_access(repository, user) and user not in issue.assignees:
            issue.assignees.append(user)
            world.note(issue, "assigned", by)
    pull_request_event(world, repository, issue, "assigned", by)


def request_review(world: World, repository: Repository, issue: Issue, users: Sequence[User | None], by: User) -> None:
    """Ask people for a review, all or none of them. Raises ReviewRejected for the author and people without access."""
    reviewers = [_reviewer(repository, issue, user) for user in users]
    requested_reviewers = pull_of(issue).requested_reviewers
    for user in reviewers:
        if user not in requested_reviewers:
            requested_reviewers.append(user)
            details = {"requested_reviewer": user_json(world, user)}
            pull_request_event(world, repository, issue, "review_requested", by, **details)


def _reviewer(repository: Repository, issue: Issue, user: User | None) -> User:
    if user is issue.user:
        raise ReviewRejected("Review cannot be requested from pull request author.")
    if user is None or not _has_access(repository, user):
        kind = "collaborators" if user else "users"
        raise ReviewRejected(
            f"Reviews may only be requested from {kind}. One or more of the users or teams you "
            f"specified is not a {kind.removesuffix('s')} of the {repository.full_name} repository."
        )
    return user


def _has_access(repository: Repository, user: User) -> bool:
    return user is repository.owner or bool(repository.levels.get(user.login.lower()))

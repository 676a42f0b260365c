"""Reads a pull request's conversation: its comments, who labelled it, and which pull requests changed lately.

Every list is read to its end, however many pages GitHub cuts it into.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from github.IssueComment import IssueComment
from github.NamedUser import NamedUser
from github.Organization import Organization
from github.Repository import Repository as PyGithubRepository

from bot.github.graphql import ask
from bot.github.lazy_objects import lazy_issue
from bot.models import Comment, LabelEvent
from bot.text.logins import is_app


def list_comments(repository: PyGithubRepository, number: int) -> tuple[Comment, ...]:
    """Return a pull request's comments, oldest first. Comments of deleted accounts are left out."""
    comments = lazy_issue(repository, number).get_comments()
    return tuple(_comment(comment) for comment in comments if comment.user is not None)


def was_edited(repository: PyGithubRepository, node: str) -> bool:
    """Say whether anybody edited a comment, also within the second in which it was written."""
    # https://docs.github.com/en/graphql/reference/objects#issuecomment
    data = ask(repository, "query($id: ID!) { node(id: $id) { ... on IssueComment { lastEditedAt } } }", id=node)
    return bool((data["node"] or {}).get("lastEditedAt"))


def last_label_event(repository: PyGithubRepository, number: int, label: str) -> LabelEvent | None:
    """Return who last added a label, and when; None if it was a bot or if there is no record."""
    events = [
        event
        for event in lazy_issue(repository, number).get_events()
        if event.event == "labeled" and event.label is not None and event.label.name == label
    ]
    # GitHub names no actor for a deleted account.
    if not events or events[-1].actor is None or not _is_person(events[-1].actor):
        return None
    return LabelEvent(by=events[-1].actor.login, labelled_at=events[-1].created_at.astimezone(UTC))


def pull_requests_since(repository: PyGithubRepository, moment: datetime) -> Iterator[int]:
    """Yield the numbers of pull requests that changed since then, the last changed first."""
    # REST has no filter by time for pull requests; in this order the list can be left early.
    for pull in repository.get_pulls(state="all", sort="updated", direction="desc"):
        if pull.updated_at is None or pull.updated_at.astimezone(UTC) < moment:
            return
        yield pull.number


def _comment(comment: IssueComment) -> Comment:
    return Comment(
        id=comment.id,
        author=comment.user.login,
        body=comment.body or "",
        person=_is_person(comment.user),
        changed_at=comment.updated_at.astimezone(UTC),
        is_edited=comment.updated_at != comment.created_at,
        node=comment.node_id,
    )


def _is_person(user: NamedUser | Organization) -> bool:
    return user.type != "Bot" and not is_app(user.login)

"""What was said and done on a pull request: its comments, who labelled it, and which ones changed of late.

Owns reading. Every list is read to its end, whatever number of pages GitHub cuts it into.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from github.IssueComment import IssueComment
from github.NamedUser import NamedUser
from github.Organization import Organization
from github.Repository import Repository as PyGithubRepository

from bot.github.graphql import ask
from bot.github.lazy import lazy_issue
from bot.models import Comment, Labelling
from bot.text.logins import is_app


def read_comments(repository: PyGithubRepository, number: int) -> tuple[Comment, ...]:
    """Return a pull request's comments, oldest first. One whose author is gone is nobody's and says nothing to us."""
    found = lazy_issue(repository, number).get_comments()
    return tuple(_comment(each) for each in found if each.user is not None)


def was_edited(repository: PyGithubRepository, node: str) -> bool:
    """Say whether anybody edited a comment, also within the second in which it was written."""
    # https://docs.github.com/en/graphql/reference/objects#issuecomment
    found = ask(repository, "query($id: ID!) { node(id: $id) { ... on IssueComment { lastEditedAt } } }", id=node)
    return bool((found["node"] or {}).get("lastEditedAt"))


def last_labelling(repository: PyGithubRepository, number: int, label: str) -> Labelling | None:
    """Return who last added a label, and when; None for a bot or where nobody is on record."""
    added = [
        event
        for event in lazy_issue(repository, number).get_events()
        if event.event == "labeled" and event.label is not None and event.label.name == label
    ]
    # Of an account that is gone GitHub names no actor.
    if not added or added[-1].actor is None or not _is_person(added[-1].actor):
        return None
    return Labelling(by=added[-1].actor.login, at=added[-1].created_at.astimezone(UTC))


def pull_requests_since(repository: PyGithubRepository, moment: datetime) -> Iterator[int]:
    """Yield the numbers of pull requests that changed since then, the last changed first."""
    for pull in repository.get_pulls(state="all", sort="updated", direction="desc"):
        if pull.updated_at is None or pull.updated_at.astimezone(UTC) < moment:
            return
        yield pull.number


def _comment(each: IssueComment) -> Comment:
    return Comment(
        id=each.id,
        author=each.user.login,
        body=each.body or "",
        person=_is_person(each.user),
        changed=each.updated_at.astimezone(UTC),
        edited=each.updated_at != each.created_at,
        node=each.node_id,
    )


def _is_person(user: NamedUser | Organization) -> bool:
    return user.type != "Bot" and not is_app(user.login)

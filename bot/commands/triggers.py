"""Reads triggers from webhook payloads.

A payload is untrusted. If it lacks what its event should have, it is no trigger; it is never an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.text.logins import is_app, same_login
from bot.text.markers import is_ours


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentTrigger:
    """A person wrote a comment on a pull request; `body` is its text, not yet parsed."""

    repository: str
    pull_request: int
    comment_id: int
    author: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelTrigger:
    """A person put a label on a pull request. `sender` is that person, not the pull request's author."""

    repository: str
    pull_request: int
    label: str
    sender: str
    merged: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeTrigger:
    """A pull request was merged; the requests made before are due now."""

    repository: str
    pull_request: int
    sender: str
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeTrigger:
    """A backport pull request of the bot got new commits or was marked ready for review."""

    repository: str
    pull_request: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchTrigger:
    """A person ran the workflow by hand. `words` are what would follow `/backport` in a comment, not yet parsed."""

    repository: str
    pull_request: int
    words: tuple[str, ...]
    sender: str


Trigger = CommentTrigger | LabelTrigger | MergeTrigger | ChangeTrigger
"""What a webhook delivery may ask for."""
AnyTrigger = Trigger | DispatchTrigger
"""What the run of a workflow may be started by."""


def parse_delivery(event: str, payload: Mapping[str, object], *, own_login: str | None = None) -> Trigger | None:
    """Read one delivery; None if the bot has nothing to do for it.

    `event` is the X-GitHub-Event header. Ignored are edits and deletions, edited comments, comments outside
    pull requests, texts by another bot or `own_login`, texts with the bot's marker, and all events without a trigger.
    """
    delivery = _Node(payload)
    match event, delivery.text("action"):
        case "issue_comment", "created":
            return _comment(delivery, own_login)
        case "pull_request", "labeled":
            return _label(delivery, own_login)
        case "pull_request", "closed":
            return _merge(delivery)
        case "pull_request", "synchronize" | "ready_for_review" | "reopened":
            return _change(delivery)
        case _:
            return None


def parse_dispatch(payload: Mapping[str, object], *, own_login: str | None = None) -> DispatchTrigger | None:
    """Read a `workflow_dispatch` event with the inputs `pull_request`, `branches` and `options`; None without them.

    Only for the run of the workflow itself: elsewhere such an event may be about any workflow.
    """
    delivery = _Node(payload)
    inputs, sender = delivery.child("inputs"), delivery.child("sender")
    # GitHub gives every input as text, also a number.
    number = (inputs.text("pull_request") or str(inputs.number("pull_request"))).strip().removeprefix("#")
    words = f"{inputs.text('branches')} {inputs.text('options')}".split()
    is_number = number.isascii() and number.isdecimal() and int(number[:12]) > 0
    if not (delivery.child("repository").text("full_name") and is_number) or not _is_person(sender, own_login):
        return None
    return DispatchTrigger(
        repository=delivery.child("repository").text("full_name"),
        pull_request=int(number[:12]),
        words=tuple(words),
        sender=sender.text("login"),
    )


class _Node:
    """Reads JSON of unknown shape: a value that is absent or of another type reads as empty."""

    def __init__(self, value: object) -> None:
        self._value: Mapping[str, object] = value if isinstance(value, Mapping) else {}

    def __bool__(self) -> bool:
        return bool(self._value)

    def child(self, key: str) -> _Node:
        return _Node(self._value.get(key))

    def text(self, key: str) -> str:
        value = self._value.get(key)
        return value if isinstance(value, str) else ""

    def number(self, key: str) -> int:
        value = self._value.get(key)
        return value if isinstance(value, int) and not isinstance(value, bool) else 0

    def true(self, key: str) -> bool:
        return self._value.get(key) is True

    def children(self, key: str) -> tuple[_Node, ...]:
        value = self._value.get(key)
        return tuple(map(_Node, value)) if isinstance(value, list) else ()


def _is_person(user: _Node, own_login: str | None) -> bool:
    login = user.text("login")
    return bool(login) and user.text("type") != "Bot" and not is_app(login) and not same_login(login, own_login)


def _comment(delivery: _Node, own_login: str | None) -> CommentTrigger | None:
    comment, issue = delivery.child("comment"), delivery.child("issue")
    author, repository = comment.child("user"), delivery.child("repository").text("full_name")
    complete = repository and issue.number("number") and comment.number("id")
    if not complete or not issue.child("pull_request") or not _is_person(author, own_login):
        return None
    # An edited comment is no command: everyone with write access can edit the comments of others.
    if is_ours(comment.text("body")) or comment.text("updated_at") != comment.text("created_at"):
        return None
    return CommentTrigger(
        repository=repository,
        pull_request=issue.number("number"),
        comment_id=comment.number("id"),
        author=author.text("login"),
        body=comment.text("body"),
    )


def _label(delivery: _Node, own_login: str | None) -> LabelTrigger | None:
    pull_request, sender = delivery.child("pull_request"), delivery.child("sender")
    repository, label = delivery.child("repository").text("full_name"), delivery.child("label").text("name")
    if not (repository and label and pull_request.number("number")) or not _is_person(sender, own_login):
        return None
    return LabelTrigger(
        repository=repository,
        pull_request=pull_request.number("number"),
        label=label,
        sender=sender.text("login"),
        merged=pull_request.true("merged"),
    )


def _merge(delivery: _Node) -> MergeTrigger | None:
    # A bot's merge counts: merge queues and auto-merge close pull requests in a bot's name.
    pull_request, repository = delivery.child("pull_request"), delivery.child("repository").text("full_name")
    if not (repository and pull_request.number("number") and pull_request.true("merged")):
        return None
    return MergeTrigger(
        repository=repository,
        pull_request=pull_request.number("number"),
        sender=delivery.child("sender").text("login"),
        labels=tuple(label.text("name") for label in pull_request.children("labels") if label.text("name")),
    )


def _change(delivery: _Node) -> ChangeTrigger | None:
    # It does not matter who pushed: only the commits on the branch now count.
    pull_request, repository = delivery.child("pull_request"), delivery.child("repository").text("full_name")
    if not (repository and pull_request.number("number") and is_ours(pull_request.text("body"))):
        return None
    return ChangeTrigger(repository=repository, pull_request=pull_request.number("number"))

"""Pull requests and what hangs on them, as the forge reports it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.models.ids import Sha


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequest:
    """A pull request as the forge reports it."""

    number: int
    title: str
    body: str
    author: str
    url: str
    state: str
    base: str
    head: str
    head_sha: Sha
    merged: bool = False
    merge_commit: Sha | None = None
    merged_by: str | None = None
    commit_count: int = 1
    labels: tuple[str, ...] = ()
    draft: bool = False
    milestone: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What stands beside a pull request's text. `merge` is the method by which it is to merge by itself, or None."""

    labels: tuple[str, ...] = ()
    milestone: int | None = None
    assignees: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    merge: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewThread:
    """A thread of a review that nobody resolved; `line` is 0 where the file has moved on. `body` opened it."""

    path: str
    line: int
    author: str
    body: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """A comment in a pull request's conversation. `person` is false for bots, ours among them.

    `is_edited` misses an edit in the second of the creation, because REST gives whole seconds. `node` is the comment's
    GraphQL id, by which every edit is found.
    """

    id: int
    author: str
    body: str
    person: bool
    changed_at: datetime
    is_edited: bool = False
    node: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelEvent:
    """A person put a label on a pull request."""

    by: str
    labelled_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedPullRequest:
    """A pull request as a list shows it: less than all, but hundreds for one question.

    Dates are seconds since the epoch; `merged` is 0 where it is not merged. `insider` says that it comes from a branch
    of the repository itself, or from one of its people: anybody else can open one that says anything, and close it.
    """

    number: int
    title: str
    body: str
    author: str
    url: str
    state: str
    base: str
    head: str
    updated: int
    merged: int
    merge_commit: Sha | None
    labels: tuple[str, ...]
    milestone: str
    insider: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRunText:
    """What GitHub's check run object takes. `title` is plain text, `summary` Markdown."""

    name: str
    conclusion: str
    title: str
    summary: str

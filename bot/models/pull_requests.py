"""Pull requests and the objects that belong to them, as GitHub reports them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.models.names import Sha


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
    assignees: tuple[str, ...] = ()
    requested_reviewers: tuple[str, ...] = ()
    requested_teams: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """The metadata of a pull request. `merge` is the method of its auto-merge, or None.

    `uncertain` are people whom GitHub often does not accept, so it is not worth a word if it does not.
    """

    labels: tuple[str, ...] = ()
    milestone: int | None = None
    assignees: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    uncertain: frozenset[str] = frozenset()
    merge: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowStart:
    """Whether a workflow of a target branch starts on a pull request. `only_for` are the branches that it is for, if
    it is not for this one."""

    file: str
    name: str
    starts: bool
    only_for: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchChecks:
    """What is known of a pull request's workflows before it opens.

    `workflows` are those whose start is certain; `complete` says that this is all of them. `own_token` means that the
    token of a workflow run opens the pull request, and GitHub then starts none.
    """

    workflows: tuple[WorkflowStart, ...] = ()
    complete: bool = True
    own_token: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewThread:
    """An unresolved review thread. `line` is 0 if the file has changed there since. `body` is its first comment."""

    path: str
    line: int
    author: str
    body: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """A comment in a pull request's conversation. `person` is false for bots, ours among them.

    `is_edited` misses an edit in the second of the creation if REST listed the comment, which gives whole seconds. Then
    `node` is the comment's GraphQL id, by which every edit is found; else it is empty.
    """

    id: int
    author: str
    body: str
    person: bool
    changed_at: datetime
    is_edited: bool = False
    node: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A pull request with all its comments, oldest first, as GitHub tells both at one time."""

    pull_request: PullRequest
    comments: tuple[Comment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelEvent:
    """A person put a label on a pull request."""

    by: str
    labelled_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedPullRequest:
    """A pull request as a list shows it: fewer fields, but hundreds of pull requests in one request.

    Dates are seconds since the epoch; `merged` is 0 if it is not merged. `insider` means that it comes from a branch of
    the repository itself or from one of its people. Anyone else can open one with any text, and close it.
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
    """The fields of GitHub's check run object. `title` is plain text, `summary` Markdown."""

    name: str
    conclusion: str
    title: str
    summary: str

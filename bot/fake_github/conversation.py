"""The records of a conversation: issues and pull requests with their comments, reactions, threads and labels.

Mutable records. No URL, no JSON and no HTTP.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from bot.fake_github.accounts import Team, User

if TYPE_CHECKING:
    # A pull request knows the repository of its head, and a repository its pull requests.
    from bot.fake_github.repository_records import Repository


@dataclass(kw_only=True, eq=False)
class Label:
    """A label of one repository."""

    id: int
    name: str
    color: str = "ededed"


@dataclass(kw_only=True, eq=False)
class Milestone:
    """A milestone of one repository. It stays open."""

    id: int
    number: int
    title: str
    creator: User
    created_at: datetime
    updated_at: datetime


@dataclass(kw_only=True, eq=False)
class Reaction:
    """One person's emoji on a comment."""

    id: int
    user: User
    content: str
    created_at: datetime


@dataclass(kw_only=True, eq=False)
class Comment:
    """A comment on an issue or pull request.

    `edited_at` is when its text was last edited; `updated_at` moves with it and, in answers, tells whole seconds only.
    """

    id: int
    user: User
    body: str
    created_at: datetime
    updated_at: datetime
    reactions: list[Reaction] = field(default_factory=list)
    edited_at: datetime | None = None


@dataclass(kw_only=True, eq=False)
class ReviewThread:
    """A thread of one comment on a line of the diff. `resolver` is who resolved it."""

    id: int
    user: User
    body: str
    created_at: datetime
    path: str
    line: int
    resolver: User | None = None


@dataclass(kw_only=True, eq=False)
class Review:
    """A review that was submitted. `state` is GitHub's word for its verdict."""

    id: int
    user: User
    body: str
    state: str
    submitted_at: datetime
    commit: str


@dataclass(kw_only=True, eq=False)
class AutoMerge:
    """A standing order to merge as soon as nothing blocks it."""

    enabled_by: User
    method: str
    title: str
    message: str


@dataclass(kw_only=True, eq=False)
class Pull:
    """What a pull request has beyond its issue.

    `head_sha` follows the head branch while the pull request is open. `merge_commit` is set only by a real merge;
    `landed` are all commits that it made.
    `trial` remembers the last test merge: base, head and the commit it gave (None: they conflict).
    """

    id: int
    base: str
    base_sha: str
    head: str
    head_sha: str
    head_repository: Repository | None
    head_owner: str
    draft: bool = False
    merged_at: datetime | None = None
    merged_by: User | None = None
    merge_commit: str | None = None
    landed: tuple[str, ...] = ()
    trial: tuple[str, str, str | None] | None = None
    auto_merge: AutoMerge | None = None
    maintainer_can_modify: bool = False
    requested_reviewers: list[User] = field(default_factory=list)
    requested_teams: list[Team] = field(default_factory=list)
    review_threads: list[ReviewThread] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)

    @property
    def merged(self) -> bool:
        """Whether it was merged, which `merge_commit_sha` in GitHub's answers does not say."""
        return self.merged_at is not None


@dataclass(kw_only=True, eq=False)
class Issue:
    """An issue; a pull request is an issue with `pull` set."""

    id: int
    number: int
    title: str
    body: str | None
    user: User
    created_at: datetime
    updated_at: datetime
    state: str = "open"
    state_reason: str | None = None
    closed_at: datetime | None = None
    closed_by: User | None = None
    labels: list[Label] = field(default_factory=list)
    assignees: list[User] = field(default_factory=list)
    milestone: Milestone | None = None
    comments: list[Comment] = field(default_factory=list)
    events: list[IssueEvent] = field(default_factory=list)
    pull: Pull | None = None


@dataclass(kw_only=True, eq=False)
class IssueEvent:
    """One entry of an issue's history, e.g. who added which label."""

    id: int
    event: str
    actor: User
    created_at: datetime
    label: Label | None = None
    commit_id: str | None = None

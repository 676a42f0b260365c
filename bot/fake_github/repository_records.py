"""The records of a repository: itself, and its check runs, workflow runs and webhooks.

Mutable records. No URL, no JSON and no HTTP.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.fake_github.accounts import Level, User
from bot.fake_github.conversation import Issue, Label, Milestone
from bot.fake_github.git_store import GitStore


@dataclass(kw_only=True, eq=False)
class CheckRun:
    """A check run on a commit, owned by the App that made it."""

    id: int
    name: str
    head_sha: str
    creator: User
    suite_id: int
    status: str = "queued"
    conclusion: str | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    external_id: str = ""
    output: dict[str, Any] = field(default_factory=dict)


@dataclass(kw_only=True, eq=False)
class Webhook:
    """Where events are sent: those of a repository, or with `app_id` those of an App. An empty secret signs nothing."""

    id: int
    url: str
    secret: str
    events: frozenset[str]
    app_id: int = 0


@dataclass(kw_only=True, eq=False)
class WorkflowRun:
    """A run that a dispatch asked for. Nothing runs: a test ends it."""

    id: int
    number: int
    path: str
    name: str
    title: str
    event: str
    actor: User
    head_branch: str
    head_sha: str
    created_at: datetime
    updated_at: datetime
    inputs: dict[str, Any] = field(default_factory=dict)
    status: str = "queued"
    conclusion: str | None = None
    artifacts: dict[int, Artifact] = field(default_factory=dict)


@dataclass(kw_only=True, eq=False)
class Artifact:
    """A zip archive that a workflow run left. Whoever knows the `signature` may download it."""

    id: int
    name: str
    content: bytes
    created_at: datetime
    signature: str = field(default_factory=secrets.token_urlsafe)


@dataclass(frozen=True, kw_only=True)
class Runner:
    """A self-hosted runner with its own labels."""

    id: int
    name: str
    labels: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class PushRule:
    """A rule of the repository that refuses every push: GitHub's word for the branch, and what it sends along."""

    summary: str
    remarks: str


@dataclass(kw_only=True, eq=False)
class Repository:
    """A repository: its records here, its objects in `git`. `branches` are those when they were last compared.

    `branch_rules` are a glob and the type of a rule each; `actions_open_pulls` says whether workflow runs may open pull
    requests, which a new repository does not allow. `drafts` is what the owner's plan allows, `auto_merge` what the
    repository's settings do.
    """

    id: int
    owner: User
    name: str
    git: GitStore
    default_branch: str
    private: bool
    created_at: datetime
    pushed_at: datetime
    parent: Repository | None = None
    levels: dict[str, Level] = field(default_factory=dict)
    issues: dict[int, Issue] = field(default_factory=dict)
    labels: dict[str, Label] = field(default_factory=dict)
    milestones: dict[int, Milestone] = field(default_factory=dict)
    check_runs: dict[int, CheckRun] = field(default_factory=dict)
    webhooks: list[Webhook] = field(default_factory=list)
    runs: dict[int, WorkflowRun] = field(default_factory=dict)
    workflow_ids: dict[str, int] = field(default_factory=dict)
    required_checks: dict[str, tuple[str, ...]] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    push_rule: PushRule | None = None
    branch_rules: list[tuple[str, str]] = field(default_factory=list)
    runners: list[Runner] = field(default_factory=list)
    actions_open_pulls: bool = False
    archived: bool = False
    drafts: bool = True
    auto_merge: bool = True

    @property
    def full_name(self) -> str:
        """Owner and name, as in a URL."""
        return f"{self.owner.login}/{self.name}"

    def pulls(self) -> list[Issue]:
        """List the pull requests by number."""
        return [issue for _, issue in sorted(self.issues.items()) if issue.pull]

    def level_of(self, user: User | None) -> Level:
        """Return the user's access. On a public repository everybody reads."""
        floor = Level.NONE if self.private else Level.READ
        if user is None:
            return floor
        if user is self.owner:
            return Level.ADMIN
        return max(floor, self.levels.get(user.login.lower(), Level.NONE))

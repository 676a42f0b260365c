"""The part of GitHub that the bot uses, as a Protocol; `bot.github.client` implements it.

Every method that changes something is find-or-create: calling it twice leaves one comment, one reaction, one pull
request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Literal, Protocol

from bot.git.objects import Entry
from bot.github.rate_limits import Budget
from bot.models import (
    CheckRunText,
    Comment,
    Conversation,
    Details,
    LabelEvent,
    ListedPullRequest,
    MergeMethod,
    PullRequest,
    ReviewThread,
    Sha,
    WorkflowRun,
)

Reaction = Literal["eyes", "rocket", "confused"]


class WorkflowRuns(Protocol):
    """Workflow runs of a repository. Every method may raise GitHubError."""

    def dispatch(self, workflow: str, inputs: Mapping[str, str]) -> None:
        """Ask for a run of a workflow file of the default branch."""

    def find(self, workflow: str, word: str) -> WorkflowRun | None:
        """Return the newest run of the workflow whose title has this word, or None."""

    def get(self, run_id: int) -> WorkflowRun | None:
        """Return a run as it is now, or None if it was deleted."""

    def cancel(self, run_id: int) -> None:
        """Cancel a run; one that has ended stays as it is."""

    def artifact(self, run_id: int, name: str) -> bytes | None:
        """Return the zip archive that a run left under this name, or None."""


class GitHub(Protocol):
    """One repository on GitHub, seen by the bot's account. Every method may raise GitHubError."""

    def for_another_thread(self) -> AbstractContextManager[GitHub]:
        """Return the same repository over other connections: one client's connections serve one thread."""

    def checking_first(self, check: Callable[[], None]) -> AbstractContextManager[None]:
        """Call `check` directly before each request while the block runs; what it raises ends the call unsent."""

    @property
    def requests_sent(self) -> int:
        """How many requests were sent so far."""

    def budgets(self) -> Iterable[Budget]:
        """Return what is left of the account's rate limits, as GitHub's last answers said; nothing is asked for it."""

    @property
    def clone_url(self) -> str:
        """The repository's git address, without credentials."""

    @property
    def repository(self) -> str:
        """The repository's name, as owner/name; `refresh` follows a renaming."""

    @property
    def repository_id(self) -> int:
        """GitHub's number for the repository, which a renaming does not change."""

    def refresh(self) -> None:
        """Ask GitHub for the repository as it is now: its name, its address and its default branch."""

    @property
    def login(self) -> str:
        """The bot's own account name."""

    def workflow_runs(self) -> WorkflowRuns:
        """Return the workflow runs of the repository, to dispatch and to look at."""

    @property
    def default_branch(self) -> str:
        """The branch that pull requests are merged into by default."""

    def pull_request(self, number: int) -> PullRequest:
        """Return a pull request; raises NotFound if there is none."""

    def permission(self, login: str) -> str:
        """Return a person's permission on the repository: admin, maintain, write, triage, read or none."""

    def in_team(self, team: str, login: str) -> bool:
        """Say whether a person is a member of a team (its slug) of the repository's organisation."""

    def merged_commits(self, original: PullRequest) -> tuple[MergeMethod, tuple[Sha, ...]]:
        """Return how a pull request was merged and the commits that it left, by GitHub's record.

        Raises NotYetKnown if there is no record yet.
        """

    def pull_requests_of(self, commit: Sha) -> frozenset[int]:
        """Return the merged pull requests that brought a commit, by GitHub's record; empty if it has none."""

    def backport_pull_requests(self, heads: Sequence[str], base: str) -> tuple[PullRequest, ...]:
        """Return the pull requests from our branches `heads` into `base` in any state, newest first."""

    def open_pull_request(self, *, title: str, body: str, head: str, base: str, draft: bool) -> PullRequest:
        """Open a pull request, or bring the open one from `head` into `base` up to date."""

    def update_pull_request(self, existing: PullRequest, *, title: str, body: str, draft: bool) -> PullRequest:
        """Give a pull request of ours these texts and this state; costs nothing if it has them."""

    def approvers(self, number: int) -> tuple[str, ...]:
        """Return the people whose last word on a pull request was an approval, in the order of their reviews."""

    def add_details(self, pull_request: PullRequest, details: Details) -> tuple[str, ...]:
        """Label, assign and so on. Best effort: a refusal is logged and costs nothing else.

        Returns sentences about refusals that people should know of.
        """

    def write_check_run(self, sha: Sha, text: CheckRunText) -> None:
        """Create or update our check run of that name on a commit. Best effort: only GitHub Apps may have them."""

    def unresolved_threads(self, number: int) -> tuple[ReviewThread, ...]:
        """Return the review threads of a pull request that nobody resolved."""

    def upload_tree(self, base_tree: Sha, changes: Mapping[str, Entry | None], contents: Mapping[Sha, bytes]) -> Sha:
        """Store the tree that differs from one that GitHub has in these entries; `contents` are those of new blobs."""

    def write_signed(self, tree: Sha, parent: Sha, message: str) -> Sha:
        """Let GitHub write and sign a commit in the name of the bot's account. No ref comes to point at it."""

    def may_push_workflows(self) -> bool:
        """Say whether the token may push changes under .github/workflows; true if GitHub does not say."""

    def comments(self, number: int) -> tuple[Comment, ...]:
        """Return the whole conversation of a pull request, oldest first."""

    def conversation(self, number: int) -> Conversation:
        """Return a pull request with its comments; raises NotFound if there is none."""

    def comments_and_backports(
        self, number: int, heads: Sequence[str], base: str
    ) -> tuple[tuple[Comment, ...], tuple[PullRequest, ...]]:
        """Return what `comments` and `backport_pull_requests` do, as GitHub tells both at one time."""

    def comments_and_threads(
        self, number: int, *, checks: Sequence[tuple[Sha, str]], details: Details
    ) -> tuple[tuple[Comment, ...], tuple[ReviewThread, ...]]:
        """Return what `comments` and `unresolved_threads` do, as GitHub tells both at one time.

        The same request reads what saves requests to the writes that follow: whether check runs are there (each by its
        commit and name), and the ids of the details.
        """

    def was_edited(self, comment: Comment) -> bool:
        """Say whether a comment was edited, also within the second in which it was written."""

    def last_label_event(self, number: int, label: str) -> LabelEvent | None:
        """Return who last put a label on a pull request, and when; None if it was a bot, or nobody."""

    def changed_since(self, moment: datetime) -> Iterable[int]:
        """Yield the pull requests that changed since then, the last changed first."""

    def write_comment(self, number: int, body: str, *, marker: str) -> int:
        """Create the bot's comment that begins with `marker`, or replace its body; returns the comment's id."""

    def react(self, comment_id: int, reaction: Reaction, *, instead_of: Reaction | None = None) -> None:
        """Add a reaction to a comment, and take one back. Best effort: a refusal is logged, not raised."""

    def changed_pull_requests(self) -> Iterator[ListedPullRequest]:
        """Yield every pull request, the latest change first; a page is asked for when it is needed."""

    def issues_labelled(self, label: str) -> frozenset[int]:
        """Return the numbers of the issues, open or closed, that have a label."""

    def write_issue(self, *, title: str, body: str, marker: str, is_open: bool | None = None) -> int:
        """Create the bot's issue that begins with `marker`, or give it this title and body; returns its number.

        One that a person closed is written to and stays closed, unless `is_open` says what it is to be.
        """

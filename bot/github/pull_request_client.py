"""The client for pull requests, their commits, labels, check runs and review threads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from github.Repository import Repository as PyGithubRepository

from bot.git.objects import Entry
from bot.github.check_runs import write_check_run
from bot.github.convert import convert_listed
from bot.github.lazy_objects import lazy_pull
from bot.github.merged_commits import merged_commits, pull_requests_of
from bot.github.metadata import LeftOut, detail_steps, read_approvers
from bot.github.pull_requests import list_pulls, open_pull, read_pull, update_pull
from bot.github.retrying_caller import sendable
from bot.github.review_threads import unresolved_threads
from bot.github.session import GitHubSession
from bot.github.translate_errors import translate_errors
from bot.github.verified_commits import upload_tree, write_signed
from bot.models import (
    CheckRunText,
    Details,
    ListedPullRequest,
    MergeMethod,
    PullRequest,
    ReviewThread,
    Sha,
)


class PullRequestClient(GitHubSession):
    """Reads and writes pull requests and the objects that belong to them."""

    def pull_request(self, number: int) -> PullRequest:
        """Return a pull request; raises NotFound if there is none."""
        return read_pull(self._repository, number)

    def merged_commits(self, original: PullRequest) -> tuple[MergeMethod, tuple[Sha, ...]]:
        """Return how the pull request was merged and the commits that reached the base branch, by GitHub's record."""
        with translate_errors(f"read the merged commits of #{original.number}"):
            return merged_commits(self._repository, original)

    def pull_requests_of(self, commit: Sha) -> frozenset[int]:
        """Return the merged pull requests that brought a commit, by GitHub's record; empty if it has none."""
        with translate_errors(f"read where {commit[:12]} came from"):
            return pull_requests_of(self._repository, commit)

    def backport_pull_requests(self, head: str, base: str) -> tuple[PullRequest, ...]:
        """Return the pull requests from our branch `head` into `base` in any state, newest first.

        With a fork these are those from the fork, and those from before it was configured.
        """
        heads = (head,) if self._fork is None else (self._fork.qualify(head), head)
        pulls = {pull.number: pull for name in heads for pull in list_pulls(self._repository, name, base)}
        return tuple(sorted(pulls.values(), key=lambda pull: -pull.number))

    def open_pull_request(self, *, title: str, body: str, head: str, base: str, draft: bool) -> PullRequest:
        """Open a pull request, or bring the open one from `head` into `base` up to date."""
        return open_pull(
            self._repository,
            self._caller,
            title=title,
            body=body,
            head=head,
            base=base,
            draft=draft,
            fork=self._fork,
        )

    def update_pull_request(self, existing: PullRequest, *, title: str, body: str, draft: bool) -> PullRequest:
        """Give a pull request of ours these texts and this state; costs nothing if it has them."""
        return update_pull(self._repository, self._caller, existing, title=title, body=body, draft=draft)

    def changed_pull_requests(self) -> Iterator[ListedPullRequest]:
        """Yield every pull request, the latest change first; a page is asked for when it is needed."""
        with translate_errors("list pull requests"):
            for pull in self._repository.get_pulls(state="all", sort="updated", direction="desc"):
                yield convert_listed(pull, self._fork)

    def add_details(self, pull_request: PullRequest, details: Details) -> tuple[str, ...]:
        """Label, assign and so on. Best effort: a refusal is logged and costs nothing else.

        Returns sentences about refusals that people should know of.
        """
        notes, left_out = [], LeftOut()
        for step in detail_steps(self._repository, pull_request, details, left_out):
            error = self._caller.best_effort(f"{step.action} (#{pull_request.number})", step.request)
            if error is not None and step.consequence:
                notes.append(f"{step.consequence} {error.message} {error.hint}")
        return (*left_out.notes(), *notes)

    def approvers(self, number: int) -> tuple[str, ...]:
        """Return the people whose last word on a pull request was an approval, in the order of their reviews."""
        with translate_errors(f"read the reviews of #{number}"):
            return read_approvers(lazy_pull(self._repository, number))

    def write_check_run(self, sha: Sha, text: CheckRunText) -> None:
        """Create or update our check run of that name on a commit. Best effort: only GitHub Apps may have them."""
        self._caller.best_effort(
            f"write the check run {text.name}", lambda: write_check_run(self._repository, sha, text)
        )

    def unresolved_threads(self, number: int) -> tuple[ReviewThread, ...]:
        """Return the review threads of a pull request that nobody resolved."""

        def read() -> tuple[ReviewThread, ...]:
            with translate_errors(f"read the review threads of #{number}"):
                return tuple(unresolved_threads(self._repository, number))

        return self._caller.retry_once(read)

    @property
    def _heads(self) -> PyGithubRepository:
        """The repository that our branches are in."""
        return self._fork.repository if self._fork is not None else self._repository

    def upload_tree(self, base_tree: Sha, changes: Mapping[str, Entry | None], contents: Mapping[Sha, bytes]) -> Sha:
        """Store the tree that differs from one that GitHub has in these entries; `contents` are those of new blobs."""

        def upload() -> Sha:
            with translate_errors("store the files of a commit"):
                return upload_tree(self._heads, base_tree, changes, contents)

        return self._caller.retry_once(upload)

    def write_signed(self, tree: Sha, parent: Sha, message: str) -> Sha:
        """Let GitHub write and sign a commit in the name of the bot's account. No ref comes to point at it."""

        def write() -> Sha:
            with translate_errors("write a commit"):
                return write_signed(self._heads, tree, parent, sendable(message))

        # No ref names a commit that was written twice: GitHub prunes it.
        return self._caller.retry_once(write)

"""The client for pull requests, their commits, labels, check runs and review threads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from github.Repository import Repository as PyGithubRepository

from bot.errors import Forbidden
from bot.git.objects import Entry
from bot.github.check_runs import write_check_run
from bot.github.conversation_client import ConversationClient
from bot.github.conversation_queries import COMMENTS, THREADS, heads_selection, read_heads, read_threads
from bot.github.convert import convert_listed
from bot.github.details_mutation import add_by_mutation
from bot.github.lazy_objects import lazy_pull
from bot.github.merged_commits import merged_commits, pull_requests_of
from bot.github.metadata import LeftOut, detail_steps, read_approvers
from bot.github.publication_queries import (
    CheckKey,
    ReadAhead,
    checks_selection,
    ids_selection,
    read_absent_checks,
    read_ids,
)
from bot.github.pull_requests import list_pulls, open_pull, read_pull, update_pull
from bot.github.retrying_caller import sendable
from bot.github.translate_errors import translate_errors
from bot.github.verified_commits import upload_tree, write_signed
from bot.models import (
    CheckRunText,
    Comment,
    Details,
    ListedPullRequest,
    MergeMethod,
    PullRequest,
    ReviewThread,
    Sha,
)


class PullRequestClient(ConversationClient):
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

    def backport_pull_requests(self, heads: Sequence[str], base: str) -> tuple[PullRequest, ...]:
        """Return the pull requests from our branches `heads` into `base` in any state, newest first.

        With a fork these are those from the fork, and those from before it was configured.
        """

        def query() -> tuple[PullRequest, ...]:
            return self._read_heads(self._queries.read(heads_selection(heads, base)), heads)

        return self._by_query_or_rest(_listing(heads), query, lambda: self._rest_pulls(heads, base)) if heads else ()

    def comments_and_backports(
        self, number: int, heads: Sequence[str], base: str
    ) -> tuple[tuple[Comment, ...], tuple[PullRequest, ...]]:
        """Return what `comments` and `backport_pull_requests` do, as GitHub tells both at one time."""

        def query() -> tuple[tuple[Comment, ...], tuple[PullRequest, ...]]:
            data = self._queries.read(COMMENTS.of(number), heads_selection(heads, base))
            return self._note_comments(number, data), self._read_heads(data, heads)

        def by_rest() -> tuple[tuple[Comment, ...], tuple[PullRequest, ...]]:
            return self._rest_comments(number), self._rest_pulls(heads, base)

        return self._by_query_or_rest(f"read the comments of #{number} and {_listing(heads)}", query, by_rest)

    def _read_heads(self, data: Mapping[str, Any], heads: Sequence[str]) -> tuple[PullRequest, ...]:
        owners = {self._repository.owner.login, self._heads.owner.login}
        return read_heads(data, heads, self._login, owners=owners)

    def _rest_pulls(self, heads: Sequence[str], base: str) -> tuple[PullRequest, ...]:
        qualified = heads if self._fork is None else [*map(self._fork.qualify, heads), *heads]
        pulls = {pull.number: pull for head in qualified for pull in list_pulls(self._repository, head, base)}
        return tuple(sorted(pulls.values(), key=lambda pull: -pull.number))

    def open_pull_request(self, *, title: str, body: str, head: str, base: str, draft: bool) -> PullRequest:
        """Open a pull request, or bring the open one from `head` into `base` up to date."""
        pull, node = open_pull(
            self._repository,
            self._caller,
            title=title,
            body=body,
            head=head,
            base=base,
            draft=draft,
            fork=self._fork,
        )
        if node:
            self._ahead.pull_requests[pull.number] = node
        return pull

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
        notes, left_out = [], LeftOut(details.uncertain)
        details = self._add_by_mutation(pull_request, details, left_out)
        for step in detail_steps(self._repository, pull_request, details, left_out):
            error = self._caller.best_effort(f"{step.action} (#{pull_request.number})", step.request)
            if error is not None and step.consequence:
                notes.append(f"{step.consequence} {error.message} {error.hint}")
        return (*left_out.notes(), *notes)

    def approvers(self, number: int) -> tuple[str, ...]:
        """Return the people whose last word on a pull request was an approval, in the order of their reviews."""
        with translate_errors(f"read the reviews of #{number}"):
            return read_approvers(lazy_pull(self._repository, number))

    def _add_by_mutation(self, pull_request: PullRequest, details: Details, left_out: LeftOut) -> Details:
        """Add what one request can add, if it was read what it takes; returns what is left."""
        node = self._ahead.pull_requests.pop(pull_request.number, "")
        if not node:
            return details
        left = [details]

        def add() -> None:
            requester, ids = self._repository.requester, self._ahead.node_ids
            left[0] = add_by_mutation(requester, node, pull_request, details, ids, left_out)

        # What a refusal leaves is added by REST, which says for each thing why it is refused.
        self._caller.best_effort(f"add labels and people to #{pull_request.number}", add)
        return left[0]

    def write_check_run(self, sha: Sha, text: CheckRunText) -> None:
        """Create or update our check run of that name on a commit. Best effort: only GitHub Apps may have them."""
        if not self._ahead.may_write_checks:
            return
        is_absent = self._ahead.is_absent((sha, text.name))
        error = self._caller.best_effort(
            f"write the check run {text.name}",
            lambda: write_check_run(self._repository, sha, text, is_absent=is_absent),
        )
        # A token that may write one check run of a target branch may write the others, and else none.
        self._ahead.may_write_checks = not isinstance(error, Forbidden)

    def unresolved_threads(self, number: int) -> tuple[ReviewThread, ...]:
        """Return the review threads of a pull request that nobody resolved."""

        def read() -> tuple[ReviewThread, ...]:
            with translate_errors(f"read the review threads of #{number}"):
                return self._threads(number, self._queries.read(THREADS.of(number)))

        return self._caller.retry_once(read)

    def comments_and_threads(
        self, number: int, *, checks: Sequence[CheckKey], details: Details
    ) -> tuple[tuple[Comment, ...], tuple[ReviewThread, ...]]:
        """Return what `comments` and `unresolved_threads` do, as GitHub tells both at one time.

        The same request reads for the writes that follow whether these check runs are there, and the ids of the
        details. What it does not tell is looked for when it is written.
        """
        self._ahead = ReadAhead()

        def query() -> tuple[tuple[Comment, ...], tuple[ReviewThread, ...]]:
            # A backport is no worse without the threads.
            threads = replace(THREADS.of(number), optional_aliases=frozenset({THREADS.alias}))
            data = self._queries.read(COMMENTS.of(number), threads, checks_selection(checks), ids_selection(details))
            self._ahead = ReadAhead(read_absent_checks(data, checks), read_ids(data, details))
            return self._note_comments(number, data), self._threads(number, data) if THREADS.alias in data else ()

        def by_rest() -> tuple[tuple[Comment, ...], tuple[ReviewThread, ...]]:
            return self.comments(number), self.unresolved_threads(number)

        return self._by_query_or_rest(f"read the comments and review threads of #{number}", query, by_rest)

    def _threads(self, number: int, data: Mapping[str, Any]) -> tuple[ReviewThread, ...]:
        return read_threads(THREADS.read(data, number, self._queries))

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


def _listing(heads: Sequence[str]) -> str:
    return f"list pull requests from {' and '.join(heads)}"

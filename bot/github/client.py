"""The real door to GitHub: PyGithub, with care about what is sent twice.

What may be repeated at the wire is `bot.github.retry`'s to say. What makes something new is looked up first, and
looked up again after an answer that leaves its effect in doubt.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import quote, urlsplit

from github import Github
from github.Issue import Issue
from github.Repository import Repository as PyGithubRepository

from bot.environment.credentials import Account
from bot.errors import NotFound
from bot.git.objects import Entry
from bot.github.account import sign_in
from bot.github.check_runs import write_check_run
from bot.github.conversation import last_labelling, pull_requests_since, read_comments, was_edited
from bot.github.delivery import RetryingCaller, sendable
from bot.github.lazy import lazy_issue
from bot.github.merged_commits import merged_commits, pull_requests_of
from bot.github.metadata import Step, detail_steps
from bot.github.protocol import Reaction
from bot.github.pull_request_list import listed
from bot.github.pull_requests import list_pulls, open_pull, read_pull, update_pull
from bot.github.reactions import add_reaction, remove_reaction
from bot.github.retry import GitHubRetry
from bot.github.review_threads import unresolved_threads
from bot.github.translate import translate_errors
from bot.github.verified_commits import upload_tree, write_signed
from bot.github.workflow_runs import WorkflowRunsClient
from bot.models import (
    CheckRunText,
    Comment,
    Details,
    Labelling,
    ListedPullRequest,
    MergeMethod,
    PullRequest,
    ReviewThread,
    Sha,
)
from bot.text.logins import same_login

_ROLES = ("admin", "maintain", "write", "triage", "read")


class GitHubClient:
    """One repository, seen by the account that `token` belongs to, or by a GitHub App.

    `login` names that account where GitHub will not say (the token of a GitHub App or of a workflow run).
    `longest_wait` (seconds) bounds how long a rate limit is waited for before RateLimited is raised, `timeout` how long
    an answer is. `with_pauses` keeps the pauses between requests that GitHub asks for; loopback gets none.
    """

    def __init__(
        self,
        repository: str,
        *,
        token: Account,
        api_url: str,
        login: str | None = None,
        longest_wait: float = 120.0,
        timeout: int = 30,
        with_pauses: bool = True,
    ) -> None:
        pauses = with_pauses and urlsplit(api_url).hostname != "127.0.0.1"
        retry = GitHubRetry(longest_wait=longest_wait)
        signed_in = sign_in(token, repository, api_url=api_url, retry=retry)
        self._permissions = signed_in.permissions
        self._github = Github(
            auth=signed_in.auth,
            base_url=api_url,
            retry=retry,
            timeout=timeout,
            per_page=100,
            seconds_between_requests=0.25 if pauses else 0,
            seconds_between_writes=1.0 if pauses else 0,
        )
        self._caller = RetryingCaller(longest_wait)
        self._opened_again = partial(
            GitHubClient,
            repository,
            token=token,
            api_url=api_url,
            login=login,
            longest_wait=longest_wait,
            timeout=timeout,
            with_pauses=with_pauses,
        )
        with translate_errors(f"open repository {repository}"):
            self._repository: PyGithubRepository = self._github.get_repo(repository)
            self._login = signed_in.login or login or self._github.get_user().login

    def token(self) -> str:
        """Return the token of the moment, for git. An App's is made anew when it is due."""
        auth = self._github.requester.auth
        with translate_errors("make a token"):
            return auth.token if auth is not None else ""

    @contextmanager
    def for_another_thread(self) -> Iterator[GitHubClient]:
        """Return the same repository seen over connections of its own: those of one serve one thread."""
        client = self._opened_again()
        try:
            yield client
        finally:
            client.close()

    def close(self) -> None:
        """Close the connections."""
        self._github.close()

    @property
    def login(self) -> str:
        """The bot's own account name."""
        return self._login

    @property
    def clone_url(self) -> str:
        """The repository's git address, without credentials."""
        return self._repository.clone_url

    @property
    def default_branch(self) -> str:
        """The branch that pull requests are merged into by default, as GitHub says now: people rename it."""
        self.refresh()
        return self._repository.default_branch

    @property
    def repository(self) -> str:
        """The repository's name, as owner/name."""
        return self._repository.full_name

    @property
    def repository_id(self) -> int:
        """What GitHub knows the repository by, whatever its name."""
        return self._repository.id

    def refresh(self) -> None:
        """Ask GitHub for the repository as it is now. After a renaming GitHub leads on from the old name."""
        with translate_errors(f"read the repository {self._repository.full_name}"):
            self._repository.update()

    def read_file(self, path: str) -> bytes | None:
        """Return a file of the default branch, or None where there is none."""
        try:
            with translate_errors(f"read {path}"):
                found = self._repository.get_contents(path)
        except NotFound:
            return None
        return None if isinstance(found, list) else found.decoded_content

    def comment_delivery(self, comment_id: int) -> Mapping[str, Any]:
        """Return a comment as the last webhook delivery about it told of it; raises NotFound where there is none."""
        with translate_errors(f"read comment {comment_id}"):
            _, comment = self._repository.requester.requestJsonAndCheck(
                "GET", f"{self._repository.url}/issues/comments/{comment_id}"
            )
            _, issue = self._repository.requester.requestJsonAndCheck("GET", comment["issue_url"])
        edited = comment["updated_at"] != comment["created_at"] or self._was_edited(comment_id, comment["node_id"])
        return {
            "action": "edited" if edited else "created",
            "repository": {"full_name": self.repository},
            "issue": issue,
            "comment": comment,
        }

    def workflow_runs(self) -> WorkflowRunsClient:
        """Return the workflow runs of the repository, to dispatch and to look at."""
        return WorkflowRunsClient(self._repository)

    def pull_request(self, number: int) -> PullRequest:
        """Return a pull request; raises NotFound where there is none."""
        return read_pull(self._repository, number)

    def permission(self, login: str) -> str:
        """Return a person's permission on the repository; "none" for somebody GitHub does not know there."""
        try:
            with translate_errors(f"read the permission of {login}"):
                role = self._repository.get_collaborator_role_name(login)
                # An organisation's own role has a name of its own; GitHub then says which level it amounts to.
                return role if role in _ROLES else self._repository.get_collaborator_permission(login)
        except NotFound:
            return "none"

    def in_team(self, team: str, login: str) -> bool:
        """Say whether a person is a member of a team (its slug) of the repository's organisation."""
        url = f"/orgs/{self._repository.owner.login}/teams/{quote(team, safe='')}/memberships/{quote(login, safe='')}"
        try:
            with translate_errors(f"read the membership of {login} in {team}"):
                _, membership = self._repository.requester.requestJsonAndCheck("GET", url)
        except NotFound:
            return False
        return isinstance(membership, dict) and membership.get("state") == "active"

    def merged_commits(self, original: PullRequest) -> tuple[MergeMethod, tuple[Sha, ...]]:
        """Return how the pull request was merged and the commits that reached the base branch, by GitHub's record."""
        with translate_errors(f"read the merged commits of #{original.number}"):
            return merged_commits(self._repository, original)

    def pull_requests_of(self, commit: Sha) -> frozenset[int]:
        """Return the merged pull requests that a commit is recorded to have come by; none where there is no record."""
        with translate_errors(f"read where {commit[:12]} came from"):
            return pull_requests_of(self._repository, commit)

    def backport_pull_requests(self, head: str, base: str) -> tuple[PullRequest, ...]:
        """Return the pull requests from our branch `head` into `base` in any state, newest first."""
        return list_pulls(self._repository, head, base)

    def open_pull_request(self, *, title: str, body: str, head: str, base: str, draft: bool) -> PullRequest:
        """Open a pull request, or bring the open one from `head` into `base` up to date."""
        return open_pull(self._repository, self._caller, title=title, body=body, head=head, base=base, draft=draft)

    def update_pull_request(self, existing: PullRequest, *, title: str, body: str, draft: bool) -> PullRequest:
        """Give a pull request of ours these texts and this state; costs nothing where it has them."""
        return update_pull(self._repository, self._caller, existing, title=title, body=body, draft=draft)

    def add_details(self, number: int, details: Details) -> tuple[str, ...]:
        """Label, assign and so on. Best effort: what GitHub refuses is logged and costs nothing else.

        Returns sentences about what was refused and people count on.
        """
        steps: list[Step] = []
        self._caller.best_effort(
            f"read #{number}", lambda: steps.extend(detail_steps(self._repository, number, details))
        )
        notes = []
        for step in steps:
            error = self._caller.best_effort(f"{step.action} (#{number})", step.request)
            if error is not None and step.missed:
                notes.append(f"{step.missed} {error.message} {error.hint}")
        return tuple(notes)

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

    def upload_tree(self, base_tree: Sha, changes: Mapping[str, Entry | None], contents: Mapping[Sha, bytes]) -> Sha:
        """Store the tree that differs from one that GitHub has in these entries; `contents` are those of new blobs."""

        def upload() -> Sha:
            with translate_errors("store the files of a commit"):
                return upload_tree(self._repository, base_tree, changes, contents)

        return self._caller.retry_once(upload)

    def write_signed(self, tree: Sha, parent: Sha, message: str) -> Sha:
        """Let GitHub write and sign a commit in the name of the bot's account. No ref comes to point at it."""

        def write() -> Sha:
            with translate_errors("write a commit"):
                return write_signed(self._repository, tree, parent, sendable(message))

        # A commit written twice is one that nothing refers to: GitHub forgets it.
        return self._caller.retry_once(write)

    def may_push_workflows(self) -> bool:
        """Say whether the token may push changes under .github/workflows; true where GitHub does not tell.

        Of an App's installation GitHub names the permissions, of a classic token the scopes, of other tokens nothing.
        """
        if self._permissions is not None:
            return self._permissions.get("workflows") == "write"
        scopes = self._github.oauth_scopes
        return not scopes or "workflow" in scopes

    def comments(self, number: int) -> tuple[Comment, ...]:
        """Return the whole conversation of a pull request, oldest first."""
        with translate_errors(f"read the comments of #{number}"):
            return read_comments(self._repository, number)

    def was_edited(self, comment: Comment) -> bool:
        """Say whether anybody edited a comment since it was written, be it within the same second."""
        return comment.edited or self._was_edited(comment.id, comment.node)

    def _was_edited(self, comment_id: int, node: str) -> bool:
        def read() -> bool:
            with translate_errors(f"read when comment {comment_id} was edited"):
                return was_edited(self._repository, node)

        return self._caller.retry_once(read)

    def last_labelling(self, number: int, label: str) -> Labelling | None:
        """Return who last put a label on a pull request, and when; None for a bot, or where nobody did."""
        with translate_errors(f"read the history of #{number}"):
            return last_labelling(self._repository, number, label)

    def changed_since(self, moment: datetime) -> Iterable[int]:
        """Yield the pull requests that anything happened on since then, the last changed first."""
        with translate_errors("list what changed"):
            yield from pull_requests_since(self._repository, moment)

    def write_comment(self, number: int, body: str, *, marker: str) -> int:
        """Create the bot's comment that begins with `marker`, or replace its body; returns the comment's id."""
        body = sendable(body)

        def find() -> int | None:
            with translate_errors(f"read the comments of #{number}"):
                for comment in self._issue(number).get_comments():
                    # Of an account that is gone GitHub names no user.
                    own = comment.user is not None and same_login(comment.user.login, self._login)
                    if own and (comment.body or "").startswith(marker):
                        if comment.body != body:
                            comment.edit(body)
                        return comment.id
            return None

        def create() -> int:
            with translate_errors(f"comment on #{number}"):
                comment = self._issue(number).create_comment(body)
            # GitHub knows whose token this is. Of an App, a configuration may name the slug without its "[bot]".
            self._login = comment.user.login if comment.user is not None else self._login
            return comment.id

        return self._caller.find_or_create(find, create)

    def react(self, comment_id: int, reaction: Reaction, *, instead_of: Reaction | None = None) -> None:
        """Add a reaction to a comment, and take one back. Best effort: a refusal is logged, not raised."""

        def change() -> None:
            add_reaction(self._repository, comment_id, reaction)
            if instead_of is not None:
                remove_reaction(self._repository, comment_id, instead_of, login=self._login)

        self._caller.best_effort(f"react to comment {comment_id}", change)

    def changed_pull_requests(self) -> Iterator[ListedPullRequest]:
        """Yield every pull request, the latest change first; a page is asked for when it is needed."""
        with translate_errors("list pull requests"):
            for forge in self._repository.get_pulls(state="all", sort="updated", direction="desc"):
                yield listed(forge)

    def issues_labelled(self, label: str) -> frozenset[int]:
        """Return the numbers of the issues, open or closed, that have a label."""
        with translate_errors(f"list issues labelled {label}"):
            found = self._repository.get_issues(state="all", labels=[label])
            return frozenset(issue.number for issue in found if issue.pull_request is None)

    def write_issue(self, *, title: str, body: str, marker: str) -> int:
        """Create the bot's issue that begins with `marker`, or give it this title and body; returns its number."""
        title, body = sendable(title), sendable(body)

        def find() -> int | None:
            with translate_errors("look for the tracking issue"):
                author = self._github.get_user(self._login)
                for issue in self._repository.get_issues(state="all", creator=author):
                    if issue.pull_request is None and (issue.body or "").startswith(marker):
                        if (issue.title, issue.body) != (title, body):
                            issue.edit(title=title, body=body)
                        return issue.number
            return None

        def create() -> int:
            with translate_errors("open the tracking issue"):
                return self._repository.create_issue(title, body=body).number

        return self._caller.find_or_create(find, create)

    def _issue(self, number: int) -> Issue:
        return lazy_issue(self._repository, number)

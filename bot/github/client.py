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
from github.Repository import Repository as ForgeRepository

from bot.environment.credentials import Account
from bot.errors import NotFound
from bot.git.objects import Entry
from bot.github.account import sign_in
from bot.github.check_runs import write_check_run
from bot.github.conversation import last_labelling, pull_requests_since, read_comments, was_edited
from bot.github.delivery import Sender, sendable
from bot.github.lazy import unread_issue
from bot.github.merged_commits import merged_commits, pull_requests_of
from bot.github.metadata import Step, detail_steps
from bot.github.protocol import Reaction
from bot.github.pull_request_list import listed
from bot.github.pull_requests import list_pulls, open_pull, read_pull, update_pull
from bot.github.reactions import add_reaction, remove_reaction
from bot.github.retry import Patience
from bot.github.review_threads import unresolved_threads
from bot.github.translate import translated
from bot.github.verified_commits import upload_tree, write_signed
from bot.github.workflow_runs import ForgeWorkflowRuns
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
    an answer is. `paced` keeps the pauses between requests that GitHub asks for; a server on loopback asks for none.
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
        paced: bool = True,
    ) -> None:
        pauses = paced and urlsplit(api_url).hostname != "127.0.0.1"
        patience = Patience(longest_wait=longest_wait)
        signed_in = sign_in(token, repository, api_url=api_url, patience=patience)
        self._permissions = signed_in.permissions
        self._github = Github(
            auth=signed_in.auth,
            base_url=api_url,
            retry=patience,
            timeout=timeout,
            per_page=100,
            seconds_between_requests=0.25 if pauses else 0,
            seconds_between_writes=1.0 if pauses else 0,
        )
        self._send = Sender(longest_wait)
        self._opened_again = partial(
            GitHubClient,
            repository,
            token=token,
            api_url=api_url,
            login=login,
            longest_wait=longest_wait,
            timeout=timeout,
            paced=paced,
        )
        with translated(f"open repository {repository}"):
            self._repository: ForgeRepository = self._github.get_repo(repository)
            self._login = signed_in.login or login or self._github.get_user().login

    def token(self) -> str:
        """Return the token of the moment, for git. An App's is made anew when it is due."""
        auth = self._github.requester.auth
        with translated("make a token"):
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
        self.read_anew()
        return self._repository.default_branch

    @property
    def repository(self) -> str:
        """The repository's name, as owner/name."""
        return self._repository.full_name

    @property
    def repository_id(self) -> int:
        """What GitHub knows the repository by, whatever its name."""
        return self._repository.id

    def read_anew(self) -> None:
        """Ask GitHub for the repository as it is now. After a renaming GitHub leads on from the old name."""
        with translated(f"read the repository {self._repository.full_name}"):
            self._repository.update()

    def read_file(self, path: str) -> bytes | None:
        """Return a file of the default branch, or None where there is none."""
        try:
            with translated(f"read {path}"):
                found = self._repository.get_contents(path)
        except NotFound:
            return None
        return None if isinstance(found, list) else found.decoded_content

    def comment_delivery(self, comment_id: int) -> Mapping[str, Any]:
        """Return a comment as the last webhook delivery about it told of it; raises NotFound where there is none."""
        with translated(f"read comment {comment_id}"):
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

    def workflow_runs(self) -> ForgeWorkflowRuns:
        """Return the workflow runs of the repository, to dispatch and to look at."""
        return ForgeWorkflowRuns(self._repository)

    def pull_request(self, number: int) -> PullRequest:
        """Return a pull request; raises NotFound where there is none."""
        return read_pull(self._repository, number)

    def permission(self, login: str) -> str:
        """Return a person's permission on the repository; "none" for somebody GitHub does not know there."""
        try:
            with translated(f"read the permission of {login}"):
                role = self._repository.get_collaborator_role_name(login)
                # An organisation's own role has a name of its own; GitHub then says which level it amounts to.
                return role if role in _ROLES else self._repository.get_collaborator_permission(login)
        except NotFound:
            return "none"

    def in_team(self, team: str, login: str) -> bool:
        """Say whether a person is a member of a team (its slug) of the repository's organisation."""
        url = f"/orgs/{self._repository.owner.login}/teams/{quote(team, safe='')}/memberships/{quote(login, safe='')}"
        try:
            with translated(f"read the membership of {login} in {team}"):
                _, membership = self._repository.requester.requestJsonAndCheck("GET", url)
        except NotFound:
            return False
        return isinstance(membership, dict) and membership.get("state") == "active"

    def merged_commits(self, original: PullRequest) -> tuple[MergeMethod, tuple[Sha, ...]]:
        """Return how the pull request was merged and the commits that reached the base branch, by GitHub's record."""
        with translated(f"read the merged commits of #{original.number}"):
            return merged_commits(self._repository, original)

    def pull_requests_of(self, commit: Sha) -> frozenset[int]:
        """Return the merged pull requests that a commit is recorded to have come by; none where there is no record."""
        with translated(f"read where {commit[:12]} came from"):
            return pull_requests_of(self._repository, commit)

    def backport_pull_requests(self, head: str, base: str) -> tuple[PullRequest, ...]:
        """Return the pull requests from our branch `head` into `base` in any state, newest first."""
        return list_pulls(self._repository, head, base)

    def open_pull_request(self, *, title: str, body: str, head: str, base: str, draft: bool) -> PullRequest:
        """Open a pull request, or bring the open one from `head` into `base` up to date."""
        return open_pull(self._repository, self._send, title=title, body=body, head=head, base=base, draft=draft)

    def update_pull_request(self, standing: PullRequest, *, title: str, body: str, draft: bool) -> PullRequest:
        """Give a pull request of ours these texts and this state; costs nothing where it has them."""
        return update_pull(self._repository, self._send, standing, title=title, body=body, draft=draft)

    def add_details(self, number: int, details: Details) -> tuple[str, ...]:
        """Label, assign and so on. Best effort: what GitHub refuses is logged and costs nothing else.

        Returns sentences about what was refused and people count on.
        """
        steps: list[Step] = []
        self._send.best_effort(f"read #{number}", lambda: steps.extend(detail_steps(self._repository, number, details)))
        notes = []
        for step in steps:
            error = self._send.best_effort(f"{step.action} (#{number})", step.request)
            if error is not None and step.missed:
                notes.append(f"{step.missed} {error.message} {error.hint}")
        return tuple(notes)

    def write_check_run(self, sha: Sha, text: CheckRunText) -> None:
        """Create or update our check run of that name on a commit. Best effort: only GitHub Apps may have them."""
        self._send.best_effort(f"write the check run {text.name}", lambda: write_check_run(self._repository, sha, text))

    def unresolved_threads(self, number: int) -> tuple[ReviewThread, ...]:
        """Return the review threads of a pull request that nobody resolved."""

        def read() -> tuple[ReviewThread, ...]:
            with translated(f"read the review threads of #{number}"):
                return tuple(unresolved_threads(self._repository, number))

        return self._send.twice(read)

    def upload_tree(self, base_tree: Sha, changes: Mapping[str, Entry | None], contents: Mapping[Sha, bytes]) -> Sha:
        """Store the tree that differs from one that GitHub has in these entries; `contents` are those of new blobs."""

        def upload() -> Sha:
            with translated("store the files of a commit"):
                return upload_tree(self._repository, base_tree, changes, contents)

        return self._send.twice(upload)

    def write_signed(self, tree: Sha, parent: Sha, message: str) -> Sha:
        """Let GitHub write and sign a commit in the name of the bot's account. No ref comes to point at it."""

        def write() -> Sha:
            with translated("write a commit"):
                return write_signed(self._repository, tree, parent, sendable(message))

        # A commit written twice is one that nothing refers to: GitHub forgets it.
        return self._send.twice(write)

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
        with translated(f"read the comments of #{number}"):
            return read_comments(self._repository, number)

    def was_edited(self, comment: Comment) -> bool:
        """Say whether anybody edited a comment since it was written, be it within the same second."""
        return comment.edited or self._was_edited(comment.id, comment.node)

    def _was_edited(self, comment_id: int, node: str) -> bool:
        def read() -> bool:
            with translated(f"read when comment {comment_id} was edited"):
                return was_edited(self._repository, node)

        return self._send.twice(read)

    def last_labelling(self, number: int, label: str) -> Labelling | None:
        """Return who last put a label on a pull request, and when; None for a bot, or where nobody did."""
        with translated(f"read the history of #{number}"):
            return last_labelling(self._repository, number, label)

    def changed_since(self, moment: datetime) -> Iterable[int]:
        """Yield the pull requests that anything happened on since then, the last changed first."""
        with translated("list what changed"):
            yield from pull_requests_since(self._repository, moment)

    def write_comment(self, number: int, body: str, *, marker: str) -> int:
        """Create the bot's comment that begins with `marker`, or replace its body; returns the comment's id."""
        body = sendable(body)

        def find() -> int | None:
            with translated(f"read the comments of #{number}"):
                for comment in self._issue(number).get_comments():
                    # Of an account that is gone GitHub names no user.
                    own = comment.user is not None and same_login(comment.user.login, self._login)
                    if own and (comment.body or "").startswith(marker):
                        if comment.body != body:
                            comment.edit(body)
                        return comment.id
            return None

        def create() -> int:
            with translated(f"comment on #{number}"):
                comment = self._issue(number).create_comment(body)
            # GitHub knows whose token this is. Of an App, a configuration may name the slug without its "[bot]".
            self._login = comment.user.login if comment.user is not None else self._login
            return comment.id

        return self._send.find_or_create(find, create)

    def react(self, comment_id: int, reaction: Reaction, *, instead_of: Reaction | None = None) -> None:
        """Add a reaction to a comment, and take one back. Best effort: a refusal is logged, not raised."""

        def change() -> None:
            add_reaction(self._repository, comment_id, reaction)
            if instead_of is not None:
                remove_reaction(self._repository, comment_id, instead_of, login=self._login)

        self._send.best_effort(f"react to comment {comment_id}", change)

    def changed_pull_requests(self) -> Iterator[ListedPullRequest]:
        """Yield every pull request, the latest change first; a page is asked for when it is needed."""
        with translated("list pull requests"):
            for forge in self._repository.get_pulls(state="all", sort="updated", direction="desc"):
                yield listed(forge)

    def issues_labelled(self, label: str) -> frozenset[int]:
        """Return the numbers of the issues, open or closed, that have a label."""
        with translated(f"list issues labelled {label}"):
            found = self._repository.get_issues(state="all", labels=[label])
            return frozenset(issue.number for issue in found if issue.pull_request is None)

    def write_issue(self, *, title: str, body: str, marker: str) -> int:
        """Create the bot's issue that begins with `marker`, or give it this title and body; returns its number."""
        title, body = sendable(title), sendable(body)

        def find() -> int | None:
            with translated("look for the tracking issue"):
                author = self._github.get_user(self._login)
                for issue in self._repository.get_issues(state="all", creator=author):
                    if issue.pull_request is None and (issue.body or "").startswith(marker):
                        if (issue.title, issue.body) != (title, body):
                            issue.edit(title=title, body=body)
                        return issue.number
            return None

        def create() -> int:
            with translated("open the tracking issue"):
                return self._repository.create_issue(title, body=body).number

        return self._send.find_or_create(find, create)

    def _issue(self, number: int) -> Issue:
        return unread_issue(self._repository, number)

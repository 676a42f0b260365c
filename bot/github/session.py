"""One account's connection to one repository. It signs in, and holds the objects that every call needs.

`bot.github.http_retry` decides which HTTP requests are repeated. A call that creates an object looks for it first, and
again after an answer that leaves the effect in doubt.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal, Self, TypeVar
from urllib.parse import urlsplit

from github import Github
from github.Repository import Repository as PyGithubRepository
from github.Requester import Requester

from bot.environment.credentials import Account
from bot.errors import ConfigError, NotFound
from bot.github.account import sign_in
from bot.github.counted_requester import CountedRequester, Pace
from bot.github.fork import Fork
from bot.github.graphql import NotByGraphQL, RepositoryQueries
from bot.github.http_retry import Gate, GitHubRetry
from bot.github.own_comments import OwnComments
from bot.github.publication_queries import ReadAhead
from bot.github.rate_limits import Budget
from bot.github.retrying_caller import RetryingCaller
from bot.github.translate_errors import translate_errors
from bot.text.logins import is_shared

log = logging.getLogger(__name__)

T = TypeVar("T")


class GitHubSession:
    """One repository, seen by the account that `token` belongs to, or by a GitHub App.

    `login` names the account if GitHub does not (the token of a GitHub App or of a workflow run). `longest_wait`
    (seconds) bounds the waiting for a rate limit, after which RateLimited is raised; `timeout` that for an answer.
    `with_pauses` keeps the pauses between requests that GitHub asks for; loopback gets none. `pace` keeps them over
    several clients instead.
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
        pace: Pace | None = None,
    ) -> None:
        pauses = with_pauses and pace is None and urlsplit(api_url).hostname != "127.0.0.1"
        self._gate = gate = Gate()
        retry = GitHubRetry(longest_wait=longest_wait, gate=gate)
        signed_in = sign_in(token, repository, api_url=api_url, retry=retry)
        self._permissions = signed_in.permissions
        self._github = Github(
            auth=signed_in.auth,
            base_url=api_url,
            retry=retry,
            timeout=timeout,
            # The most that GitHub gives: fewer requests count against the limit.
            per_page=100,
            # GitHub asks for a second between requests that write, and for none at the same time:
            # https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api
            seconds_between_requests=0,
            seconds_between_writes=1.0 if pauses else 0,
        )
        # A query only reads: it may be repeated, and needs no pause.
        retry = GitHubRetry(longest_wait=longest_wait, gate=gate, allowed_methods=None)
        reading = {"retry": retry, "seconds_between_writes": 0}
        self._reader = CountedRequester(gate, **self._github.requester.kwargs | reading)
        self._writer = CountedRequester(gate, pace, **self._github.requester.kwargs)
        self._caller = RetryingCaller(longest_wait)
        self._fork: Fork | None = None
        self._arguments: Mapping[str, Any] = {
            "repository": repository,
            "token": token,
            "api_url": api_url,
            "login": login,
            "longest_wait": longest_wait,
            "timeout": timeout,
            "with_pauses": with_pauses,
            "pace": pace,
        }
        with translate_errors(f"open repository {repository}"):
            found = self._github.get_repo(repository)
            self._repository = PyGithubRepository(self._writer, found.raw_headers, found.raw_data)
            # GET /user is refused to Apps and to the token of a workflow run, so their login has to be given.
            self._login = signed_in.login or login or self._github.get_user().login
        self._queries = RepositoryQueries(self._repository, self._reader)
        # What answers told beside what was asked for. It saves a later request, and decides nothing.
        self._own = OwnComments()
        self._ahead = ReadAhead()
        self._last_reaction: tuple[int, str] | None = None

    def _by_query_or_rest(self, action: str, query: Callable[[], T], by_rest: Callable[[], T]) -> T:
        """Read by GraphQL; by REST, which takes more requests, what GraphQL does not tell."""

        def read() -> T:
            with translate_errors(action):
                return query()

        try:
            return self._caller.retry_once(read)
        except NotByGraphQL:
            log.info("GraphQL does not tell enough to %s, so REST is asked.", action)
            return by_rest()

    def token(self) -> str:
        """Return the present token, for git. An App's is renewed when it is due."""
        auth = self._github.requester.auth
        with translate_errors("make a token"):
            return auth.token if auth is not None else ""

    @property
    def requests_sent(self) -> int:
        """How many requests were sent so far."""
        return self._writer.sent + self._reader.sent

    def budgets(self) -> Iterator[Budget]:
        """See `GitHub`."""
        requesters: tuple[tuple[Literal["rest", "graphql"], Requester], ...]
        requesters = ("rest", self._writer), ("graphql", self._reader)
        for api, requester in requesters:
            left, limit = requester.rate_limiting
            if limit > 0:  # PyGithub has -1 before the first answer
                yield Budget(api=api, left=left, limit=limit, reset=requester.rate_limiting_resettime)

    def use_fork(self, name: str, *, can_modify: bool) -> str:
        """Let our branches be those of a fork from now on; returns the fork's git address.

        Raises:
            ConfigError: it cannot be seen, or is no fork of the repository.
        """
        try:
            with translate_errors(f"open the fork {name}"):
                fork = Fork(self._github.get_repo(name), can_modify)
                is_ours = fork.is_of(self._repository)
        except NotFound as error:
            raise ConfigError(
                f"`publish.fork` is {name}, which this token cannot see. {error.message}", hint=error.hint
            ) from error
        if not is_ours:
            raise ConfigError(
                f"`publish.fork` is {name}, which is no fork of {self.repository}; nothing was done.",
                hint="Fork the repository with the bot's account, and name that fork.",
            )
        self._fork = fork
        return fork.repository.clone_url

    @contextmanager
    def for_another_thread(self) -> Iterator[Self]:
        """Return the same repository over other connections: one client's connections serve one thread."""
        client = type(self)(**self._arguments)
        client._fork = self._fork
        try:
            yield client
        finally:
            client.close()

    @contextmanager
    def checking_first(self, check: Callable[[], None]) -> Iterator[None]:
        """See `GitHub`."""
        usual_check, self._gate.check = self._gate.check, check
        try:
            yield
        finally:
            self._gate.check = usual_check

    def close(self) -> None:
        """Close the connections."""
        for connections in (self._github, self._reader, self._writer):
            connections.close()

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
        """GitHub's number for the repository, which a renaming does not change."""
        return self._repository.id

    def refresh(self) -> None:
        """Ask GitHub for the repository as it is now. After a renaming GitHub leads on from the old name."""
        with translate_errors(f"read the repository {self._repository.full_name}"):
            self._repository.update()

    def may_push_workflows(self) -> bool:
        """Say whether the token may push changes under .github/workflows; true if that cannot be known.

        GitHub names an App installation's permissions and a classic token's scopes, and nothing of a fine-grained token
        or of an installation's token without its App. The token of a workflow run never may:
        https://docs.github.com/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps
        https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#permissions
        """
        if self._permissions is not None:
            return self._permissions.get("workflows") == "write"
        # Of all that a workflow's `permissions:` can give to it, none is for workflow files.
        if is_shared(self._login):
            return False
        scopes = [scope for scope in self._github.oauth_scopes or () if scope]
        return not scopes or "workflow" in scopes

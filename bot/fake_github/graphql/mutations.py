"""The GraphQL mutations: drafts and auto-merge."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphql import GraphQLResolveInfo

from bot.fake_github.accounts import Level
from bot.fake_github.conversation import Issue, Pull
from bot.fake_github.events import pull_request_event
from bot.fake_github.graphql import values
from bot.fake_github.graphql.nodes import Nodes
from bot.fake_github.graphql.paging import Values, rejection
from bot.fake_github.merging import MergeRejected, order_merge
from bot.fake_github.repository_records import Repository

Mutation = Callable[..., Values]


class Mutations:
    """The mutations that one caller may use."""

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes
        self._world = nodes.world
        self._user = nodes.token.user

    def table(self) -> dict[str, Mutation]:
        """Return the mutations by name."""
        return {
            "convertPullRequestToDraft": lambda info, input: self._set_draft(info, input, draft=True),  # noqa: A006
            "markPullRequestReadyForReview": lambda info, input: self._set_draft(info, input, draft=False),  # noqa: A006
            "enablePullRequestAutoMerge": self._enable_auto_merge,
        }

    def _need_write(self, repository: Repository, verb: str) -> None:
        if self._nodes.level(repository) < Level.WRITE:
            login = self._user.login
            raise rejection("FORBIDDEN", f"{login} does not have the correct permissions to execute `{verb}`")

    def _set_draft(self, info: GraphQLResolveInfo[Any], fields: dict[str, Any], *, draft: bool) -> Values:
        repository, issue, pull = self._nodes.pull(fields["pullRequestId"])
        if issue.user is not self._user:
            self._need_write(repository, info.field_name)
        if pull.draft == draft:
            state = "already a draft" if draft else "not in a draft state"
            raise rejection("UNPROCESSABLE", f"Pull request is {state}")
        if draft and not repository.drafts:
            raise rejection("UNPROCESSABLE", "Draft pull requests are not supported in this repository.")
        pull.draft = draft
        self._world.note(issue, "convert_to_draft" if draft else "ready_for_review", self._user)
        action = "converted_to_draft" if draft else "ready_for_review"
        pull_request_event(self._world, repository, issue, action, self._user)
        return self._payload(fields, repository, issue, pull)

    def _enable_auto_merge(self, info: GraphQLResolveInfo[Any], input: dict[str, Any]) -> Values:  # noqa: A002
        repository, issue, pull = self._nodes.pull(input["pullRequestId"])
        self._need_write(repository, info.field_name)
        head = input.get("expectedHeadOid")
        if head and head != pull.head_sha:
            raise rejection("UNPROCESSABLE", "Head branch was modified. Review and try again.")
        try:
            order_merge(self._world, repository, issue, input["mergeMethod"].lower(), self._user)
        except MergeRejected as error:
            raise rejection("UNPROCESSABLE", str(error)) from None
        return self._payload(input, repository, issue, pull)

    def _payload(self, fields: dict[str, Any], repository: Repository, issue: Issue, pull: Pull) -> Values:
        return {
            "clientMutationId": fields.get("clientMutationId"),
            "pullRequest": values.pull_request(self._world, repository, issue, pull),
        }

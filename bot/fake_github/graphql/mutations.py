"""The GraphQL mutations: drafts, auto-merge, and what a pull request has beside its text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphql import GraphQLResolveInfo

from bot.fake_github.accounts import Level
from bot.fake_github.conversation import Issue, Pull
from bot.fake_github.details import ReviewRejected, add_label, assign, request_review
from bot.fake_github.events import pull_request_event
from bot.fake_github.graphql.nodes import Nodes
from bot.fake_github.graphql.paging import Values, rejection
from bot.fake_github.graphql.values import Viewer
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
            "addLabelsToLabelable": self._add_labels,
            "addAssigneesToAssignable": self._assign,
            "requestReviews": self._request_reviews,
            "updatePullRequest": self._set_milestone,
        }

    def _need_write(self, repository: Repository, verb: str) -> None:
        self._need(Level.WRITE, repository, verb)

    def _need(self, level: Level, repository: Repository, verb: str) -> None:
        if self._nodes.level(repository) < level:
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

    def _add_labels(self, info: GraphQLResolveInfo[Any], input: dict[str, Any]) -> Values:  # noqa: A002
        repository, issue, pull = self._nodes.pull(input["labelableId"])
        self._need(Level.TRIAGE, repository, info.field_name)
        for label in [self._nodes.label(repository, node) for node in input["labelIds"]]:
            add_label(self._world, repository, issue, label, self._user)
        return self._payload(input, repository, issue, pull)

    def _assign(self, info: GraphQLResolveInfo[Any], input: dict[str, Any]) -> Values:  # noqa: A002
        repository, issue, pull = self._nodes.pull(input["assignableId"])
        self._need(Level.TRIAGE, repository, info.field_name)
        assign(self._world, repository, issue, [self._nodes.user(node) for node in input["assigneeIds"]], self._user)
        return self._payload(input, repository, issue, pull)

    def _request_reviews(self, info: GraphQLResolveInfo[Any], input: dict[str, Any]) -> Values:  # noqa: A002
        repository, issue, pull = self._nodes.pull(input["pullRequestId"])
        self._need_write(repository, info.field_name)
        users = [self._nodes.user(node) for node in input.get("userIds") or ()]
        if not input.get("union"):
            pull.requested_reviewers = [user for user in pull.requested_reviewers if user in users]
        try:
            request_review(self._world, repository, issue, users, self._user)
        except ReviewRejected as error:
            raise rejection("UNPROCESSABLE", str(error)) from None
        return self._payload(input, repository, issue, pull)

    def _set_milestone(self, info: GraphQLResolveInfo[Any], input: dict[str, Any]) -> Values:  # noqa: A002
        repository, issue, pull = self._nodes.pull(input["pullRequestId"])
        self._need(Level.TRIAGE, repository, info.field_name)
        if input.get("milestoneId"):
            issue.milestone = self._nodes.milestone(repository, input["milestoneId"])
        return self._payload(input, repository, issue, pull)

    def _payload(self, fields: dict[str, Any], repository: Repository, issue: Issue, pull: Pull) -> Values:
        pull_request = Viewer(self._world, self._user).pull_request(repository, issue, pull)
        return {
            "clientMutationId": fields.get("clientMutationId"),
            "pullRequest": pull_request,
            "assignable": pull_request,
        }

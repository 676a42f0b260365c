"""What GraphQL changes: drafts, auto-merge, review threads, minimized comments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphql import GraphQLResolveInfo

from bot.fake_github.accounts import Level
from bot.fake_github.conversation import Issue
from bot.fake_github.events import issue_event
from bot.fake_github.graphql import values
from bot.fake_github.graphql.nodes import Nodes
from bot.fake_github.graphql.paging import Values, refused
from bot.fake_github.merging import MergeRefused, order_merge
from bot.fake_github.state import Repository

Mutation = Callable[..., Values]


class Mutations:
    """The mutations as one caller may use them."""

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
            "disablePullRequestAutoMerge": self._disable_auto_merge,
            "resolveReviewThread": lambda info, input: self._set_resolved(info, input, resolved=True),  # noqa: A006
            "unresolveReviewThread": lambda info, input: self._set_resolved(info, input, resolved=False),  # noqa: A006
            "minimizeComment": self._minimize,
        }

    def _need_write(self, repository: Repository, verb: str) -> None:
        if self._nodes.level(repository) < Level.WRITE:
            who = self._user.login
            raise refused("FORBIDDEN", f"{who} does not have the correct permissions to execute `{verb}`")

    def _set_draft(self, info: GraphQLResolveInfo[Any], given: dict[str, Any], *, draft: bool) -> Values:
        here, issue, pull = self._nodes.pull(given["pullRequestId"])
        if issue.user is not self._user:
            self._need_write(here, info.field_name)
        if pull.draft == draft:
            state = "already a draft" if draft else "not in a draft state"
            raise refused("UNPROCESSABLE", f"Pull request is {state}")
        if draft and not here.drafts:
            raise refused("UNPROCESSABLE", "Draft pull requests are not supported in this repository.")
        pull.draft = draft
        self._world.note(issue, "convert_to_draft" if draft else "ready_for_review", self._user)
        issue_event(self._world, here, issue, "converted_to_draft" if draft else "ready_for_review", self._user)
        return self._answer(given, here, issue)

    def _enable_auto_merge(self, info: GraphQLResolveInfo[Any], input: dict[str, Any]) -> Values:  # noqa: A002
        here, issue, pull = self._nodes.pull(input["pullRequestId"])
        self._need_write(here, info.field_name)
        expected = input.get("expectedHeadOid")
        if expected and expected != pull.head_sha:
            raise refused("UNPROCESSABLE", "Head branch was modified. Review and try again.")
        method, title, body = input["mergeMethod"].lower(), input.get("commitHeadline"), input.get("commitBody")
        try:
            order_merge(self._world, here, issue, method, self._user, title or "", body or "")
        except MergeRefused as error:
            raise refused("UNPROCESSABLE", str(error)) from None
        return self._answer(input, here, issue)

    def _disable_auto_merge(self, info: GraphQLResolveInfo[Any], input: dict[str, Any]) -> Values:  # noqa: A002
        here, issue, pull = self._nodes.pull(input["pullRequestId"])
        self._need_write(here, info.field_name)
        if pull.auto_merge is None:
            raise refused("UNPROCESSABLE", "Can't disable auto-merge for this pull request.")
        pull.auto_merge = None
        issue_event(self._world, here, issue, "auto_merge_disabled", self._user)
        return self._answer(input, here, issue)

    def _set_resolved(self, info: GraphQLResolveInfo[Any], given: dict[str, Any], *, resolved: bool) -> Values:
        here, issue, first = self._nodes.thread(given["threadId"])
        if issue.user is not self._user:
            self._need_write(here, info.field_name)
        if issue.pull and resolved:
            issue.pull.resolved_threads[first.id] = self._user
        elif issue.pull:
            issue.pull.resolved_threads.pop(first.id, None)
        shown = values.thread(self._world, here, issue, first)
        return {"clientMutationId": given.get("clientMutationId"), "thread": shown}

    def _minimize(self, info: GraphQLResolveInfo[Any], input: dict[str, Any]) -> Values:  # noqa: A002
        here, issue, comment = self._nodes.comment(input["subjectId"])
        if comment.user is not self._user:
            self._need_write(here, info.field_name)
        comment.minimized = input["classifier"].lower().replace("_", "-")
        shown = values.comment(self._world, here, issue, comment)
        return {"clientMutationId": input.get("clientMutationId"), "minimizedComment": shown}

    def _answer(self, given: dict[str, Any], here: Repository, issue: Issue) -> Values:
        pull = issue.pull
        return {
            "clientMutationId": given.get("clientMutationId"),
            "actor": values.actor(self._world, self._user),
            "pullRequest": values.pull_request(self._world, here, issue, pull) if pull else None,
        }

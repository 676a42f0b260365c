"""Sends GraphQL queries, for data that REST does not have.

GitHub answers 200 to a failed query too, with the reason in the body. Such an answer becomes the error that REST would
give, so that a limit is waited for and a refusal reported.
https://docs.github.com/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api
"""

from __future__ import annotations

from typing import Any

from github.PullRequest import PullRequest as PyGithubPullRequest
from github.Repository import Repository as PyGithubRepository

_OF_PULL_REQUEST = "mutation($input: {name}Input!) {{ {field}(input: $input) {{ clientMutationId }} }}"


def ask(repository: PyGithubRepository, query: str, **variables: object) -> dict[str, Any]:
    """Return the `data` of an answer; raises GithubException if there is none."""
    headers, answer = repository.requester.graphql_query(query, variables)
    data: dict[str, Any] | None = answer.get("data")
    if data is None:
        raise repository.requester.createException(400, headers, answer)
    return data


def mark_ready(pull: PyGithubPullRequest) -> None:
    """Turn a draft into an ordinary pull request."""
    _change(pull, "MarkPullRequestReadyForReview")


def make_draft(pull: PyGithubPullRequest) -> None:
    """Turn a pull request into a draft."""
    _change(pull, "ConvertPullRequestToDraft")


def enable_auto_merge(pull: PyGithubPullRequest, method: str) -> None:
    """Let GitHub merge a pull request when its requirements are met, as long as its head does not change."""
    _change(pull, "EnablePullRequestAutoMerge", mergeMethod=method, expectedHeadOid=pull.head.sha)


def _change(pull: PyGithubPullRequest, mutation: str, **settings: str) -> None:
    query = _OF_PULL_REQUEST.format(name=mutation, field=mutation[0].lower() + mutation[1:])
    ask(pull.base.repo, query, input={"pullRequestId": pull.node_id, **settings})

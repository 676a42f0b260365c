"""Sends GraphQL queries: for data that REST does not have, and where one query answers what takes several requests.

GitHub answers 200 to a failed query too, with the reason in the body. Such an answer becomes the error that REST would
give, so that a limit is waited for and a refusal reported.
https://docs.github.com/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from github import GithubException
from github.PullRequest import PullRequest as PyGithubPullRequest
from github.Repository import Repository as PyGithubRepository
from github.Requester import Requester

_OF_PULL_REQUEST = "mutation($input: {name}Input!) {{ {field}(input: $input) {{ clientMutationId }} }}"


class NotByGraphQL(Exception):
    """GraphQL does not tell, and REST may: the server's schema is older, or an answer lacks what it should have."""


@dataclass(frozen=True, slots=True)
class Selection:
    """A part of a query: fields of a repository under aliases of their own, and fields of the query's root.

    `variables` are the values by name and GraphQL type, as in `{("number", "Int!"): 7}`. Parts of one query share the
    variables of one name. The values of `optional_aliases` may be refused: then the answer lacks them.
    """

    fields: str = ""
    root_fields: str = ""
    variables: Mapping[tuple[str, str], object] = field(default_factory=dict)
    optional_aliases: frozenset[str] = frozenset()


def ask(repository: PyGithubRepository, query: str, **variables: object) -> dict[str, Any]:
    """Return the `data` of an answer; raises GithubException if there is none, or if a part of it failed."""
    headers, answer = repository.requester.graphql_query(query, variables)
    data: dict[str, Any] | None = answer.get("data")
    if data is None:
        raise repository.requester.createException(400, headers, answer)
    return data


@dataclass(frozen=True, slots=True)
class PartialAnswer:
    """An answer of which a part may have failed. Each of the `errors` has the path of its part."""

    data: Mapping[str, Any]
    errors: Sequence[Mapping[str, Any]]
    headers: Mapping[str, Any]


def send(requester: Requester, query: str, variables: Mapping[str, object]) -> PartialAnswer:
    """Send a query or a mutation; raises GithubException if all of it failed."""
    body = {"query": query, "variables": dict(variables)}
    headers, answer = requester.requestJsonAndCheck("POST", requester.graphql_url, input=body)
    data: dict[str, Any] | None = answer.get("data")
    if data is None:
        raise requester.createException(400, headers, answer)
    return PartialAnswer(data, answer.get("errors") or (), headers)


class RepositoryQueries:
    """Reads one repository by GraphQL.

    GraphQL is only POST, and PyGithub keeps a pause before each, as before a request that writes. `reader` is a
    requester without pauses.
    """

    def __init__(self, repository: PyGithubRepository, reader: Requester) -> None:
        self._repository = repository
        self._reader = reader

    def read(self, *selections: Selection) -> dict[str, Any]:
        """Return the values of some selections by their aliases.

        Raises:
            NotByGraphQL: the server's schema lacks a field.
            GithubException: anything but an optional value is refused. Half an answer could hide a comment.
        """
        variables = {key: value for selection in selections for key, value in selection.variables.items()}
        variables |= {("owner", "String!"): self._repository.owner.login, ("name", "String!"): self._repository.name}
        try:
            answer = send(self._reader, _query(selections, variables), {key[0]: variables[key] for key in variables})
        except GithubException as error:
            if _lacks_field(error):
                raise NotByGraphQL from error
            raise
        optional = frozenset[str]().union(*(selection.optional_aliases for selection in selections))
        refused_by_error = [optional.intersection((error.get("path") or ())[:2]) for error in answer.errors]
        if answer.data["repository"] is None or not all(refused_by_error):
            raise _exception(self._reader, answer)
        refused = frozenset[str]().union(*refused_by_error)
        values = {**answer.data, **answer.data["repository"]}
        return {alias: value for alias, value in values.items() if alias not in refused}


def _query(selections: Sequence[Selection], variables: Iterable[tuple[str, str]]) -> str:
    declared = ", ".join(f"${name}: {kind}" for name, kind in variables)
    fields = "\n".join(selection.fields for selection in selections)
    root_fields = "\n".join(selection.root_fields for selection in selections)
    return f"query({declared}) {{ repository(owner: $owner, name: $name) {{ {fields} }} {root_fields} }}"


def _exception(requester: Requester, answer: PartialAnswer) -> GithubException:
    is_absent = all(error.get("type") == "NOT_FOUND" for error in answer.errors)
    content = {"errors": list(answer.errors)}
    return requester.createException(404 if is_absent else 400, dict(answer.headers), content)


def _lacks_field(error: GithubException) -> bool:
    errors = error.data.get("errors") if isinstance(error.data, dict) else None
    # The faults of a query that does not fit the schema have a code each, and no type:
    # https://github.com/refined-github/refined-github/issues/6946 shows such an answer.
    return any(isinstance(entry, dict) and (entry.get("extensions") or {}).get("code") for entry in errors or ())


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

"""Adds labels, people and a milestone to a pull request in one request: a GraphQL mutation of several parts.

GitHub takes the parts one after the other, and a refusal of one costs none of the others. Each part adds, and adding
twice is the same as adding once.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from github.Requester import Requester

from bot.github.graphql import send
from bot.github.metadata import LeftOut
from bot.models import Details, PullRequest
from bot.text.logins import same_login

log = logging.getLogger(__name__)

NodeIds = Mapping[tuple[str, str], str]


@dataclass(frozen=True, slots=True)
class _Part:
    """One field of the mutation. `added` is what of the details it adds, `payload` what its answer tells."""

    mutation: str
    values: Mapping[str, object]
    added: Details
    payload: str = "clientMutationId"

    @property
    def input_type(self) -> str:
        """The GraphQL type of the values."""
        return f"{self.mutation[0].upper()}{self.mutation[1:]}Input!"


_ASSIGNEES = "assignable { assignees(first: 100) { nodes { login } } }"


def add_by_mutation(
    requester: Requester, node: str, pull_request: PullRequest, details: Details, ids: NodeIds, left_out: LeftOut
) -> Details:
    """Add what has an id to the pull request with this node id; returns the details that are left to be added by REST.

    People whom GitHub does not accept are added to `left_out`.
    """
    parts = {f"part{index}": part for index, part in enumerate(_parts(node, pull_request, details, ids))}
    if not parts:
        return details
    declared = ", ".join(f"${alias}: {part.input_type}" for alias, part in parts.items())
    fields = " ".join(
        f"{alias}: {part.mutation}(input: ${alias}) {{ {part.payload} }}" for alias, part in parts.items()
    )
    values = {alias: part.values for alias, part in parts.items()}
    answer = send(requester, f"mutation({declared}) {{ {fields} }}", values)
    refusals = {str(error["path"][0]): error for error in answer.errors if error.get("path")}
    finished = [
        part.added
        for alias, part in parts.items()
        if _is_finished(part, answer.data.get(alias), refusals.get(alias), pull_request, left_out)
    ]
    return _without(details, finished)


def _is_finished(
    part: _Part,
    payload: Mapping[str, Any] | None,
    refusal: Mapping[str, Any] | None,
    pull_request: PullRequest,
    left_out: LeftOut,
) -> bool:
    """Say whether nothing of a part is left to be added."""
    if part.mutation == "requestReviews" and "collaborator" in str((refusal or {}).get("message")):
        # The author of an original often is no collaborator: an everyday case, not worth a warning.
        (login,) = part.added.reviewers
        log.info("#%d: %s is no collaborator, so no review was requested", pull_request.number, login)
        left_out.add_reviewer(login)
        return True
    if payload is None:
        return False
    if part.mutation == "addAssigneesToAssignable":
        (login,) = part.added.assignees
        assignees = (payload["assignable"] or {}).get("assignees", {"nodes": ()})["nodes"]
        if not any(same_login(login, person["login"]) for person in assignees if person):
            log.info("#%d: %s cannot be assigned here, and nobody else was", pull_request.number, login)
            left_out.add_assignee(login)
    return True


def _parts(node: str, pull_request: PullRequest, details: Details, ids: NodeIds) -> Iterator[_Part]:
    labels = {name: ids[key] for name in details.labels if (key := ("label", name.casefold())) in ids}
    if labels:
        values: dict[str, object] = {"labelableId": node, "labelIds": list(labels.values())}
        yield _Part("addLabelsToLabelable", values, Details(labels=tuple(labels)))
    milestone = ids.get(("milestone", str(details.milestone)))
    if milestone is not None:
        values = {"pullRequestId": node, "milestoneId": milestone}
        yield _Part("updatePullRequest", values, Details(milestone=details.milestone))
    for login in details.assignees:
        if user := ids.get(("user", login.casefold())):
            values = {"assignableId": node, "assigneeIds": [user]}
            yield _Part("addAssigneesToAssignable", values, Details(assignees=(login,)), _ASSIGNEES)
    for login in details.reviewers:
        user = ids.get(("user", login.casefold()))
        if user and not same_login(login, pull_request.author):
            values = {"pullRequestId": node, "userIds": [user], "union": True}
            yield _Part("requestReviews", values, Details(reviewers=(login,)))


def _without(details: Details, added: list[Details]) -> Details:
    def rest(names: tuple[str, ...], added_names: Iterator[str]) -> tuple[str, ...]:
        known = set(added_names)
        return tuple(name for name in names if name not in known)

    is_set = any(part.milestone is not None for part in added)
    return replace(
        details,
        labels=rest(details.labels, (name for part in added for name in part.labels)),
        assignees=rest(details.assignees, (login for part in added for login in part.assignees)),
        reviewers=rest(details.reviewers, (login for part in added for login in part.reviewers)),
        milestone=None if is_set else details.milestone,
    )

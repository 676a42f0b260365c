"""What a GraphQL query asks before a publication: whether check runs are there, and the node ids of labels and people.

None of it is needed: a check run that may be there is looked for, and what has no known id is added by REST.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.github.graphql import Selection
from bot.models import Details, Sha

CheckKey = tuple[Sha, str]
"""The commit of a check run, and its name."""


@dataclass(slots=True)
class ReadAhead:
    """What was read for the writes that follow. Each answer is used once: later it might be out of date."""

    absent_checks: set[CheckKey] = field(default_factory=set)
    node_ids: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """GraphQL's ids by kind (label, milestone, user) and name in lower case."""
    pull_requests: dict[int, str] = field(default_factory=dict)
    """The ids of the pull requests that were opened since, by number."""
    may_write_checks: bool = True
    """False once GitHub has refused one since."""

    def is_absent(self, check: CheckKey) -> bool:
        """Say whether a check run is known to be absent; a second question is answered with no."""
        if check not in self.absent_checks:
            return False
        self.absent_checks.remove(check)
        return True


def checks_selection(checks: Sequence[CheckKey]) -> Selection:
    """Select the check runs of some names on commits that GitHub may not have."""
    fields = (
        f"check{index}: object(oid: $commit{index}) {{ ... on Commit {{ checkSuites(first: 100) {{"
        f" nodes {{ checkRuns(first: 1, filterBy: {{checkName: $check{index}, checkType: ALL}}) {{ nodes {{ id }} }} }}"
        " pageInfo { hasNextPage } } } }"
        for index in range(len(checks))
    )
    variables: dict[tuple[str, str], object] = {}
    for index, (sha, name) in enumerate(checks):
        variables |= {(f"commit{index}", "GitObjectID!"): sha, (f"check{index}", "String!"): name}
    aliases = frozenset(f"check{index}" for index in range(len(checks)))
    return Selection("\n".join(fields), variables=variables, optional_aliases=aliases)


def read_absent_checks(data: Mapping[str, Any], checks: Sequence[CheckKey]) -> set[CheckKey]:
    """Return the check runs that are certainly absent."""
    aliases = {f"check{index}": check for index, check in enumerate(checks)}
    return {check for alias, check in aliases.items() if alias in data and _has_none(data[alias])}


def _has_none(commit: Mapping[str, Any] | None) -> bool:
    if commit is None:
        return True  # GitHub has no such commit yet
    suites = commit.get("checkSuites")
    if suites is None or suites["pageInfo"]["hasNextPage"]:
        return False
    return all(suite and suite["checkRuns"] and not suite["checkRuns"]["nodes"] for suite in suites["nodes"])


def ids_selection(details: Details) -> Selection:
    """Select the node ids of labels, a milestone and people; what is not there has none."""
    logins = _people(details)
    fields = [f"label{index}: label(name: $label{index}) {{ id }}" for index in range(len(details.labels))]
    variables: dict[tuple[str, str], object] = {
        (f"label{index}", "String!"): name for index, name in enumerate(details.labels)
    }
    variables |= {(f"user{index}", "String!"): login for index, login in enumerate(logins)}
    if details.milestone is not None:
        fields.append("milestone: milestone(number: $milestone) { id }")
        variables["milestone", "Int!"] = details.milestone
    root_fields = (f"user{index}: user(login: $user{index}) {{ id }}" for index in range(len(logins)))
    aliases = frozenset(name for name, _ in variables)
    return Selection("\n".join(fields), "\n".join(root_fields), variables, aliases)


def read_ids(data: Mapping[str, Any], details: Details) -> dict[tuple[str, str], str]:
    """Return the ids by kind and name."""
    nodes = {("label", name.casefold()): data.get(f"label{index}") for index, name in enumerate(details.labels)}
    nodes |= {("user", login.casefold()): data.get(f"user{index}") for index, login in enumerate(_people(details))}
    if details.milestone is not None:
        nodes["milestone", str(details.milestone)] = data.get("milestone")
    return {key: node["id"] for key, node in nodes.items() if node}


def _people(details: Details) -> Sequence[str]:
    return list(dict.fromkeys((*details.assignees, *details.reviewers)))

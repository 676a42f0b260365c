"""The rights that the bot's account needs on GitHub, whatever kind of account it is, and the events that it is sent.

The workflow file, the manifest of the App, the reference and `doctor` all follow from this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Level = Literal["read", "write"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """One permission, by the name that GitHub's API has for it; `title` is its name on GitHub's pages.

    `condition` says when it is needed; empty if always. `workflow_run` is how the token of a workflow run gets it (by
    the workflow file, always, or never), `fine_grained` whether a fine-grained token can have it.

    https://docs.github.com/rest/authentication/permissions-required-for-github-apps
    """

    name: str
    title: str
    level: Level
    purpose: str
    condition: str = ""
    workflow_run: Literal["given", "always", "never"] = "given"
    fine_grained: bool = True


RIGHTS = (
    Right(
        name="checks",
        title="Checks",
        level="write",
        purpose="a check run for each target branch and each proof",
        fine_grained=False,  # only Apps write check runs: https://docs.github.com/rest/checks/runs
    ),
    Right(name="contents", title="Contents", level="write", purpose="read the branches, push backport branches"),
    Right(name="issues", title="Issues", level="write", purpose="replies, reactions, labels, tracking issues"),
    Right(
        name="metadata",
        title="Metadata",
        level="read",
        purpose="the repository's name, and who has which permission on it",
        workflow_run="always",
    ),
    Right(
        name="pull_requests",
        title="Pull requests",
        level="write",
        purpose="open backport pull requests, ask for reviews",
    ),
    Right(
        name="actions",
        title="Actions",
        level="write",
        purpose="start the workflow that proves, and read its report",
        condition="the service has `prove.runner: github-actions`",
    ),
    Right(
        name="members",
        title="Members (organization)",
        level="read",
        purpose="who is in a team",
        condition="`permissions.teams` or `publish.team_reviewers` names a team",
        workflow_run="never",
    ),
    Right(
        name="workflows",
        title="Workflows",
        level="write",
        purpose="push backports that change files in `.github/workflows`",
        condition="originals change such files and `pick.leave_out` does not name them",
        workflow_run="never",  # https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#permissions
    ),
)
EVENTS = ("issue_comment", "pull_request")
"""The webhook events that the bot serves: `bot.commands.triggers`."""
APP_EVENTS = (*EVENTS, "push", "repository")
"""Those of an App: by the further ones a change of backport.yaml, or of a repository's name, counts at once.

Without them it counts within ten minutes.
"""

RUN_TOKEN: Mapping[str, Level] = {
    right.name.replace("_", "-"): right.level
    for right in RIGHTS
    if right.workflow_run == "given" and not right.condition
}
"""What a workflow gives to the run's own token."""


@dataclass(frozen=True, slots=True)
class Scope:
    """One scope of a classic token: https://docs.github.com/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps."""

    name: str
    purpose: str
    condition: str = ""


SCOPES = (
    Scope("repo", "all that is listed above except check runs; for a public repository `public_repo` is enough"),
    Scope("workflow", "push backports that change files in `.github/workflows`", "as above"),
    Scope("read:org", "who is in a team", "as above"),
)


def app_permissions(*optional: str) -> dict[str, Level]:
    """Return the permissions of an App: all that are always needed, and these of the others."""
    return {right.name: right.level for right in RIGHTS if not right.condition or right.name in optional}


def missing_rights(permissions: Mapping[str, str]) -> tuple[Right, ...]:
    """Return the rights that an App's permissions lack, with those that are needed under a condition only."""
    order = ("", "read", "write", "admin")
    return tuple(right for right in RIGHTS if order.index(permissions.get(right.name, "")) < order.index(right.level))

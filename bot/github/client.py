"""GitHub by its REST and GraphQL API, through PyGithub: the implementation of `bot.github.protocol.GitHub`."""

from __future__ import annotations

from urllib.parse import quote

from bot.errors import NotFound
from bot.github.pull_request_client import PullRequestClient
from bot.github.translate_errors import translate_errors
from bot.github.workflow_runs import WorkflowRunsClient
from bot.models import Sha

_ROLES = ("admin", "maintain", "write", "triage", "read")


class GitHubClient(PullRequestClient):
    """One repository, with the people who may use the bot, its files and its workflow runs."""

    def read_file(self, path: str, commit: Sha) -> bytes | None:
        """Return a file of a commit, or None where there is none."""
        try:
            with translate_errors(f"read {path}"):
                content = self._repository.get_contents(path, ref=commit)
        except NotFound:
            return None
        return None if isinstance(content, list) else content.decoded_content

    def workflow_runs(self) -> WorkflowRunsClient:
        """Return the workflow runs of the repository, to dispatch and to look at."""
        return WorkflowRunsClient(self._repository)

    def permission(self, login: str) -> str:
        """Return a person's permission on the repository; "none" if GitHub does not know them there."""
        try:
            with translate_errors(f"read the permission of {login}"):
                role = self._repository.get_collaborator_role_name(login)
                # An organisation's own role has a name of its own; GitHub then says which level it amounts to.
                return role if role in _ROLES else self._repository.get_collaborator_permission(login)
        except NotFound:
            return "none"

    def in_team(self, team: str, login: str) -> bool:
        """Say whether a person is a member of a team (its slug) of the repository's organisation."""
        url = f"/orgs/{self._repository.owner.login}/teams/{quote(team, safe='')}/memberships/{quote(login, safe='')}"
        try:
            with translate_errors(f"read the membership of {login} in {team}"):
                _, membership = self._repository.requester.requestJsonAndCheck("GET", url)
        except NotFound:
            return False
        return isinstance(membership, dict) and membership.get("state") == "active"

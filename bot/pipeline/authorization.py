"""Asks GitHub, each time, whether a person may run a command."""

from __future__ import annotations

from dataclasses import replace

from bot.commands.parser import Command
from bot.commands.permissions import Requester, is_allowed
from bot.config import Permission, Permissions
from bot.pipeline.context import RepositoryContext


class Authorizer:
    """Decides for the commands of one person at one time: GitHub is asked once, when the first command is decided."""

    def __init__(self, login: str, context: RepositoryContext) -> None:
        self._login, self._context = login, context
        self._requester: Requester | None = None
        self._has_teams = False

    def allows(self, *commands: Command) -> bool:
        """Decide whether the person may run one of these commands at least.

        GitHub's permission on the repository decides, and the users and teams that the configuration names.
        """
        if self._requester is None:
            level = self._context.github.permission(self._login)
            self._requester = Requester(
                login=self._login, level=Permission(level) if level in set(Permission) else None
            )
        permissions = _permissions(self._context)
        if any(is_allowed(command, self._requester, permissions) for command in commands):
            return True
        if self._has_teams:
            return False
        # Teams cost a request each, so they are asked only if the level does not suffice.
        slugs = (team.rpartition("/")[2] for team in permissions.teams)
        teams = [slug for slug in slugs if self._context.github.in_team(slug, self._login)]
        self._requester, self._has_teams = replace(self._requester, teams=teams), True
        return self.allows(*commands)


def is_authorized(command: Command, login: str, context: RepositoryContext) -> bool:
    """Decide by GitHub's permission on the repository, and by the users and teams that the configuration names."""
    return Authorizer(login, context).allows(command)


def _permissions(context: RepositoryContext) -> Permissions:
    """Return what counts in a repository: the configuration of another one can ask for more there, not give it away."""
    permissions = context.config.permissions
    if context.home is None:
        return permissions
    least = Permissions()
    update = {
        "backport": max(permissions.backport, least.backport, key=list(Permission).index),
        "no_prove": max(permissions.no_prove, least.no_prove, key=list(Permission).index),
    }
    return permissions.model_copy(update={**update, "users": (), "teams": ()})

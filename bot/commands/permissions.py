"""Decides who may run which command.

The decision rests on facts that GitHub's API returned, never on what a comment or its `author_association` claims.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from bot.commands.parser import Command
from bot.commands.verbs import entry
from bot.config import Permission, Permissions
from bot.text.logins import same_login


@dataclass(frozen=True, slots=True, kw_only=True)
class Requester:
    """A person as GitHub knows them on the target repository. `level` is None if the person has no access."""

    login: str
    level: Permission | None
    teams: Collection[str] = ()


def required_permission(command: Command, permissions: Permissions) -> Permission:
    """Return the permission level that a command needs."""
    level: Permission = getattr(permissions, entry(command.verb).permission)
    if not command.options.prove and not level.allows(permissions.no_prove):
        return permissions.no_prove
    return level


def is_allowed(command: Command, requester: Requester, permissions: Permissions) -> bool:
    """Return whether a requester may run a command. Listed users and teams may run all but `--no-prove`."""
    if requester.level is not None and requester.level.allows(required_permission(command, permissions)):
        return True
    return command.options.prove and _is_listed(requester, permissions)


def _is_listed(requester: Requester, permissions: Permissions) -> bool:
    teams = {team.casefold().rpartition("/")[2] for team in permissions.teams}
    is_user = any(same_login(requester.login, login) for login in permissions.users)
    return is_user or not teams.isdisjoint(team.casefold() for team in requester.teams)

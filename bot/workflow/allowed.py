"""Whether a person may run a command, asked of GitHub each time."""

from __future__ import annotations

from dataclasses import replace

from bot.commands import Command
from bot.config import Permission
from bot.permissions import Requester, is_allowed
from bot.workflow.workplace import Workplace


def may(command: Command, login: str, at: Workplace) -> bool:
    """Decide by GitHub's permission on the repository, and by the users and teams that the configuration names."""
    level = at.github.permission(login)
    requester = Requester(login=login, level=Permission(level) if level in set(Permission) else None)
    permissions = at.config.permissions
    if is_allowed(command, requester, permissions):
        return True
    # Teams cost a request each, so they are asked only where the level does not do.
    slugs = (team.rpartition("/")[2] for team in permissions.teams)
    teams = [slug for slug in slugs if at.github.in_team(slug, login)]
    return is_allowed(command, replace(requester, teams=teams), permissions)

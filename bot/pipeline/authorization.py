"""Asks GitHub, each time, whether a person may run a command."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from bot.commands.parser import Command
from bot.commands.permissions import Requester, is_allowed
from bot.config import Permission
from bot.pipeline.context import RepositoryContext


def is_authorized(command: Command, login: str, context: RepositoryContext) -> bool:
    """Decide by GitHub's permission on the repository, and by the users and teams that the configuration names."""
    return is_authorized_for_any([command], login, context)


def is_authorized_for_any(commands: Collection[Command], login: str, context: RepositoryContext) -> bool:
    """Decide whether a person may run one of these commands at least."""
    level = context.github.permission(login)
    requester = Requester(login=login, level=Permission(level) if level in set(Permission) else None)
    permissions = context.config.permissions
    if any(is_allowed(command, requester, permissions) for command in commands):
        return True
    # Teams cost a request each, so they are asked only if the level does not suffice.
    slugs = (team.rpartition("/")[2] for team in permissions.teams)
    teams = [slug for slug in slugs if context.github.in_team(slug, login)]
    return any(is_allowed(command, replace(requester, teams=teams), permissions) for command in commands)

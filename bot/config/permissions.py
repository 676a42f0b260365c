"""The `permissions` section: who may run which command."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from bot.config.values import Login, Section


class Permission(StrEnum):
    """GitHub's levels on a repository, lowest first."""

    READ = "read"
    TRIAGE = "triage"
    WRITE = "write"
    MAINTAIN = "maintain"
    ADMIN = "admin"

    def allows(self, level: Permission) -> bool:
        """Return whether a person with this permission may do what needs that level."""
        order = list(Permission)
        return order.index(self) >= order.index(level)


class Permissions(Section):
    """Who may run which command. A level is GitHub's permission on the repository; each higher level is enough, too."""

    backport: Annotated[Permission, Field(strict=False)] = Permission.WRITE
    """Needed for `/backport BRANCH…` and for the trigger label."""
    no_prove: Annotated[Permission, Field(strict=False)] = Permission.MAINTAIN
    """Needed for `--no-prove`."""
    cancel: Annotated[Permission, Field(strict=False)] = Permission.WRITE
    """Needed for `/backport cancel`."""
    status: Annotated[Permission, Field(strict=False)] = Permission.READ
    """Needed for `/backport status` and `/backport help`."""
    users: tuple[Login, ...] = Field(default=(), strict=False)
    """Logins that may request and cancel backports at any level; `--no-prove` still needs its level."""
    teams: tuple[Login, ...] = Field(default=(), strict=False)
    """Slugs of the organisation's teams whose members may do the same."""

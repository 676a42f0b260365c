"""The `permissions` section: who may ask for what."""

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

    def allows(self, needed: Permission) -> bool:
        """Say whether someone with this level may do what needs the other."""
        order = list(Permission)
        return order.index(self) >= order.index(needed)


class Permissions(Section):
    """Who may ask for what. A level is GitHub's permission on the repository and includes every higher one."""

    backport: Annotated[Permission, Field(strict=False)] = Permission.WRITE
    """Needed for `/backport BRANCH…` and for a label that asks for one."""
    no_prove: Annotated[Permission, Field(strict=False)] = Permission.MAINTAIN
    """Needed for `--no-prove`."""
    cancel: Annotated[Permission, Field(strict=False)] = Permission.WRITE
    """Needed for `/backport cancel`."""
    status: Annotated[Permission, Field(strict=False)] = Permission.READ
    """Needed for `/backport status` and `/backport help`."""
    users: tuple[Login, ...] = Field(default=(), strict=False)
    """Logins that may ask for and cancel backports whatever their level; `--no-prove` still goes by level."""
    teams: tuple[Login, ...] = Field(default=(), strict=False)
    """Team slugs of the repository's organisation whose members may do the same."""

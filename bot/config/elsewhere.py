"""The `elsewhere` section: target branches in other repositories."""

from __future__ import annotations

from pydantic import Field

from bot.config.values import Pattern, RepositoryName, Section


class OtherRepository(Section):
    """Another repository with target branches, e.g. a fork. A target there is written `owner/name:branch`."""

    repository: RepositoryName
    """The repository, as `owner/name`. The bot's account needs the same rights there as here."""
    branches: tuple[Pattern, ...] = Field(default=("release/*",), strict=False, min_length=1)
    """Its stable branches, as names or globs: what `all` and `auto` mean there."""

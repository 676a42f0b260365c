"""The sections about what the bot writes: `committer` and `templates`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bot.config.values import MarkdownTemplate, Section


class Committer(Section):
    """Whom the cherry-picked commits name as committer; their authors stay as they are."""

    name: Annotated[str, Field(min_length=1, pattern=r"^[^<>\x00-\x1f]+$")] = "backport-bot"
    """As git writes it."""
    email: Annotated[str, Field(min_length=3, pattern=r"^[^<>\s]+@[^<>\s]+$")] = "backport-bot@users.noreply.github.com"
    """As git writes it; also how the bot tells its own commits from people's."""


class Templates(Section):
    """Markdown (Jinja2) in place of ours. The built-in ones under `bot/report/templates/` show the values at hand."""

    status: MarkdownTemplate | None = None
    """The status comment on the original pull request."""
    pull_request: MarkdownTemplate | None = None
    """The body of a backport pull request."""

"""`/backport help`: lists the commands."""

from __future__ import annotations

from bot.pipeline.context import RepositoryContext
from bot.report import replies


def handle_help(context: RepositoryContext) -> str:
    """Return the reply."""
    return replies.render_help(branches=context.config.branches, template=context.config.templates.answer)

"""The tracking issues: one for each stable branch, found or created, and edited in place."""

from __future__ import annotations

import logging

from bot.errors import GitHubError
from bot.pipeline.context import RepositoryContext
from bot.report.sync_issue import issue_title, render_issue
from bot.sync.survey import SyncReport
from bot.text.markers import tracking_marker

log = logging.getLogger(__name__)


def write_tracking_issues(survey: SyncReport, context: RepositoryContext) -> tuple[int, ...]:
    """Bring each branch's issue up to date; returns their numbers. One that cannot be written stops no other."""
    written, template = [], context.config.templates.sync_issue
    for state in survey.branches:
        try:
            number = context.github.write_issue(
                title=issue_title(state),
                body=render_issue(state, survey, template=template),
                marker=tracking_marker(state.branch),
            )
        except GitHubError as error:
            log.warning("%s", error)
            continue
        context.progress(f"{state.branch}: tracked in #{number}")
        written.append(number)
    return tuple(written)

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
    numbers, template = [], context.config.templates.sync_issue
    for branch in survey.branches:
        try:
            number = context.github.write_issue(
                title=issue_title(branch),
                body=render_issue(branch, survey, template=template),
                marker=tracking_marker(branch.branch),
            )
        except GitHubError as error:
            log.warning("%s", error)
            continue
        context.progress(f"{branch.branch}: tracked in #{number}")
        numbers.append(number)
    return tuple(numbers)

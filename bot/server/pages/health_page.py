"""The page about the repositories themselves: whether each can be read, what is open, and what GitHub lets it ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response

from bot.github.rate_limits import Budget
from bot.report.trace_page import size_text
from bot.server.pages.access import Access
from bot.server.pages.rendering import page
from bot.server.pages.run_queries import RunQueries
from bot.server.repositories import Repositories
from bot.server.surveys import Survey, SurveyRows


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryHealth:
    """What is known of a repository. `budgets` is what GitHub told this process of its account."""

    name: str
    is_served: bool
    survey: Survey | None
    open_requests: int
    budgets: Sequence[Budget]

    @property
    def mirror(self) -> str:
        """The size of its mirror."""
        size = self.survey.mirror_bytes if self.survey else None
        return size_text(size) if size is not None else ""


@dataclass(frozen=True, slots=True)
class HealthPage:
    """Shows how the repositories are."""

    queries: RunQueries
    surveys: SurveyRows
    repositories: Repositories
    access: Access

    def health(self, request: Request) -> Response:
        """Show each repository that the reader sees."""
        reader = self.access.reader(request)
        visible = self.access.visible(reader, self.queries.repositories())
        served = {repository.id: repository for repository in self.repositories.served()}
        counts = self.queries.count_open(visible)
        rows = [
            RepositoryHealth(
                name=known.name,
                is_served=known.id in served,
                survey=self.surveys.load(known.id) if known.id is not None else None,
                open_requests=counts.get(known.id, 0),
                budgets=self.repositories.budgets.known(served[known.id].account) if known.id in served else (),
            )
            for known in visible
        ]
        return page(
            "health.html.j2", reader, tab="health", rows=rows, at=lambda moment: datetime.fromtimestamp(moment, UTC)
        )

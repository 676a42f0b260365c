"""The page of the board, with its filters and the chart of the branches' health."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from bot.report.sync_page import WEEKS, chart_line
from bot.report.sync_text import headline
from bot.server.pages.access import Access
from bot.server.pages.board import KINDS, BoardRow, Filter, Group, board_rows
from bot.server.pages.rendering import page
from bot.server.pages.run_pages import missing
from bot.server.pages.run_queries import RunQueries
from bot.server.pages.words import read_number
from bot.server.surveys import Survey, SurveyRows

_MOST_ROWS = 150


@dataclass(frozen=True, slots=True)
class BoardPage:
    """Shows what each stable branch of a repository has, lacks, and will get."""

    queries: RunQueries
    surveys: SurveyRows
    access: Access

    def board(self, request: Request) -> Response:
        """Show the board of one repository."""
        reader = self.access.reader(request)
        repositories = self.access.visible(reader, self.queries.repositories())
        names = [known.name for known in repositories]
        name = request.query_params.get("repository") or next(iter(names), "")
        number = next((known.id for known in repositories if known.name == name), None)
        if not name:
            return page("board.html.j2", reader, tab="board", repository="")
        if number is None:
            return missing(reader)
        survey = self.surveys.load(number)
        branches, rows = self._rows(number, survey)
        wanted = _filter(request.query_params)
        selection = [row for row in rows if wanted.takes(row, branches)]
        states = [state for state in survey.report.branches if not state.problem] if survey and survey.report else []
        moment = survey.report.moment if survey and survey.report else 0
        return page(
            "board.html.j2",
            reader,
            tab="board",
            repository=name,
            repositories=names,
            survey=survey,
            branches=branches,
            shown_branches=[wanted.branch] if wanted.branch in branches else branches,
            rows=self._with_titles(number, selection[:_MOST_ROWS]),
            surplus=max(0, len(selection) - _MOST_ROWS),
            total=len(rows),
            wanted=wanted,
            authors=sorted({row.author for row in rows if row.author}, key=str.casefold),
            groups=list(Group),
            kinds=KINDS,
            health=[(state, headline(state), chart_line(state, moment)) for state in states],
            problems=[state for state in survey.report.branches if state.problem] if survey and survey.report else [],
            weeks=WEEKS,
        )

    def _rows(self, repository: int, survey: Survey | None) -> tuple[list[str], list[BoardRow]]:
        report = survey.report if survey else None
        runs = self.queries.last_runs(repository)
        names = [state.branch for state in report.branches if not state.problem] if report else []
        branches = list(dict.fromkeys([*names, *sorted({run.target for run in runs}, reverse=True)]))
        return branches, board_rows(report, runs, branches)

    def _with_titles(self, repository: int, rows: Sequence[BoardRow]) -> list[BoardRow]:
        """Fill in what only the requests know of an original."""
        numbers = [row.number for row in rows if row.number is not None and not row.title]
        texts = self.queries.originals(repository, numbers) if numbers else {}
        return [
            replace(row, title=texts[row.number][0], url=texts[row.number][1]) if row.number in texts else row
            for row in rows
        ]


def _filter(query: QueryParams) -> Filter:
    return Filter(
        author=query.get("author", ""),
        branch=query.get("branch", ""),
        state=query.get("state", "open"),
        age=read_number(query.get("age")) or 0,
    )

"""The list of what runs, waits and ended, and the page of one run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from bot.models import Candidate, Status, TargetPlan, Verdict
from bot.pipeline.run import Step
from bot.pipeline.run_folder_records import Picked, Proof
from bot.proof.buffer_picture import render_buffers
from bot.report.candidates import how_applied
from bot.report.outcomes import Ending, describe
from bot.report.resolutions import resolution_rows
from bot.report.verdict_page import verdict_values
from bot.server.pages.access import Access, Reader
from bot.server.pages.difference import side_by_side
from bot.server.pages.rendering import page
from bot.server.pages.run_queries import RequestState, RunQueries, RunRecord, RunState
from bot.server.pages.words import STEP_NAMES, began_at, read_number, state_chip
from bot.server.run_store import read_decision

_MOST_CASES = 300


@dataclass(frozen=True, slots=True)
class RunPages:
    """The pages about runs."""

    queries: RunQueries
    access: Access

    def runs(self, request: Request) -> Response:
        """Show what runs, waits and ended."""
        reader = self.access.reader(request)
        visible = self.access.visible(reader, self.queries.repositories())
        before = read_number(request.query_params.get("before"))
        ended = self.queries.ended_requests(visible, before)
        return page(
            "runs.html.j2",
            reader,
            tab="runs",
            open=self.queries.open_requests(visible) if before is None else [],
            ended=ended,
            before=before,
            repositories=visible,
            state=state_chip,
            began_at=began_at,
        )

    def run(self, request: Request) -> Response:
        """Show one run."""
        reader = self.access.reader(request)
        pair = self.queries.find(read_number(request.path_params["run"]) or 0)
        if pair is None or not self.access.visible(reader, [pair[0].known_repository]):
            return missing(reader)
        state, run = pair
        record = self.queries.record(run.id)
        return page(
            "run.html.j2",
            reader,
            tab="runs",
            request=state,
            run=run,
            state=state_chip(run),
            began_at=began_at(run),
            steps=_steps(run, record),
            log=self.queries.log(run.id),
            asked="asked" in request.query_params,
            **_record_values(record, state),
        )


def missing(reader: Reader) -> Response:
    """Answer that there is no such page, or none that this reader may see."""
    return page("missing.html.j2", reader, status=404, tab="")


def _steps(run: RunState, record: RunRecord) -> list[tuple[str, str]]:
    """Return each step with whether it was taken, is to be taken next, or comes later, if at all."""
    taken = {Step.PICK: record.pick is not None, Step.PROVE: record.verdict is not None}
    taken[Step.PUBLISH] = run.ending == Status.OPENED
    return [
        (name, "at" if step == run.step else "taken" if taken[step] else "later") for step, name in STEP_NAMES.items()
    ]


def _record_values(record: RunRecord, request: RequestState) -> dict[str, Any]:
    files, is_cut = side_by_side(record.difference or "")
    try:
        ending, candidate, verdict = _ending(record), _candidate(record), _verdict(record)
    except ValidationError:  # an earlier version of the bot recorded it
        return {"ending": None, "candidate": None, "evidence": None, "files": files, "is_cut": is_cut, "is_old": True}
    return {
        "ending": ending,
        "candidate": candidate,
        "how": how_applied(candidate) if candidate else "",
        "resolutions": resolution_rows(candidate, {}, _web_url(request)) if candidate else [],
        "evidence": verdict_values(verdict, picture=render_buffers(verdict)) if verdict else None,
        "most_cases": _MOST_CASES,
        "files": files,
        "is_cut": is_cut,
        "is_old": False,
    }


def _ending(record: RunRecord) -> Ending | None:
    decision = read_decision(record.decision)
    return None if decision is None or isinstance(decision, TargetPlan) else describe(decision)


def _candidate(record: RunRecord) -> Candidate | None:
    result = Picked.model_validate_json(record.pick).made.value if record.pick is not None else None
    return result if isinstance(result, Candidate) else None


def _verdict(record: RunRecord) -> Verdict | None:
    return Proof.model_validate_json(record.verdict).verdict if record.verdict is not None else None


def _web_url(request: RequestState) -> str:
    """Return the address of the repository's page; it stands before that of the original."""
    return request.url.rpartition("/pull/")[0]

"""Tells open pages that something has changed, by server-sent events; a page then asks for what it shows.

One look at the database each second serves all viewers; while nobody looks there is none. A viewer holds neither a
thread nor a connection to the database. https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import psycopg
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from bot.server.database import Database
from bot.server.pages.access import Access
from bot.server.pages.run_queries import RunQueries
from bot.server.pages.words import read_number
from bot.server.request_rows import TAKE_STEP

log = logging.getLogger(__name__)

_MOST_VIEWERS = 100
"""Each holds one of the connections that the endpoint of the webhooks has."""
_PAUSE, _SIGN_OF_LIFE, _LONGEST = 1.0, 20.0, 1800.0
"""Seconds. A stream ends now and then, so that who may not read any more does not go on; the browser opens another."""
STEP, LINE = "step", "line"
"""The events: a run has got to another state, or its log has another line."""


class _Stamp(NamedTuple):
    """What would be seen of a run in a list, and the number of its last line."""

    repository: int | None
    state: str
    line: int


@dataclass(eq=False, slots=True)
class _Viewer:
    """An open page: of one run, or of all runs of these repositories."""

    repositories: Collection[int | None]
    run: int | None = None
    events: set[str] = field(default_factory=set)
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, event: str) -> None:
        self.events.add(event)
        self.wake.set()


class Live:
    """The open pages of one process. It belongs to the event loop that serves them."""

    def __init__(self, database: Database, queries: RunQueries, access: Access) -> None:
        self._database, self._queries, self._access = database, queries, access
        self._viewers: set[_Viewer] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._is_closed = False

    async def events(self, request: Request) -> Response:
        """Tell one viewer of changes, until the page is left or the stream has been open for long."""
        viewer = await run_in_threadpool(self._viewer, request)
        if viewer is None:
            return Response(status_code=404)
        if len(self._viewers) >= _MOST_VIEWERS or self._is_closed:
            return PlainTextResponse("too many pages are open: reload this one to see more", 503)
        self._loop = asyncio.get_running_loop()
        self._viewers.add(viewer)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look())
        return StreamingResponse(self._stream(viewer), media_type="text/event-stream")

    def close(self) -> None:
        """End all streams; any thread may call this."""
        self._is_closed = True
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended by itself
                self._loop.call_soon_threadsafe(self._wake_all)

    def _wake_all(self) -> None:
        for viewer in self._viewers:
            viewer.wake.set()

    def _viewer(self, request: Request) -> _Viewer | None:
        reader = self._access.reader(request)
        number = request.query_params.get("run", "")
        if not number:
            visible = self._access.visible(reader, self._queries.repositories())
            return _Viewer(frozenset(known.id for known in visible))
        pair = self._queries.find(read_number(number) or 0)
        if pair is None or not self._access.visible(reader, [pair[0].known_repository]):
            return None
        return _Viewer((), pair[1].id)

    async def _stream(self, viewer: _Viewer) -> AsyncIterator[str]:
        end = time.monotonic() + _LONGEST
        try:
            yield ": open\n\n"
            while not self._is_closed and time.monotonic() < end:
                try:
                    await asyncio.wait_for(viewer.wake.wait(), _SIGN_OF_LIFE)
                except TimeoutError:
                    yield ": still here\n\n"
                viewer.wake.clear()
                events, viewer.events = sorted(viewer.events), set()
                for event in events:
                    yield f"event: {event}\ndata: changed\n\n"
        finally:
            self._viewers.discard(viewer)

    async def _look(self) -> None:
        """Look for changes while somebody views."""
        stamps = await self._read({})
        while self._viewers and not self._is_closed:
            await asyncio.sleep(_PAUSE)
            before, stamps = stamps, await self._read(stamps)
            self._tell(before, stamps)

    async def _read(self, known: Mapping[int, _Stamp]) -> Mapping[int, _Stamp]:
        try:
            return await run_in_threadpool(self._stamps)
        except psycopg.Error as error:
            log.info("The pages do not follow what happens: %s", str(error).strip())
            return known

    def _tell(self, before: Mapping[int, _Stamp], after: Mapping[int, _Stamp]) -> None:
        """Tell each viewer what has changed on its page. A place in a queue changes with the state of any run."""
        changed = [run for run in {*before, *after} if before.get(run) != after.get(run)]
        moved = [
            run for run in changed if run not in before or run not in after or before[run].state != after[run].state
        ]
        repositories = {(after.get(run) or before[run]).repository for run in moved}
        for viewer in self._viewers:
            if viewer.run in moved or (viewer.run is None and repositories & set(viewer.repositories)):
                viewer.tell(STEP)
            elif viewer.run in changed or (viewer.run is not None and moved):
                viewer.tell(LINE)

    def _stamps(self) -> Mapping[int, _Stamp]:
        """Read the runs of all requests that have not ended."""
        statement = """
            SELECT run.id, request.repository_id AS repository,
                concat_ws(' ', run.step, run.rounds, run.ending, job.status) AS state,
                coalesce((SELECT max(id) FROM backport_log AS log WHERE log.run = run.id), 0) AS line
            FROM backport_request AS request JOIN backport_run AS run ON run.request = request.id
            LEFT JOIN (
                SELECT (args ->> 'run')::bigint AS run, min(status::text) AS status FROM procrastinate_jobs
                WHERE task_name = %s AND status IN ('todo', 'doing') GROUP BY 1
            ) AS job ON job.run = run.id
            WHERE request.ended_at IS NULL
        """
        with self._database.transaction() as connection:
            rows = connection.execute(statement, (TAKE_STEP,)).fetchall()
        return {run: _Stamp(*stamp) for run, *stamp in rows}

"""Takes jobs off the queues of procrastinate: an event loop in a thread of its own, and a thread for each running job.

Several processes may work on one database. A process that ends without a word leaves jobs that nobody works on. If it
was alone, the next to start takes them over at once, else another one does when its heartbeat is overdue.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from procrastinate import App, JobContext, PsycopgConnector, RetryDecision
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager
from procrastinate.retry import BaseRetryStrategy
from psycopg import AsyncConnection
from psycopg.errors import RaiseException
from structlog.contextvars import bound_contextvars

from bot.server.database import pause_limit

log = logging.getLogger(__name__)

_PRESENCE = 0x6261636C
"""The number of the advisory lock that each process of the bot shares while it works."""
_PAUSE = 5.0
"""Seconds until a database that does not answer is tried again."""
_POLL = 1.0
"""Seconds until the queue is looked at again: nobody tells of a lock that was released."""
_HEARTBEAT, _OVERDUE = 5.0, 30.0
"""Seconds: a process that shows no sign of life for so long has ended."""
_LOOK = 10.0
"""Seconds until the worker looks again for jobs of such a process, and keeps up the rest."""


class TryAgain(Exception):
    """Raised by a job that is to be run again, at that moment or later."""

    def __init__(self, at: datetime) -> None:
        super().__init__(f"again at {at}")
        self.at = at


class _Unrecorded(Exception):
    """The end of a job could not be recorded. The job would count as running as long as its worker lives."""


class _JobManager(JobManager):
    """Tells of a job whose end could not be recorded, which procrastinate itself forgets."""

    def __init__(self, connector: PsycopgConnector, unrecorded: asyncio.Event) -> None:
        super().__init__(connector)
        self._unrecorded = unrecorded

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:
        with self._telling():
            await super().finish_job(job, status, delete_job)

    async def retry_job(self, job: Job, *arguments: Any, **named: Any) -> None:  # noqa: ANN401 - procrastinate's
        with self._telling():
            await super().retry_job(job, *arguments, **named)

    @contextlib.contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except ConnectorException as error:
            if isinstance(error.__cause__, RaiseException):
                # The job is not there any more: this process slept, and another one took it over.
                log.warning("A job ended that another process has taken over meanwhile.")
                return
            self._unrecorded.set()
            raise


class _WhenAsked(BaseRetryStrategy):
    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        del job
        return RetryDecision(retry_at=exception.at) if isinstance(exception, TryAgain) else None


@dataclass(frozen=True, slots=True)
class Task:
    """What a job does. `run` gets the number of earlier attempts and the job's arguments, in a thread of its own."""

    name: str
    run: Callable[..., None]
    cron: str = ""
    """When to run it without being asked; it then gets the moment as `timestamp`. Empty: never."""
    queue: str = ""
    """The queue of those runs."""


@dataclass(slots=True)
class Worker:
    """Works from `start` until `stop`. An error of a job is logged and never stops it; nor does the database's absence.

    `queues` says how many jobs of each queue run at the same time. `upkeep` is called in a thread when the worker
    starts, and every ten seconds after that.
    """

    conninfo: str
    tasks: Sequence[Task]
    queues: Mapping[str, int]
    upkeep: Callable[[], None]
    grace: float = 20.0
    """Seconds that running jobs get to come to an end when the worker stops."""
    _loop: asyncio.AbstractEventLoop | None = field(default=None, init=False)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _working: threading.Event = field(default_factory=threading.Event, init=False)
    _job_ended: threading.Condition = field(default_factory=threading.Condition, init=False)
    _thread: threading.Thread | None = field(default=None, init=False)
    _idle_since: float = field(default_factory=time.monotonic, init=False)

    def start(self) -> None:
        """Begin with whatever an earlier process left waiting; returns at once."""
        if not logging.getLogger().isEnabledFor(logging.INFO):
            # It shows a traceback of each query that the end of the worker cuts off. What matters is logged here.
            logging.getLogger("procrastinate").setLevel(logging.CRITICAL)
        loop = self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, args=(loop,), name="backport-worker", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Take no further job, give those that run their grace, and wait for the end."""
        if self._loop is not None and self._thread is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(self.grace + 2 * _PAUSE)

    @property
    def is_alive(self) -> bool:
        """Whether the worker runs, also while it waits for the database."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def is_working(self) -> bool:
        """Whether jobs are being taken."""
        return self._working.is_set() and self.is_alive

    @property
    def idle_seconds(self) -> float:
        """Seconds since jobs were last taken, or since the start; 0 while they are being taken."""
        return 0.0 if self.is_working else time.monotonic() - self._idle_since

    def wait_until(self, condition: Callable[[], bool], timeout: float) -> bool:
        """Wait (seconds) until a condition holds, which is looked at when a job ends, too; False if it never did."""
        deadline = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > deadline:
                return False
            with self._job_ended:
                self._job_ended.wait(0.1)  # the end of a job is noted after it was told of
        return True

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.set_exception_handler(_note_error)
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(self._supervise())

    async def _supervise(self) -> None:
        while not self._stopping.is_set():
            try:
                await self._work()
            except Exception as error:
                log.error("The database cannot be used (%s). Trying again in %g s.", error, _PAUSE)
            finally:
                self._working.clear()
            await self._pause(_PAUSE)

    async def _work(self) -> None:
        """Take jobs until the worker is to stop, or a part of it ends because the database does not answer."""
        unrecorded = asyncio.Event()
        app = self._app(unrecorded)
        async with (
            await AsyncConnection.connect(self.conninfo, autocommit=True) as presence,
            app.open_async(),
        ):
            await self._enter(presence, app)
            parts = [asyncio.create_task(self._take_jobs(app, queue, count)) for queue, count in self.queues.items()]
            parts.append(asyncio.create_task(self._keep_up(app)))
            parts.append(asyncio.create_task(self._until_stopping()))
            parts.append(asyncio.create_task(_until_unrecorded(unrecorded)))
            self._working.set()
            try:
                done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            finally:
                self._idle_since = time.monotonic()
                self._working.clear()
                for part in parts:
                    part.cancel()
                await asyncio.gather(*parts, return_exceptions=True)
            for part in done:
                part.result()

    def _app(self, unrecorded: asyncio.Event) -> App:
        # Each part of the worker keeps a connection on which it listens, and borrows others for moments.
        connector = PsycopgConnector(
            conninfo=self.conninfo, min_size=1, max_size=len(self.queues) + 8, configure=_limit_pauses
        )
        app = App(connector=connector)
        app.job_manager = _JobManager(connector, unrecorded)
        for task in self.tasks:
            registered = app.task(name=task.name, retry=_WhenAsked(), pass_context=True)(self._in_thread(task.run))
            if task.cron:
                app.periodic(cron=task.cron, queue=task.queue, queueing_lock=task.name)(registered)
        return app

    async def _enter(self, presence: AsyncConnection, app: App) -> None:
        """Take over all jobs in hand, if no other process works on this database."""
        cursor = await presence.execute("SELECT pg_try_advisory_lock(%s)", (_PRESENCE,))
        row = await cursor.fetchone()
        if row is not None and row[0]:
            for job in await app.job_manager.list_jobs_async(status=Status.DOING.value):
                await self._take_over(app, job)
            await app.job_manager.prune_stalled_workers(0)
        await presence.execute("SELECT pg_advisory_lock_shared(%s)", (_PRESENCE,))
        if row is not None and row[0]:
            await presence.execute("SELECT pg_advisory_unlock(%s)", (_PRESENCE,))

    async def _take_jobs(self, app: App, queue: str, count: int) -> None:
        await app.run_worker_async(
            queues=[queue],
            name=queue,
            concurrency=count,
            install_signal_handlers=False,
            fetch_job_polling_interval=_POLL,
            delete_jobs="always",  # what is to be remembered of them is in tables of ours
            shutdown_graceful_timeout=self.grace,
            update_heartbeat_interval=_HEARTBEAT,
            stalled_worker_timeout=_OVERDUE,
        )

    async def _keep_up(self, app: App) -> None:
        while not self._stopping.is_set():
            for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=_OVERDUE):
                await self._take_over(app, job)
            await _in_thread(self.upkeep)
            await self._pause(_LOOK)

    async def _take_over(self, app: App, job: Job) -> None:
        """Put another job in the place of one that a dead process had in hand."""
        # Not the same: the process may only have slept. Then it ends its own job, and not the one of another process.
        log.warning("%s is begun again: the process that had it in hand is gone.", job.call_string)
        deferrer = app.configure_task(
            job.task_name, queue=job.queue, lock=job.lock, queueing_lock=job.queueing_lock, priority=job.priority
        )
        # The other job first: a kill between the two must not lose the work.
        with contextlib.suppress(AlreadyEnqueued):
            await deferrer.defer_async(**job.task_kwargs)
        if job.id is not None:
            with contextlib.suppress(ConnectorException):  # another process has just done the same
                await app.job_manager.finish_job_by_id_async(job.id, Status.FAILED, delete_job=True)

    def _in_thread(self, run: Callable[..., None]) -> Callable[..., Awaitable[None]]:
        async def task(context: JobContext, **arguments: object) -> None:
            # What a job is about stands in each line of the log.
            with bound_contextvars(job=context.job.task_name, attempts=context.job.attempts, **arguments):
                try:
                    await _in_thread(run, context.job.attempts, **arguments)
                except TryAgain:
                    raise
                except Exception:
                    log.exception("A job failed.")
                    raise
                finally:
                    with self._job_ended:
                        self._job_ended.notify_all()

        return task

    async def _until_stopping(self) -> None:
        await self._stopping.wait()

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return


async def _limit_pauses(connection: AsyncConnection) -> None:
    await connection.execute(*pause_limit())
    await connection.commit()


def _note_error(_loop: asyncio.AbstractEventLoop, about: Mapping[str, Any]) -> None:
    """Log an error that nobody waited for, as of a query that was cut off by the end of the worker."""
    log.info("%s", about.get("message"), exc_info=about.get("exception"))


async def _until_unrecorded(unrecorded: asyncio.Event) -> None:
    await unrecorded.wait()
    raise _Unrecorded("the end of a job could not be recorded")


async def _in_thread(run: Callable[..., None], /, *arguments: object, **named: object) -> None:
    """Run a function in a thread that does not hold up the end of the process."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[None] = loop.create_future()

    def tell(error: BaseException | None) -> None:
        if not result.done():
            if error is None:
                result.set_result(None)
            else:
                result.set_exception(error)

    def call() -> None:
        outcome: BaseException | None = None
        try:
            run(*arguments, **named)
        except BaseException as error:
            outcome = error
        with contextlib.suppress(RuntimeError):  # the worker has stopped meanwhile
            loop.call_soon_threadsafe(tell, outcome)

    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(call,), name="backport-job", daemon=True).start()
    await result

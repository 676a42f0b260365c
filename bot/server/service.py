"""Assembles the webhook service: the endpoint, the queue, the worker, and the handler of deliveries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bot.commands.triggers import Trigger, parse_delivery
from bot.environment.loopback import run_server
from bot.handlers.serve_trigger import answer
from bot.models import TargetOutcome
from bot.pipeline.context import RepositoryContext
from bot.server.acknowledge import Acknowledger
from bot.server.connections import PatientProtocol
from bot.server.delivery_queue import Delivery, Journal
from bot.server.served_repository import Naming
from bot.server.webhooks import webhook_app
from bot.server.worker import Worker

OnResults = Callable[[tuple[TargetOutcome, ...]], None]


@dataclass(frozen=True, slots=True)
class Service:
    """A running service. `url` is where GitHub is to send its deliveries."""

    url: str
    journal: Journal
    worker: Worker


@contextmanager
def running_service(
    context: RepositoryContext,
    *,
    directory: Path,
    secret: str,
    own_login: str | None = None,
    port: int = 0,
    on_results: OnResults,
) -> Iterator[Service]:
    """Serve webhooks on 127.0.0.1 while the block runs. Deliveries that an earlier process left are served first.

    `directory` keeps the queue. `on_results` gets the results of each request. Put a reverse proxy with TLS in front
    for deliveries from outside.
    """

    names = Naming(context)
    # One thread serves all deliveries: it comes back to what GitHub does not know yet in place of waiting for it.
    patient = replace(context, pauses=(), retries_later=True)

    def work(delivery: Delivery) -> None:
        trigger = parse_delivery(delivery.event, delivery.payload, own_login=own_login)
        if trigger is not None and names.means_ours(trigger.repository, delivery.payload):
            on_results(answer(trigger, patient))

    with ExitStack() as stack:
        journal = Journal(directory / "deliveries.sqlite")
        stack.callback(journal.close)
        worker = Worker(journal, work)
        acknowledger = Acknowledger(stack.enter_context(context.github.for_another_thread()))

        def accept(trigger: Trigger) -> None:
            acknowledger.notice(trigger)
            worker.wake()

        app = webhook_app(journal, secret=secret, on_accept=accept)
        url = stack.enter_context(run_server(app, port=port, protocol=PatientProtocol))
        acknowledger.start()
        stack.callback(acknowledger.stop)
        worker.start()
        stack.callback(worker.stop)
        yield Service(f"{url}/webhook", journal, worker)

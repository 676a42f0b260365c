"""Deliveries of webhooks: signed, sent over real HTTP by one thread, recorded with what came back.

Owns the queue and the record. Payloads are `events`. An endpoint that is down is recorded, never an error here.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import queue
import threading
import time
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from bot.fake_github.accounts import now
from bot.fake_github.state import Repository, Webhook

TIMEOUT = 10.0
"""Seconds GitHub gives an endpoint to answer."""


@dataclass(kw_only=True)
class Delivery:
    """One attempt. `status_code` is 0 while it is under way and when no answer came; `error` says why none came."""

    id: int
    guid: str
    hook: Webhook
    repository: str
    repository_id: int
    event: str
    payload: dict[str, Any]
    delivered_at: datetime
    redelivery: bool = False
    status_code: int = 0
    error: str = ""
    duration: float = 0.0
    response_headers: dict[str, str] = field(default_factory=dict)
    response_body: str = ""
    done: bool = False

    @property
    def action(self) -> str | None:
        """The payload's action, where its event has one."""
        return self.payload.get("action")

    @property
    def body(self) -> bytes:
        """The exact bytes that are signed and sent."""
        return json.dumps(self.payload, separators=(",", ":"), ensure_ascii=False).encode()

    @property
    def request_headers(self) -> dict[str, str]:
        """What GitHub sends along."""
        headers = {
            "Accept": "*/*",
            "Content-Type": "application/json",
            "User-Agent": "GitHub-Hookshot/fake",
            "X-GitHub-Delivery": self.guid,
            "X-GitHub-Event": self.event,
            "X-GitHub-Hook-ID": str(self.hook.id),
            "X-GitHub-Hook-Installation-Target-ID": str(self.repository_id),
            "X-GitHub-Hook-Installation-Target-Type": "repository",
        }
        if self.hook.secret:
            headers["X-Hub-Signature"] = f"sha1={_digest(self.hook.secret, self.body, 'sha1')}"
            headers["X-Hub-Signature-256"] = f"sha256={_digest(self.hook.secret, self.body, 'sha256')}"
        return headers


def _digest(secret: str, body: bytes, algorithm: str) -> str:
    return hmac.new(secret.encode(), body, getattr(hashlib, algorithm)).hexdigest()


class Dispatcher:
    """Sends deliveries one after the other, in the order of their events."""

    def __init__(self) -> None:
        self._waiting: queue.Queue[Delivery | None] = queue.Queue()
        self._idle = threading.Condition()
        self._record: list[Delivery] = []
        self._thread = threading.Thread(target=self._work, name="fake-github-webhooks", daemon=True)

    def start(self) -> None:
        """Start the sending thread."""
        self._thread.start()

    def stop(self) -> None:
        """Send nothing more; returns when the delivery under way has ended."""
        self._waiting.put(None)
        self._thread.join()

    def send(self, repository: Repository, event: str, payload: dict[str, Any]) -> None:
        """Queue an event for every active webhook of the repository that wants it."""
        for hook in repository.webhooks.values():
            if hook.active and (event in hook.events or "*" in hook.events or event == "ping"):
                self.send_to(hook, repository, event, payload)

    def send_to(self, hook: Webhook, repository: Repository, event: str, payload: dict[str, Any]) -> Delivery:
        """Queue an event for one webhook."""
        return self._queue(
            Delivery(
                id=0,
                guid=str(uuid.uuid4()),
                hook=hook,
                repository=repository.full_name,
                repository_id=repository.id,
                event=event,
                payload=payload,
                delivered_at=now(),
            )
        )

    def redeliver(self, delivery_id: int) -> Delivery:
        """Send a recorded delivery again, with the same guid. Raises KeyError for an id that was never given."""
        for old in self.deliveries():
            if old.id == delivery_id:
                return self._queue(
                    Delivery(
                        id=0,
                        guid=old.guid,
                        hook=old.hook,
                        repository=old.repository,
                        repository_id=old.repository_id,
                        event=old.event,
                        payload=old.payload,
                        delivered_at=now(),
                        redelivery=True,
                    )
                )
        raise KeyError(delivery_id)

    def deliveries(self) -> tuple[Delivery, ...]:
        """List every attempt, oldest first."""
        with self._idle:
            return tuple(self._record)

    def wait(self, timeout: float) -> None:
        """Return when every queued delivery has ended. Raises TimeoutError after `timeout` seconds."""
        with self._idle:
            if not self._idle.wait_for(lambda: all(one.done for one in self._record), timeout):
                open_ones = [f"{one.event} to {one.hook.url}" for one in self._record if not one.done]
                raise TimeoutError(f"not delivered after {timeout:g} s: {', '.join(open_ones)}")

    def _queue(self, delivery: Delivery) -> Delivery:
        with self._idle:
            delivery.id = len(self._record) + 1
            self._record.append(delivery)
        self._waiting.put(delivery)
        return delivery

    def _work(self) -> None:
        while (delivery := self._waiting.get()) is not None:
            _attempt(delivery)
            with self._idle:
                delivery.done = True
                self._idle.notify_all()


def _attempt(delivery: Delivery) -> None:
    target = urlsplit(delivery.hook.url)
    kind = HTTPSConnection if target.scheme == "https" else HTTPConnection
    connection = kind(target.hostname or "", target.port, timeout=TIMEOUT)
    path = (target.path or "/") + (f"?{target.query}" if target.query else "")
    started = time.monotonic()
    try:
        connection.request("POST", path, delivery.body, delivery.request_headers)
        answer = connection.getresponse()
        delivery.response_body = answer.read(65536).decode(errors="replace")
        delivery.response_headers = dict(answer.getheaders())
        delivery.status_code = answer.status
    except (OSError, HTTPException) as error:
        delivery.error = f"{type(error).__name__}: {error}"
    finally:
        connection.close()
        delivery.duration = round(time.monotonic() - started, 3)

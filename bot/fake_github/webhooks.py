"""Deliveries of webhooks: signed, sent over real HTTP by one thread, recorded with what came back.

An endpoint that is down is recorded, never an error. Payloads are made in `events`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import queue
import threading
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from bot.fake_github.accounts import now
from bot.fake_github.repository_records import Repository, Webhook

TIMEOUT = 10.0
"""Seconds GitHub gives an endpoint to answer."""


@dataclass(kw_only=True)
class Delivery:
    """One attempt. `status_code` is 0 while it is under way and when no answer came; `error` says why none came."""

    guid: str
    hook: Webhook
    repository_id: int
    event: str
    payload: dict[str, Any]
    delivered_at: datetime = field(default_factory=now)
    status_code: int = 0
    error: str = ""
    done: bool = False

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
            "X-GitHub-Hook-Installation-Target-ID": str(self.hook.app_id or self.repository_id),
            "X-GitHub-Hook-Installation-Target-Type": "integration" if self.hook.app_id else "repository",
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
        self._queue: queue.Queue[Delivery | None] = queue.Queue()
        self._idle = threading.Condition()
        self._deliveries: list[Delivery] = []
        self._thread = threading.Thread(target=self._work, name="fake-github-webhooks", daemon=True)

    def start(self) -> None:
        """Start the sending thread."""
        self._thread.start()

    def stop(self) -> None:
        """Send nothing more; returns when the delivery under way has ended."""
        self._queue.put(None)
        self._thread.join()

    def send(self, repository: Repository, event: str, payload: dict[str, Any]) -> None:
        """Queue an event for every webhook of the repository that wants it."""
        for hook in repository.webhooks:
            if event in hook.events:
                self.send_to(hook, repository, event, payload)

    def send_to(self, hook: Webhook, repository: Repository, event: str, payload: dict[str, Any]) -> None:
        """Queue an event for one webhook, as those that an App always gets."""
        guid = str(uuid.uuid4())
        delivery = Delivery(guid=guid, hook=hook, repository_id=repository.id, event=event, payload=payload)
        with self._idle:
            self._deliveries.append(delivery)
        self._queue.put(delivery)

    def deliveries(self) -> tuple[Delivery, ...]:
        """List every attempt, oldest first."""
        with self._idle:
            return tuple(self._deliveries)

    def wait(self, timeout: float) -> None:
        """Return when every queued delivery has ended. Raises TimeoutError after `timeout` seconds."""
        with self._idle:
            if not self._idle.wait_for(lambda: all(delivery.done for delivery in self._deliveries), timeout):
                late = [delivery for delivery in self._deliveries if not delivery.done]
                names = ", ".join(f"{delivery.event} to {delivery.hook.url}" for delivery in late)
                raise TimeoutError(f"not delivered after {timeout:g} s: {names}")

    def _work(self) -> None:
        while (delivery := self._queue.get()) is not None:
            _attempt(delivery)
            with self._idle:
                delivery.done = True
                self._idle.notify_all()


def _attempt(delivery: Delivery) -> None:
    target = urlsplit(delivery.hook.url)
    connection_type = HTTPSConnection if target.scheme == "https" else HTTPConnection
    connection = connection_type(target.hostname or "", target.port, timeout=TIMEOUT)
    try:
        connection.request("POST", target.path or "/", delivery.body, delivery.request_headers)
        response = connection.getresponse()
        response.read()
        delivery.status_code = response.status
    except (OSError, HTTPException) as error:
        delivery.error = f"{type(error).__name__}: {error}"
    finally:
        connection.close()

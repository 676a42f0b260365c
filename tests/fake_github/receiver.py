"""An HTTP endpoint for webhooks: a real server on loopback that keeps what it got."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any


@dataclass
class ReceivedDelivery:
    """One webhook as it arrived."""

    headers: dict[str, str]
    body: bytes

    @property
    def payload(self) -> Any:
        """The JSON in it."""
        return json.loads(self.body)


@dataclass
class Receiver:
    """Where to send webhooks, and what came. Each is answered with 202."""

    url: str
    received: list[ReceivedDelivery] = field(default_factory=list)

    def events(self) -> list[str]:
        """List the events by name and action."""
        actions = (delivery.payload.get("action", "") for delivery in self.received)
        return [
            f"{delivery.headers['X-GitHub-Event']} {action}".strip()
            for delivery, action in zip(self.received, actions, strict=True)
        ]


@contextmanager
def serve_receiver() -> Iterator[Receiver]:
    """Serve an endpoint while the block runs."""
    receiver = Receiver("")

    class Endpoint(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.received.append(ReceivedDelivery(dict(self.headers), body))
            self.send_response(202)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Stay quiet."""

    with HTTPServer(("127.0.0.1", 0), Endpoint) as server:
        receiver.url = f"http://127.0.0.1:{server.server_port}/webhook"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield receiver
        server.shutdown()
        thread.join()

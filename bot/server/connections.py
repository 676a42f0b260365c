"""Connections of the webhook endpoint: how long a request may take to arrive, and how many may be arriving at once.

uvicorn has a time limit only between requests, so a client that stops in the middle of one would stay for ever.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

# GitHub itself gives up after 10 seconds: https://docs.github.com/webhooks/using-webhooks/handling-webhook-deliveries
SECONDS = 10.0
MAX_CONNECTIONS = 200
"""GitHub and a reverse proxy use few connections; each may hold 64 kB of headers before its request is looked at."""


class PatientProtocol(H11Protocol):
    """HTTP/1.1 that drops a connection whose request is not whole in time; of too many, the one that began first."""

    _deadline: asyncio.TimerHandle | None = None
    _since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Give the first request its time."""
        super().connection_made(transport)
        self._give_time()
        if len(self.connections) > MAX_CONNECTIONS:
            self._drop_oldest()

    def data_received(self, data: bytes) -> None:
        """Take part of a request; a byte now and then buys no more time."""
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Give the next request its time."""
        super().on_response_complete()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._stop_clock()
        super().connection_lost(exc)

    def _watch(self) -> None:
        if not self._is_arriving():
            self._stop_clock()
        elif self._deadline is None:
            self._give_time()

    def _is_arriving(self) -> bool:
        # An answer may come before the end of a body, whose rest is then waited for as well.
        return self.cycle is None or self.cycle.response_complete or self.cycle.more_body

    def _give_time(self) -> None:
        self._since = self.loop.time()
        self._deadline = self.loop.call_later(SECONDS, self._drop)

    def _stop_clock(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _drop(self) -> None:
        self.transport.abort()

    def _drop_oldest(self) -> None:
        protocols = [
            protocol for protocol in self.connections if isinstance(protocol, PatientProtocol) and protocol._deadline
        ]
        min(protocols, key=lambda protocol: protocol._since)._drop()

"""The request log and the failures that tests ask for, as one ASGI layer around the application.

No header and no body is logged, so never a token.
"""

from __future__ import annotations

import asyncio
import re
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from bot.fake_github.rest_http import PREFIX


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One request as it was answered. `status` is 0 where no answer was sent; `login` is the sender."""

    method: str
    path: str
    status: int
    login: str | None


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request with its whole answer. `url` has the query. Injected failures are not among them."""

    method: str
    url: str
    status: int
    content_type: str
    body: bytes


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A failure to come: an HTTP status, "timeout" (no answer until the client leaves) or "reset" (TCP reset).

    It waits for a request whose body holds a text, if `holding` is given: GraphQL has one path for everything.
    """

    method: str
    path: re.Pattern[str]
    holding: bytes = b""
    ending: int | str
    after_effect: bool
    headers: Mapping[str, str]
    body: bytes


class Connections:
    """The open TCP connections by peer, so that one can be cut."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, int], asyncio.Transport] = {}

    def protocol(self) -> type[asyncio.Protocol]:
        """Return uvicorn's HTTP protocol with a record of its connections."""
        connections = self._open

        class ConnectionLog(H11Protocol):
            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
                super().connection_made(transport)
                connections[transport.get_extra_info("peername")] = transport

            def connection_lost(self, exc: Exception | None) -> None:
                connections.pop(self.transport.get_extra_info("peername"), None)
                super().connection_lost(exc)

        return ConnectionLog

    def reset(self, peer: tuple[str, int]) -> None:
        """Cut a connection so that the client sees a reset, not an end."""
        transport = self._open.get(peer)
        if transport is not None:
            linger = struct.pack("ii", 1, 0)
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            transport.abort()


class FaultInjector:
    """The ASGI layer. `closing` says whether the server is about to end; then no client is kept waiting."""

    def __init__(self, app: ASGIApp, connections: Connections, closing: Callable[[], bool]) -> None:
        self._app = app
        self._connections = connections
        self._closing = closing
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._log: list[LoggedRequest] = []
        self._silent: set[tuple[str, int]] = set()
        self.watchers: list[Callable[[Exchange], None]] = []

    def expect(self, fault: Fault) -> None:
        """Let the next request that fits fail."""
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """Forget the failures that have not come yet."""
        with self._lock:
            self._faults.clear()

    def requests(self) -> tuple[LoggedRequest, ...]:
        """List what was asked so far, in the order of the answers."""
        with self._lock:
            return tuple(self._log)

    def is_silent(self, peer: tuple[str, int]) -> bool:
        """Return whether a client, by the address of its end, waits for an answer that will not come."""
        with self._lock:
            return peer in self._silent

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection's request."""
        if scope["type"] != "http":
            return
        scope.setdefault("state", {})
        content, receive = await self._read_ahead(scope, receive)
        fault = self._take_fault(scope, content)
        recorder = _Recorder(send, lambda: self._record(scope, recorder, injected=fault is not None))
        if fault is None:
            await self._app(scope, receive, recorder.send)
            return
        if fault.after_effect:
            await self._app(scope, receive, _discard)
        await self._fail(fault, scope, receive, recorder.send)
        if recorder.status == 0:
            self._record(scope, recorder, injected=True)

    async def _fail(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        if isinstance(fault.ending, int):
            response = Response(fault.body, fault.ending, dict(fault.headers), "application/json; charset=utf-8")
            await response(scope, receive, send)
            return
        peer = tuple(scope["client"])
        if fault.ending == "reset":
            self._connections.reset(peer)
        else:
            self._note_silence(peer, True)
        await self._wait_for_departure(receive)
        self._note_silence(peer, False)

    def _note_silence(self, peer: tuple[str, int], silent: bool) -> None:
        with self._lock:
            (self._silent.add if silent else self._silent.discard)(peer)

    async def _wait_for_departure(self, receive: Receive) -> None:
        while not self._closing():
            try:
                message = await asyncio.wait_for(receive(), 0.2)
            except TimeoutError:
                continue
            if message["type"] == "http.disconnect":
                return

    async def _read_ahead(self, scope: Scope, receive: Receive) -> tuple[bytes, Receive]:
        """Return a request's body, if a fault depends on it, and what gives it to the application once more."""
        path = _path(scope).removeprefix(PREFIX)
        with self._lock:
            if not any(fault.holding and fault.path.search(path) for fault in self._faults):
                return b"", receive
        content, more = b"", True
        while more:
            message = await receive()
            content, more = content + message.get("body", b""), message.get("more_body", False)
        again: list[Message] = [{"type": "http.request", "body": content, "more_body": False}]

        async def replay() -> Message:
            return again.pop() if again else await receive()

        return content, replay

    def _take_fault(self, scope: Scope, content: bytes) -> Fault | None:
        path = _path(scope).removeprefix(PREFIX)
        with self._lock:
            for fault in self._faults:
                if fault.method in {"*", scope["method"]} and fault.path.search(path) and fault.holding in content:
                    self._faults.remove(fault)
                    return fault
        return None

    def _record(self, scope: Scope, recorder: _Recorder, *, injected: bool) -> None:
        entry = LoggedRequest(scope["method"], _path(scope), recorder.status, scope["state"].get("login"))
        with self._lock:
            self._log.append(entry)
        if self.watchers and not injected:
            url = scope["raw_path"].decode() + (f"?{query}" if (query := scope["query_string"].decode()) else "")
            exchange = Exchange(entry.method, url, entry.status, recorder.content_type, bytes(recorder.body))
            for watcher in self.watchers:
                watcher(exchange)


class _Recorder:
    """Passes an answer on and keeps what it was.

    `on_end` is called before the last part is sent: a client that has its answer finds it in the log.
    """

    def __init__(self, send: Send, on_end: Callable[[], None]) -> None:
        self._send = send
        self._on_end = on_end
        self.status = 0
        self.content_type = ""
        self.body = bytearray()

    async def send(self, message: Message) -> None:
        """Take one part of the answer."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers: dict[bytes, Any] = dict(message.get("headers", []))
            self.content_type = headers.get(b"content-type", b"").decode()
        else:
            if self.content_type.startswith("application/json"):
                self.body += message.get("body", b"")
            if not message.get("more_body", False):
                self._on_end()
        await self._send(message)


async def _discard(_message: Message) -> None:
    """Send nothing: the effect stays and the answer is lost."""


def _path(scope: Scope) -> str:
    return unquote(scope["raw_path"].decode())

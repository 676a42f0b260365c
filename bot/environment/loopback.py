"""Opens sockets, by default on 127.0.0.1, and serves an ASGI application from a thread of this process."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import uvicorn
from starlette.types import ASGIApp

from bot.errors import BackportError

LOOPBACK = "127.0.0.1"


def listen(port: int = 0, host: str = LOOPBACK) -> socket.socket:
    """Open the socket of a server. Port 0 takes a free one. `host` is an address of this machine, or 0.0.0.0 for all.

    Nagle's algorithm is off: a response is sent in two parts, and the second would wait 40 ms for an acknowledgement.
    asyncio turns it off only on sockets that it made itself.

    Raises:
        BackportError: the port is in use, or this account may not open it.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family)
    except OSError as error:
        raise BackportError(
            f"Port {port} on {host} cannot be opened ({os.strerror(error.errno or 0)}), so nothing is served.",
            hint="End the program that uses it, or give another with --port; 0 takes a free one.",
        ) from error
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


class PromptServer(uvicorn.Server):
    """A server that stops at once. uvicorn's own looks for a stop only ten times a second."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._told = asyncio.Event()

    def end(self) -> None:
        """Let it end; any thread may call this."""
        self.should_exit = True
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended by itself
                self._loop.call_soon_threadsafe(self._told.set)

    async def main_loop(self) -> None:
        """Do what is due each tenth of a second, until the end."""
        self._loop, tick = asyncio.get_running_loop(), 0
        while not await self.on_tick(tick):
            tick += 1
            with suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), 0.1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close what is open. Where answers are under way, uvicorn waits for them."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        for _ in range(10):
            if not self.server_state.connections and not self.server_state.tasks:
                return
            await asyncio.sleep(0.002)
        await super().shutdown(sockets)


@contextmanager
def run_server(
    app: ASGIApp, *, host: str = LOOPBACK, port: int = 0, protocol: type[asyncio.Protocol] | None = None
) -> Iterator[str]:
    """Serve `app` while the block runs, and yield its URL, e.g. http://127.0.0.1:40123.

    Port 0 takes a free one. `protocol` replaces uvicorn's own HTTP protocol. The socket is bound before the block
    begins, so no request comes too early.

    Raises:
        BackportError: the port is in use, or this account may not open it.
    """
    listener = listen(port, host)
    # No lifespan, no signal handlers, no access log: the thread ends with the block and prints nothing.
    config = uvicorn.Config(
        app,
        http=protocol or "auto",
        log_level="error",
        log_config=None,  # its lines go where all lines go
        access_log=False,
        lifespan="off",
        proxy_headers=False,  # who sent a request is whoever is at the other end of the connection
        timeout_graceful_shutdown=5,
    )
    server = PromptServer(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="loopback", daemon=True)
    thread.start()
    try:
        name = f"[{host}]" if ":" in host else host
        yield f"http://{name}:{listener.getsockname()[1]}"
    finally:
        server.end()
        thread.join()
        listener.close()

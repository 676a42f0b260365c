"""Clients that stop in the middle of a request, drip bytes, or come in hundreds."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest
import requests
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.environment.loopback import run_server
from bot.server import connections
from bot.server.connections import PatientProtocol


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serve an endpoint that reads the body and one that does not, with a second for a request to arrive."""
    monkeypatch.setattr(connections, "SECONDS", 1.0)
    monkeypatch.setattr(connections, "MAX_CONNECTIONS", 20)

    async def read(request: Request) -> Response:
        try:
            return PlainTextResponse(str(len(await request.body())))
        except ClientDisconnect:
            return Response(status_code=400)

    async def ignore(_request: Request) -> Response:
        return PlainTextResponse("answered before the body is here")

    routes = [Route("/read", read, methods=["POST"]), Route("/ignore", ignore, methods=["POST"])]
    with run_server(Starlette(routes=routes), protocol=PatientProtocol) as address:
        yield address


def _connect(url: str, begin: bytes) -> socket.socket:
    parts = urlsplit(url)
    connection = socket.create_connection((parts.hostname or "", parts.port or 0), timeout=100)
    connection.sendall(begin)
    return connection


def _is_closed(connection: socket.socket) -> bool:
    try:
        while connection.recv(1000):
            pass
    except TimeoutError:
        return False
    except OSError:
        return True
    return True


@pytest.mark.parametrize(
    "begin",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"POST /read HT", id="half a line"),
        pytest.param(b"POST /read HTTP/1.1\r\nHost: x\r\nX: ", id="half a header"),
        pytest.param(b"POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{", id="half a body"),
        pytest.param(
            b"POST /ignore HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{", id="an answer before the end"
        ),
        pytest.param(
            b"POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\nPOST /re", id="half a second request"
        ),
    ],
)
def test_a_request_that_is_not_whole_in_time_is_dropped(url: str, begin: bytes) -> None:
    with _connect(url, begin) as connection:
        assert _is_closed(connection)


@pytest.mark.parametrize("path", ["read", "ignore"])
def test_a_byte_now_and_then_buys_no_time(url: str, path: str) -> None:
    started = time.monotonic()
    with _connect(url, f"POST /{path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n".encode()) as connection:
        with contextlib.suppress(OSError):  # a broken pipe or a reset, as it happens
            while time.monotonic() - started < 300:
                connection.sendall(b"x")
                time.sleep(0.1)
        assert time.monotonic() - started < 30


def test_hundreds_of_idle_clients_keep_nobody_out(url: str) -> None:
    with ExitStack() as stack:
        idle = [stack.enter_context(_connect(url, b"POST /read HTTP/1.1\r\n")) for _ in range(100)]
        assert requests.post(f"{url}/read", data=b"four", timeout=60).text == "4"
        assert _is_closed(idle[0]), "the one that began first makes room"


def test_a_connection_is_used_for_one_request_after_another(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's clock goes on by less than a request's time after each, and by more than that all together."""
    ahead = 0.0
    monkeypatch.setattr(connections, "SECONDS", 600.0)
    monkeypatch.setattr(asyncio.BaseEventLoop, "time", lambda _: time.monotonic() + ahead)
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=100)
    with contextlib.closing(connection):
        for _ in range(4):
            connection.request("POST", "/read", body=b"x" * 1000)
            assert connection.getresponse().read() == b"1000"
            ahead += 400

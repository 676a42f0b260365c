"""A trace of one run: how long git, GitHub and the proofs took, as spans that lie in each other.

Nothing is recorded unless `record` is at work. A span holds no text of a comment, a title or a message: names of
branches and commands, numbers, what was asked of GitHub, and the paths of requests.
"""

from __future__ import annotations

import json
import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot import __version__
from bot.environment.data_folder import private_file

Value = str | int
_ERROR, _INTERNAL = 2, 1
"""OpenTelemetry's status of a failure, and the kind of a span within a process."""


@dataclass(slots=True)
class Span:
    """One span. Attributes may be added until it ends."""

    name: str
    parent: str
    attributes: dict[str, Value]
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    start: int = field(default_factory=time.time_ns)
    end: int = 0
    failed: bool = False
    events: list[tuple[int, str, dict[str, Value]]] = field(default_factory=list)


@dataclass(slots=True)
class Trace:
    """All spans of a run, in the order in which they began; the first holds the others."""

    id: str = field(default_factory=lambda: secrets.token_hex(16))
    spans: list[Span] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


Render = Callable[[Trace], str]
"""A trace → the text of a file."""

_recording: Trace | None = None
# A thread of a pool begins without its maker's span, so its spans belong to the whole run.
_current: ContextVar[Span | None] = ContextVar("span", default=None)


def is_recording() -> bool:
    """Say whether spans are kept, for what costs time to find out."""
    return _recording is not None


@contextmanager
def span(name: str, **attributes: Value) -> Iterator[Span]:
    """Record what happens inside as a span; an exception marks it as failed."""
    recording = _recording
    parent = _current.get() or (recording.spans[0] if recording is not None and recording.spans else None)
    this = Span(name, parent.id if parent else "", attributes)
    if recording is None:
        yield this
        return
    with recording.lock:
        recording.spans.append(this)
    token = _current.set(this)
    try:
        yield this
    except BaseException:
        this.failed = True
        raise
    finally:
        _current.reset(token)
        this.end = time.time_ns()


@contextmanager
def record(files: Mapping[Path, Render], name: str) -> Iterator[None]:
    """Keep all spans inside, under one of this name, and write them to files at the end, whatever the end is.

    Raises OSError if a file cannot be written. Only its owner may read it.
    """
    global _recording  # noqa: PLW0603 - a process has one trace
    recording = _recording = Trace()
    requests = _RequestEvents()
    connections = logging.getLogger("urllib3.connectionpool")
    before = connections.level, connections.propagate
    connections.addHandler(requests)
    connections.setLevel(logging.DEBUG)
    connections.propagate = before[0] != logging.NOTSET and before[1]
    try:
        with span(name):
            yield
    finally:
        connections.removeHandler(requests)
        connections.level, connections.propagate = before
        _recording = None
        _end_all(recording)
        for file, render in files.items():
            private_file(file).write_text(render(recording), encoding="utf-8")


def _end_all(trace: Trace) -> None:
    # A thread may still be at work.
    now = time.time_ns()
    for this in trace.spans:
        this.end = this.end or now


class _RequestEvents(logging.Handler):
    """Adds each HTTP request to the span that it was made in; urllib3 logs it with method, path, status and length."""

    def emit(self, record: logging.LogRecord) -> None:
        this, arguments = _current.get(), record.args
        if this is None or not isinstance(arguments, tuple) or len(arguments) != 8:
            return
        method, url, status, length = (str(arguments[index]) for index in (3, 4, 6, 7))
        attributes: dict[str, Value] = {"method": method, "path": url.partition("?")[0], "status": int(status)}
        if length.isdigit():
            attributes["bytes"] = int(length)
        this.events.append((time.time_ns(), "http request", attributes))


def render_json(trace: Trace) -> str:
    """Render a trace as OpenTelemetry's JSON.

    https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding: names are lowerCamelCase, ids are hexadecimal, and
    numbers of 64 bits are strings.
    """
    scope = {"scope": {"name": "backport-bot", "version": __version__}}
    resource = {"attributes": _attributes({"service.name": "backport-bot"})}
    spans = [_span_to_json(this, trace.id) for this in trace.spans]
    data = {"resourceSpans": [{"resource": resource, "scopeSpans": [{**scope, "spans": spans}]}]}
    return json.dumps(data, indent=1)


def _span_to_json(this: Span, trace: str) -> dict[str, Any]:
    events = [
        {"timeUnixNano": str(moment), "name": name, "attributes": _attributes(attributes)}
        for moment, name, attributes in this.events
    ]
    return {
        "traceId": trace,
        "spanId": this.id,
        **({"parentSpanId": this.parent} if this.parent else {}),
        "name": this.name,
        "kind": _INTERNAL,
        "startTimeUnixNano": str(this.start),
        "endTimeUnixNano": str(this.end),
        "attributes": _attributes(this.attributes),
        "events": events,
        "status": {"code": _ERROR} if this.failed else {},
    }


def _attributes(values: Mapping[str, Value]) -> list[dict[str, Any]]:
    return [
        {"key": key, "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}}
        for key, value in values.items()
    ]

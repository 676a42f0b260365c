"""Renders a trace as one HTML page: sums, and a bar for each span below a common axis of time.

The page has no script and loads nothing. Foreign text is escaped: a branch can have almost any name.
"""

from __future__ import annotations

from bot.environment.trace import Trace
from bot.report.html_pages import render_template
from bot.report.trace_rows import Kind, rows, totals

_MARKS = 4
"""Parts of the axis."""


def render_trace(trace: Trace) -> str:
    """Render the page."""
    first = trace.spans[0]
    seconds = (first.end - first.start) / 1e9
    shown, left_out = rows(trace)
    return render_template(
        "trace.html.j2",
        name=first.name,
        failed=first.failed,
        seconds=seconds,
        per_second=100 / seconds if seconds else 0.0,
        totals=totals(trace),
        rows=shown,
        left_out=left_out,
        marks=[seconds * mark / _MARKS for mark in range(_MARKS + 1)],
        classes={kind: kind.name.lower() for kind in Kind},
        size_text=size_text,
        seconds_text=seconds_text,
    )


def size_text(size: int) -> str:
    """Return a number of bytes for people; empty for none."""
    if not size:
        return ""
    if size < 1_000:
        return f"{size} B"
    return f"{size / 1e3:.0f} kB" if size < 1_000_000 else f"{size / 1e6:.2f} MB"


def seconds_text(seconds: float) -> str:
    """Return a time for people."""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.2f} s" if seconds < 100 else f"{seconds:.0f} s"

"""Sums up a trace and puts it into rows for a picture: what took how long, and what it brought.

A span's own time is what none of the spans inside it took. It counts as what its outermost fetch, push, call or suite
run is, so that git's work inside a fetch is a part of that fetch.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from bot.environment.trace import Span, Trace
from bot.text.markdown import count

MOST_ROWS = 150
_NANOSECONDS = 1e9


class Kind(StrEnum):
    """What a moment of a run was spent on, in the words of the page."""

    FETCH = "git fetches"
    PUSH = "git pushes"
    GITHUB = "requests to GitHub"
    SUITE = "suite runs"
    GIT = "other git commands"
    BOT = "the bot itself"


_KINDS = {"fetch": Kind.FETCH, "push": Kind.PUSH, "github": Kind.GITHUB, "suite run": Kind.SUITE, "git": Kind.GIT}


@dataclass(slots=True)
class Total:
    """What one kind came to: its own seconds, how often it was, and the bytes it brought."""

    kind: Kind
    seconds: float = 0.0
    times: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the picture. `bars` are start and length in seconds; several git commands in a row share one."""

    kind: Kind
    depth: int
    name: str
    detail: str
    bars: tuple[tuple[float, float], ...]
    bytes: int = 0
    failed: bool = False

    @property
    def seconds(self) -> float:
        """The seconds of all bars."""
        return sum(length for _start, length in self.bars)


@dataclass(slots=True)
class _Tree:
    """The spans of a trace by the span that they lie in."""

    trace: Trace
    inside: dict[str, list[Span]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for span in self.trace.spans:
            self.inside[span.parent].append(span)

    def own_seconds(self, span: Span) -> float:
        """Return the seconds that a span took without those inside it, which may overlap."""
        covered, end = 0, span.start
        for inner in sorted(self.inside[span.id], key=lambda inner: inner.start):
            covered += max(0, min(inner.end, span.end) - max(inner.start, end))
            end = max(end, inner.end)
        return (span.end - span.start - covered) / _NANOSECONDS


def kind_of(span: Span) -> Kind:
    """Return what a span is; one that only holds others is the bot's."""
    return _KINDS.get(span.name, Kind.BOT)


def requests(span: Span) -> int:
    """Return the number of HTTP requests made in a span itself."""
    return sum(name == "http request" for _moment, name, _attributes in span.events)


def brought(span: Span) -> int:
    """Return the bytes that a span itself brought: a fetch's, or those of answers to requests."""
    values = [span.attributes.get("bytes", 0), *(attributes.get("bytes", 0) for _, _, attributes in span.events)]
    return sum(value for value in values if isinstance(value, int))


def totals(trace: Trace) -> list[Total]:
    """Return what each kind came to, without those that did not occur."""
    tree, result = _Tree(trace), {kind: Total(kind) for kind in Kind}

    def add(span: Span, outer: Kind) -> None:
        kind = outer if outer not in (Kind.BOT, Kind.GIT) else kind_of(span)
        result[kind].seconds += tree.own_seconds(span)
        # A few requests are made outside any call that is recorded.
        result[Kind.GITHUB].times += requests(span)
        result[Kind.GITHUB if requests(span) else kind].bytes += brought(span)
        if kind_of(span) is kind and kind not in (Kind.BOT, Kind.GITHUB):
            result[kind].times += 1
        for inner in tree.inside[span.id]:
            add(inner, kind)

    for span in tree.inside[""]:
        add(span, Kind.BOT)
    return [total for total in result.values() if total.times or total.kind is Kind.BOT]


def rows(trace: Trace) -> tuple[list[Row], int]:
    """Return the rows of the picture from top to bottom, and how many were left out, the shortest, as too many."""
    tree = _Tree(trace)
    start = trace.spans[0].start if trace.spans else 0
    result = list(_rows(tree, tree.inside[""], start, 0))
    longest = sorted(result, key=lambda row: -row.seconds)[:MOST_ROWS]
    limit = longest[-1].seconds if len(longest) < len(result) else 0.0
    shown = [row for row in result if row.seconds >= limit]
    return shown, len(result) - len(shown)


def _rows(tree: _Tree, spans: Sequence[Span], start: int, depth: int) -> Iterator[Row]:
    commands: list[Span] = []
    for span in spans:
        if kind_of(span) is Kind.GIT and not tree.inside[span.id]:
            commands.append(span)
            continue
        if commands:
            yield _commands_row(commands, start, depth)
            commands = []
        if kind_of(span) is not Kind.GITHUB or requests(span) or tree.inside[span.id]:
            yield _row(span, start, depth)
        # What git does for a fetch or a push is all of it.
        if kind_of(span) not in (Kind.FETCH, Kind.PUSH):
            yield from _rows(tree, tree.inside[span.id], start, depth + 1)
    if commands:
        yield _commands_row(commands, start, depth)


def _row(span: Span, start: int, depth: int) -> Row:
    return Row(
        kind=kind_of(span),
        depth=depth,
        name="GitHub" if kind_of(span) is Kind.GITHUB else span.name,
        detail=_detail(span),
        bars=(_bar(span, start),),
        bytes=brought(span),
        failed=span.failed,
    )


def _detail(span: Span) -> str:
    attributes = span.attributes
    match kind_of(span):
        case Kind.FETCH:
            objects = attributes.get("objects", 0)
            return f"{count(int(objects), 'name')} asked for, {attributes.get('what') or 'all behind them'}"
        case Kind.GITHUB:
            paths = [f"{values.get('method')} {values.get('path')}" for _, _, values in span.events]
            return f"{attributes.get('action', '')}, {count(len(paths), 'request')}: {', '.join(paths)}"
        case _:
            return ", ".join(str(value) for key, value in attributes.items() if key != "code")


def _commands_row(commands: Sequence[Span], start: int, depth: int) -> Row:
    names = Counter(str(span.attributes.get("command", "")) for span in commands)
    detail = ", ".join(f"{name} ({times})" if times > 1 else name for name, times in names.most_common())
    return Row(
        kind=Kind.GIT,
        depth=depth,
        name=count(len(commands), "git command"),
        detail=detail,
        bars=tuple(_bar(span, start) for span in commands),
        failed=any(span.failed for span in commands),
    )


def _bar(span: Span, start: int) -> tuple[float, float]:
    return (span.start - start) / _NANOSECONDS, (span.end - span.start) / _NANOSECONDS

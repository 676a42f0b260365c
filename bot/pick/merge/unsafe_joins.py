"""Refuses merges that may be dangerous: half of one side's change beside half of the other's.

Each half can be safe and the whole an injection: one side drops the quoting because it passes a list, the other side
passes a string to a shell. So a statement is not joined if a side changed how text is quoted, concatenated, formatted
or run. A change of that is taken whole in a file or not at all. The target's own text is not dropped only because the
original's is likelier.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from bot.pick.align import edits
from bot.pick.merge.regions import LineRegion, Lines

_SIGN = re.compile(rb"\w+|[^\w\s]")
_TOUCHY_SIGN = frozenset([b'"', b"'", b"`", b"%", b"$", b"\\", b"{", b"}"])
_GUARDS = rb"quot|escap|saniti|shell|shlex|popen|subprocess|exec|eval|system|spawn|sql|verif|auth|passw|no_log"
_GUARD = re.compile(_GUARDS, re.IGNORECASE)
_WORD = re.compile(rb"\w+")
_TOUCHY_WORD = re.compile(
    rb"^(?:f|rf|fr|\w*(?:%s|format|join|command|cmd|args?v?|query|safe|markup|token|secret)\w*)$" % _GUARDS,
    re.IGNORECASE,
)
# A line with such an end continues on the next line. A line with such a start continues the line before.
_GOES_ON = (b",", b"\\", b"+", b"(", b"[", b"{", b"%", b"=", b"|", b"&", b".", b" and", b" or", b" not", b" in")
_GOES_BACK = (b")", b"]", b"}", b".", b"+", b"%", b"|", b"&", b"and ", b"or ", b"if ", b"else ", b'"', b"'")


def joins_dangerously(region: LineRegion, resolution: Lines) -> bool:
    """Return True if a statement has parts of both sides and a side changed something that keeps text from being code.

    The end of a statement is guessed from the lines. The guess prefers longer statements: a list that continues is one.
    """
    if resolution in (region.ours, region.theirs, region.base) or not any(_mixed_statements(region, resolution)):
        return False
    return _touches(region.base, region.ours) or _touches(region.base, region.theirs)


def _mixed_statements(region: LineRegion, resolution: Lines) -> Iterator[bool]:
    base, ours, theirs = ({line.strip() for line in side} for side in (region.base, region.ours, region.theirs))
    for statement in _statements(resolution):
        lines = {line.strip() for line in statement}
        yield bool(lines & (ours - base - theirs)) and bool(lines & (theirs - base - ours))
        yield not lines <= base | ours | theirs


def _statements(lines: Lines) -> Iterator[Lines]:
    start = 0
    for index in range(1, len(lines)):
        line_before, line = lines[index - 1].strip(), lines[index].strip()
        # A statement that is guessed too long is refused too often, never too rarely.
        if line_before.endswith(_GOES_ON) or line.startswith(_GOES_BACK):
            continue
        yield lines[start:index]
        start = index
    yield lines[start:]


def _touches(base: Lines, side: Lines) -> bool:
    old, new = _SIGN.findall(b"".join(base)), _SIGN.findall(b"".join(side))
    words = (word for edit in edits(old, new) for word in (*old[edit.start : edit.end], *edit.new))
    return any(word in _TOUCHY_SIGN or _TOUCHY_WORD.match(word) for word in words)


def discards_the_target(region: LineRegion, resolution: Lines) -> bool:
    """Return True if the original's text is taken and loses words that only the target has."""
    base, ours, theirs = (Counter(_SIGN.findall(b"".join(side))) for side in (region.base, region.ours, region.theirs))
    return resolution == region.theirs and bool((ours - theirs) - (base - theirs))


def takes_half_of_a_guard(base: bytes, theirs: bytes, resolutions: Iterable[tuple[LineRegion, Lines]]) -> bool:
    """Return True if the original changes how a file guards text from running, and a part of that is left out."""
    # The cheaper question comes first.
    return any(_leaves_out(region, resolution) for region, resolution in resolutions) and _changes_a_guard(base, theirs)


def _changes_a_guard(base: bytes, theirs: bytes) -> bool:
    """Return True if two versions of a file differ in how often a guarding word occurs."""
    before, after = Counter(base.split(b"\n")), Counter(theirs.split(b"\n"))
    removed_guards, added_guards = (
        _count_guards((lines - other_lines).elements()) for lines, other_lines in ((before, after), (after, before))
    )
    return removed_guards != added_guards


def _count_guards(lines: Iterable[bytes]) -> Counter[bytes]:
    return Counter(word for line in lines for word in _WORD.findall(line) if _GUARD.search(word))


def _leaves_out(region: LineRegion, resolution: Lines) -> bool:
    """Return True if a resolution lacks a word that the original adds here, or keeps one that it removes."""
    base, theirs, text = (Counter(_SIGN.findall(b"".join(side))) for side in (region.base, region.theirs, resolution))
    return bool((theirs - base) - text) or bool((base - theirs) & (text - theirs))

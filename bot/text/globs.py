"""Matches globs against labels, titles and paths, which may contain square brackets themselves.

Brackets in a glob are a set of characters or stand for themselves, by the rule of `compile_glob`. Branch names have no
brackets, as git forbids them: `bot.text.branch_names` matches those.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence

_TOKEN = re.compile(r"\*+|\?|\[!?[^\]*?]+\]|.", re.DOTALL)
_RANGE = re.compile(r"([0-9A-Za-z])-([0-9A-Za-z])")


def match_parts(pattern: str, name: str, match: Callable[[str, str], bool]) -> bool:
    """Match a name part by part, so that `*` stops at a slash and `**` alone takes any number of parts.

    `match` gets a part of the pattern and a part of the name, in this order.
    """
    patterns, parts = pattern.split("/"), name.split("/")

    positions = _skip_any({0}, patterns)
    for part in parts:
        wildcards = {place for place in positions if patterns[place : place + 1] == ["**"]}
        successors = {
            place + 1 for place in positions - wildcards if place < len(patterns) and match(patterns[place], part)
        }
        positions = _skip_any(wildcards | successors, patterns)
    return len(patterns) in positions


def _skip_any(places: set[int], patterns: Sequence[str]) -> set[int]:
    """Add to positions in a pattern those behind each `**` that follows them, as `**` may match no part."""
    positions = set(places)
    for place in sorted(places):
        while patterns[place : place + 1] == ["**"]:
            place += 1  # noqa: PLW2901
            positions.add(place)
    return positions


def matches_path(pattern: str, path: str) -> bool:
    """Match a path: `*` stops at a slash, `**` alone does not. For brackets see `compile_glob`."""
    return match_parts(pattern, path, lambda part, name: compile_glob(part).fullmatch(name) is not None)


def matches_any(patterns: Iterable[str], path: str) -> bool:
    """Say whether one of the patterns matches a path."""
    return any(matches_path(pattern, path) for pattern in patterns)


def matches_text(pattern: str, text: str) -> bool:
    """Match a whole text, in any case. For brackets see `compile_glob`."""
    return compile_glob(pattern, ignore_case=True).fullmatch(text) is not None


def matches_stars(pattern: str, text: str) -> bool:
    """Match a whole text: `*` is any text and all else stands for itself, as names of pytest's cases hold brackets."""
    prefix, *parts = pattern.split("*")
    if not parts:
        return pattern == text
    if len(text) < len(prefix) + len(parts[-1]) or not (text.startswith(prefix) and text.endswith(parts[-1])):
        return False
    # A regular expression would try every way to share the text out among the stars.
    place, end = len(prefix), len(text) - len(parts[-1])
    for part in parts[:-1]:
        place = text.find(part, place, end)
        if place < 0:
            return False
        place += len(part)
    return True


@functools.cache
def compile_glob(pattern: str, *, ignore_case: bool = False) -> re.Pattern[str]:
    """Return the regular expression of a glob with `*`, `?` and sets.

    Brackets always match themselves, as in `[Type] Bug` and `app/[slug]`. They are also a set of characters if they do
    not contain a word: ranges, digits and signs (`[0-9]`, `[!_]`), or one letter in both cases (`[Mm]akefile`).
    """
    first, *pieces = _split_at_stars(_TOKEN.findall(pattern))
    # The earliest match of each piece is enough, so nothing is tried twice: a pattern of many stars stays fast.
    middle = "".join(f"(?>.*?{piece})" for piece in pieces[:-1] if piece)
    expression = first + middle + (f".*{pieces[-1]}" if pieces else "")
    return re.compile(expression, re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def _split_at_stars(tokens: Iterable[str]) -> list[str]:
    """Return the expressions of the text before, between and after the stars."""
    pieces = [""]
    for token in tokens:
        if token[0] == "*":
            pieces.append("")
        else:
            pieces[-1] += _expression(token)
    return pieces


def _expression(piece: str) -> str:
    if piece == "?":
        return "."
    if len(piece) == 1:
        return re.escape(piece)
    literal, content = re.escape(piece), piece[1:-1].removeprefix("!")
    if not content or not _is_set(content):
        return literal
    return f"(?:{literal}|[{'^' if piece[1] == '!' else ''}{''.join(_members(content))}])"


def _is_set(content: str) -> bool:
    singles = _RANGE.sub("", content)
    letters = [letter for letter in singles if letter.isalpha()]
    ranges = _RANGE.findall(content)
    if any(first > last for first, last in ranges):
        return False
    return not letters or (len(letters) == 2 and letters[0] == letters[1].swapcase())


def _members(content: str) -> Iterator[str]:
    position = 0
    for span in _RANGE.finditer(content):
        yield re.escape(content[position : span.start()])
        yield span.group()
        position = span.end()
    yield re.escape(content[position:])

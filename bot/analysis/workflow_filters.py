"""Matches GitHub's patterns for branches and paths in a workflow's filters.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#filter-pattern-cheat-sheet

A workflow file is foreign text. So a pattern is matched in time proportional to its length, whatever it holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

LONGEST = 300
"""Characters of a pattern that is still read."""
_SET = re.compile(r"\[((?:[A-Za-z0-9]-[A-Za-z0-9]|[A-Za-z0-9])+)\]")
_UNKNOWN = frozenset("[]\\{}()|^$")


@dataclass(frozen=True, slots=True)
class _Token:
    """One step of a pattern: the characters that it takes, how often, and where one may go on without taking any."""

    characters: str
    repeats: bool = False
    skips: tuple[int, ...] = ()

    def takes(self, character: str) -> bool:
        match self.characters:
            case "**":
                return True
            case "*":
                return character != "/"
            case literal if len(literal) <= 1:
                return character == literal
            case members:
                return re.fullmatch(members, character) is not None


def selects(patterns: Iterable[str], text: str) -> bool | None:
    """Whether a list of patterns selects a branch or a path; the last one that matches decides. None if unknown."""
    is_selected = False
    for pattern in patterns:
        result = matches_filter(pattern.removeprefix("!"), text)
        if result is None:
            return None
        is_selected = not pattern.startswith("!") if result else is_selected
    return is_selected


def matches_filter(pattern: str, text: str) -> bool | None:
    """Whether one pattern matches a whole branch or path; None for a pattern whose meaning is not known for sure."""
    tokens = _tokens(pattern)
    if tokens is None:
        return None
    places = _skip({0}, tokens)
    for character in text:
        taking = {place for place in places if place < len(tokens) and tokens[place].takes(character)}
        after = {place + 1 for place in taking} | {place for place in taking if tokens[place].repeats}
        places = _skip(after, tokens)
    return len(tokens) in places


def _skip(places: set[int], tokens: Sequence[_Token]) -> set[int]:
    visited = set(places)
    queue = list(places)
    while queue:
        place = queue.pop()
        skips = tokens[place].skips if place < len(tokens) else ()
        queue += (new := {place + skip for skip in skips} - visited)
        visited |= new
    return visited


def _tokens(pattern: str) -> list[_Token] | None:
    if not pattern or len(pattern) > LONGEST or "***" in pattern:
        return None
    tokens: list[_Token] = []
    remainder = pattern
    while remainder:
        if remainder.startswith("**/") and (not tokens or tokens[-1].characters == "/"):
            tokens.append(_Token("", skips=(1, 3)))  # there it may stand for no folder at all
        token, length = _first(remainder)
        if token is None:
            modified = _modified(tokens, remainder[0])
            if modified is None:
                return None
            tokens[-1] = modified
        else:
            tokens.append(token)
        remainder = remainder[length:]
    return tokens


def _first(pattern: str) -> tuple[_Token | None, int]:
    for stars in ("**", "*"):
        if pattern.startswith(stars):
            return _Token(stars, repeats=True, skips=(1,)), len(stars)
    members = _SET.match(pattern)
    if members:
        return _Token(members.group()), members.end()
    return (None if pattern[0] in _UNKNOWN or pattern[0] in "+?" else _Token(pattern[0])), 1


def _modified(tokens: Sequence[_Token], sign: str) -> _Token | None:
    """Return the last token with `?` (at most once) or `+` (at least once) after it; None where they mean nothing."""
    if not tokens or sign not in "+?" or tokens[-1].repeats or tokens[-1].skips:
        return None
    return replace(tokens[-1], skips=(1,)) if sign == "?" else replace(tokens[-1], repeats=True)

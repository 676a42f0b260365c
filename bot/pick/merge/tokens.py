"""Merges by tokens: both sides changed one line, but different words of it.

Two edits inside one statement are independent only if an unchanged comma of the same list (parameters, arguments,
elements) lies between them. Two halves of one expression are never joined.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.pick.align import Edit, align, apply_edits
from bot.pick.merge.edits import combine
from bot.pick.merge.regions import LineRegion, Lines, split_lines

# A comma before a closing bracket only belongs to the line breaks of a list, so it counts as blank.
_TOKEN = re.compile(rb"((?:\s|,(?=\s*[\])}]))*)(\w+|[^\w\s]|\Z)")
_WORD = re.compile(rb"\w+|[ \t]+|\n|[^\w\s]|\s")


@dataclass(frozen=True, slots=True)
class Token:
    """A word or sign with the blank space before it."""

    blank: bytes
    text: bytes


def tokenize(lines: Lines) -> list[Token]:
    """Return the tokens; the last one has no text and carries the blank space at the end."""
    return [Token(*match.groups()) for match in _TOKEN.finditer(b"".join(lines))]


def merge_tokens(region: LineRegion) -> Lines | None:
    """Merge by tokens and keep the target's line breaks. None if two edits are not independent."""
    base, ours, theirs = (tokenize(side) for side in (region.base, region.ours, region.theirs))
    texts = [token.text for token in base]
    # A comma separates only if it is in the same brackets as the edits.
    depths = _depths(texts)

    def are_separate(first: Edit[bytes], second: Edit[bytes]) -> bool:
        return _independent(base, depths, first.end, second.start)

    edits = combine(texts, [t.text for t in ours], [t.text for t in theirs], are_separate)
    if edits is None:
        return None
    in_ours = dict(align(texts, [t.text for t in ours]))
    in_theirs = dict(align(texts, [t.text for t in theirs]))
    result: list[Token] = []
    index = 0
    for sided_edit in edits:
        result += [
            _unchanged_token(base, ours, theirs, in_ours, in_theirs, position)
            for position in range(index, sided_edit.edit.start)
        ]
        side, places = (theirs, in_theirs) if sided_edit.theirs else (ours, in_ours)
        result += _new_tokens(sided_edit.edit, side, places)
        index = sided_edit.edit.end
        # The blank space before this token belongs to the inserted ones on that side.
        if sided_edit.edit.new and index in places:
            token = _unchanged_token(base, ours, theirs, in_ours, in_theirs, index)
            result.append(_after_new(token, side[places[index]].blank))
            index += 1
    result += [
        _unchanged_token(base, ours, theirs, in_ours, in_theirs, position) for position in range(index, len(base))
    ]
    return tuple(split_lines(b"".join(token.blank + token.text for token in result)))


def merge_words(region: LineRegion) -> Lines | None:
    """Merge by words and blank space if an unchanged word lies between any two edits.

    The result may join two halves of one statement, so it is never certain.
    """
    base, ours, theirs = (_WORD.findall(b"".join(side)) for side in (region.base, region.ours, region.theirs))

    def are_separate(first: Edit[bytes], second: Edit[bytes]) -> bool:
        return any(word.strip() for word in base[first.end : second.start])

    edits = combine(base, ours, theirs, are_separate)
    if edits is None:
        return None
    return tuple(split_lines(b"".join(apply_edits(base, [sided_edit.edit for sided_edit in edits]))))


def _new_tokens(edit: Edit[bytes], side: list[Token], places: dict[int, int]) -> list[Token]:
    start = places[edit.start - 1] + 1 if edit.start else 0
    return side[start : start + len(edit.new)]


def _unchanged_token(
    base: list[Token],
    ours: list[Token],
    theirs: list[Token],
    in_ours: dict[int, int],
    in_theirs: dict[int, int],
    index: int,
) -> Token:
    token = base[index]
    ours_blank = ours[in_ours[index]].blank if index in in_ours else token.blank
    theirs_blank = theirs[in_theirs[index]].blank if index in in_theirs else token.blank
    # The target's blank space stays, unless only the original changed it.
    return Token(theirs_blank if ours_blank == token.blank else ours_blank, token.text)


def _after_new(token: Token, blank: bytes) -> Token:
    """Return a token that follows new ones, with at least the line break or space by which their side sets it off."""
    stands_close = not token.blank or (b"\n" in blank and b"\n" not in token.blank)
    return Token(blank if stands_close else token.blank, token.text)


def _depths(texts: list[bytes]) -> list[int]:
    depth = 0
    depths = []
    for text in texts:
        depth -= text[:1] in (b")", b"]", b"}")
        depths.append(depth)
        depth += text[:1] in (b"(", b"[", b"{")
    return depths


def _independent(base: list[Token], depths: list[int], end: int, start: int) -> bool:
    """Return True if an unchanged comma of one list, or the end of a statement, lies between two edits."""
    outermost = min(depths)
    for index in range(end, min(start + 1, len(base))):
        if b"\n" in base[index].blank and depths[index] == outermost and (index > end or start > end):
            return True
        if index < start and base[index].text == b"," and depths[index] <= min(depths[end:start]):
            return True
    return False

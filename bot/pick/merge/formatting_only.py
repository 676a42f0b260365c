"""Proposals for sides that differ in formatting only: blank space, quotes, trailing commas or type annotations."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher

from bot.pick.merge.regions import LineRegion, Lines

_RETURNS = re.compile(rb"\)\s*->\s*[^:]+:")
_ANNOTATION = re.compile(rb"\s*->\s*[^:]+(?=:\s*$)|\s*:\s*[\w.\"'\[\], |]+?(?=\s*(?:[,)=]|$))")
_SIGNATURE = re.compile(rb"(?:async\s+)?def\b")
_WORD = re.compile(rb"\w+|[ \t]+|\n|[^\w\s]|\s")
_ALIKE = 0.6
_MOST_BY_LETTERS = 4_000_000
"""The product of two texts' lengths up to which they are compared by letters: that takes a tenth of a second. Of sides
of thousands of lines it takes minutes.
"""


def same_change(region: LineRegion) -> Lines | None:
    """Keep the target's formatting if both sides made the same change."""
    return region.ours if _flat(region.ours) == _flat(region.theirs) else None


def target_respelled(region: LineRegion) -> Lines | None:
    """Take the original if the target only formats the base differently."""
    return region.theirs if _flat(region.ours) == _flat(region.base) else None


def target_reannotated(region: LineRegion) -> Lines | None:
    """Take the original if the target, line by line, only annotates or quotes differently."""
    return region.theirs if _plain(region.ours) == _plain(region.base) else None


def original_respelled(region: LineRegion) -> Lines | None:
    """Keep the target if the original only formats the base differently."""
    return region.ours if _flat(region.theirs) == _flat(region.base) else None


def remove_respelled(region: LineRegion) -> Lines | None:
    """Remove the original's removed lines if the target only formats them differently."""
    return () if not region.theirs and target_reannotated(region) is not None else None


def remove_changed(region: LineRegion) -> Lines | None:
    """Remove the original's removed lines if the target has no more lines there than the base."""
    return () if region.ours and not region.theirs and len(region.ours) <= len(region.base) else None


def remove_similar(region: LineRegion) -> Lines | None:
    """Remove the original's removed lines if the target's version of them is similar."""
    if region.theirs or not region.ours:
        return None
    return () if _alike(region.base, region.ours) else None


def contains_target_lines(region: LineRegion) -> Lines | None:
    """Take the original if it contains every line of the target."""
    ours = set(_plain(region.ours))
    return region.theirs if region.base and ours and ours <= set(_plain(region.theirs)) else None


def contains_target_words(region: LineRegion) -> Lines | None:
    """Take the original if it contains every word of the target."""
    holds_target = region.base and region.ours and not _words(region.ours) - _words(region.theirs)
    return region.theirs if holds_target else None


def has_original_words(region: LineRegion) -> Lines | None:
    """Keep the target if it contains every word that the original adds."""
    new_words = _words(region.theirs) - _words(region.base)
    return region.ours if region.base and region.ours and not new_words - _words(region.ours) else None


def _alike(first: Lines, second: Lines) -> bool:
    text, other_text = b"".join(first), b"".join(second)
    if len(text) * len(other_text) <= _MOST_BY_LETTERS:
        return _is_alike(text, other_text)
    return _is_alike(first, second)


def _is_alike(first: Sequence[int] | Lines, second: Sequence[int] | Lines) -> bool:
    matcher: SequenceMatcher[int | bytes] = SequenceMatcher(None, first, second, autojunk=False)
    # `quick_ratio` is an upper bound and much cheaper: https://docs.python.org/3/library/difflib.html
    return matcher.quick_ratio() > _ALIKE and matcher.ratio() > _ALIKE


def _flat(lines: Lines) -> bytes:
    # No parser is used: a region is a fragment, in any language.
    text = re.sub(rb"\s+", b"", _RETURNS.sub(b"):", b"".join(lines)).replace(b"'", b'"'))
    return re.sub(rb",(?=[)\]}])", b"", text)


def _plain(lines: Lines) -> tuple[bytes, ...]:
    return tuple(plain for plain in map(_plain_line, lines) if plain)


def _plain_line(line: bytes) -> bytes:
    text = line.strip()
    # Outside a signature a colon is code, e.g. in a dict.
    if _SIGNATURE.match(text):
        text = _ANNOTATION.sub(b"", text)
    return re.sub(rb"\s+", b"", text.replace(b"'", b'"')).rstrip(b",")


def _words(lines: Lines) -> Counter[bytes]:
    return Counter(_WORD.findall(b"".join(lines)))

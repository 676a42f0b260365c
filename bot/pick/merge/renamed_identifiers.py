"""Identifiers that the target calls differently from the base, and the translation of the original into them.

A rename counts only if the target does not contain the base's word at all. So a translation changes no line that target
and base share.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping

from bot.analysis.file_words import words
from bot.pick.align import edits
from bot.pick.merge.regions import split_lines

_WORD = re.compile(rb"[A-Za-z_]\w*")
_TOKEN = re.compile(rb"\w+|[^\w\s]")
_SHORTEST = 3
# A rename occurs at least twice, and in four of five places. A single place may be an edit of its own.
_FEWEST, _SHARE = 2, 0.8


def find_renames(base: bytes, ours: bytes, theirs: bytes, disputed_words: frozenset[bytes]) -> dict[bytes, bytes]:
    """Return base's word → target's word, for the words in `disputed_words` that the original uses too."""
    if base == ours:
        return {}
    candidates = (words(base) & words(theirs) & disputed_words) - words(ours)
    # A short word, or one that occurs once, says too little about a rename.
    absent_words = {word for word in candidates if len(word) >= _SHORTEST and base.count(word) >= _FEWEST}
    return _elect(_votes(base, ours, absent_words)) if absent_words else {}


def _votes(base: bytes, ours: bytes, absent_words: set[bytes]) -> Mapping[bytes, Counter[bytes]]:
    votes: dict[bytes, Counter[bytes]] = defaultdict(Counter)
    base_lines = split_lines(base)
    for edit in edits(base_lines, split_lines(ours)):
        old = _TOKEN.findall(b"".join(base_lines[edit.start : edit.end]))
        new = _TOKEN.findall(b"".join(edit.new))
        if not new or absent_words.isdisjoint(old):
            continue
        for change in edits(old, new):
            old_words = old[change.start : change.end]
            single = len(old_words) == len(change.new) == 1 and _WORD.fullmatch(change.new[0])
            for word in absent_words.intersection(old_words):
                votes[word][change.new[0] if single else b""] += 1
    return votes


def _elect(votes: Mapping[bytes, Counter[bytes]]) -> dict[bytes, bytes]:
    winners = {}
    for word, counts in votes.items():
        winner, count = counts.most_common(1)[0]
        if winner and count >= _FEWEST and count >= _SHARE * counts.total():
            winners[word] = winner
    return winners


def translate(content: bytes, renames: Mapping[bytes, bytes]) -> bytes:
    """Replace whole words."""
    return _WORD.sub(lambda match: renames.get(match[0], match[0]), content) if renames else content

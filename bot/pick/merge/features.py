"""Features of a resolution of a conflict region: observations by name, each with a number.

`bot.pick.merge.scoring_weights` has the weight of each feature.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import log1p

from bot.pick.align import edits
from bot.pick.merge.regions import LineRegion, Lines

_WORD = re.compile(rb"\w+")
_SIGN = re.compile(rb"\w+|[^\w\s]")
# Kinds of files in which people decide alike. The first pattern that matches counts.
_CHANGELOG = re.compile(r"(^|/)(changes?|changelogs?|news|whats-?new|history|releases?)([./_-]|$)", re.IGNORECASE)
_TESTS = re.compile(r"(^|/)(tests?|testing|conftest)([./_]|$)|(^|/|_)test_|_test\.", re.IGNORECASE)
_PINS = re.compile(
    r"(^|/)(requirements[^/]*|constraints[^/]*|setup\.(cfg|py)|pyproject\.toml|package(-lock)?\.json|go\.(mod|sum)"
    r"|[^/]*\.lock|tox\.ini|\.pre-commit-config\.yaml|__init__\.py|version[^/]*|environment[^/]*|vendor/.*)$",
    re.IGNORECASE,
)
_CI = re.compile(r"(^|/)(\.github|\.azure-pipelines|\.circleci|\.travis|ci|shippable|appveyor|\.gitlab-ci)([./_-]|$)")
_DOCS = re.compile(r"(^|/)docs?/|\.(rst|md|txt)$", re.IGNORECASE)


def kind_of(path: str) -> str:
    """Return the kind of a file by its path, e.g. "tests"."""
    for kind, pattern in (("ci", _CI), ("changelog", _CHANGELOG), ("pins", _PINS), ("tests", _TESTS), ("docs", _DOCS)):
        if pattern.search(path):
            return kind
    return "code"


@dataclass(frozen=True, slots=True)
class FileFeatures:
    """Facts about a file beyond the region.

    `target_words` are the words of the target's whole file, `original_words` those that the original adds to it.
    `fork_text` is the file's text at the fork point, empty if there was none.
    """

    kind: str
    target_words: frozenset[bytes]
    original_words: frozenset[bytes]
    fork_text: bytes


def file_features(
    path: str, base: bytes | None, ours: bytes | None, theirs: bytes | None, fork_text: bytes | None
) -> FileFeatures:
    """Compute a file's features once for all its regions."""
    words = [_words(side or b"") for side in (base, ours, theirs)]
    return FileFeatures(kind_of(path), words[1], words[2] - words[0], fork_text or b"")


@lru_cache(maxsize=16)
def _words(content: bytes) -> frozenset[bytes]:
    return frozenset(_WORD.findall(content))


def circumstances(
    region: LineRegion, file: FileFeatures, *, is_only_region: bool, has_sibling: bool
) -> dict[str, float]:
    """Return the features of a region that hold for every resolution. `is_only_region`: its file has no other."""
    base, ours, theirs = (b"".join(side) for side in (region.base, region.ours, region.theirs))
    changes = edits(region.base, region.theirs)
    facts = {
        file.kind: True,
        "alone": is_only_region,
        "has sibling": has_sibling,
        "no base": not base,
        "no ours": not ours,
        "no theirs": not theirs,
        "target untouched": bool(ours) and ours in file.fork_text,
        "main untouched": bool(base) and base in file.fork_text,
        "original only inserts": all(edit.start == edit.end for edit in changes),
        "original only removes": all(not edit.new for edit in changes),
        "target nearly base": _nearly(region.base, region.ours),
        "original nearly base": _nearly(region.base, region.theirs),
        "long": max(map(len, (region.base, region.ours, region.theirs))) > 12,
    }
    return {name: 1.0 for name, holds in facts.items() if holds}


def _nearly(first: Lines, second: Lines) -> bool:
    """Return True if two sides share at least three quarters of their words, or differ in at most two words."""
    words, other_words = (Counter(_SIGN.findall(b"".join(side))) for side in (first, second))
    distance = ((words - other_words) + (other_words - words)).total()
    # Two words of three are few, so small sides get an allowance.
    return bool(first) and bool(second) and (distance <= 4 or distance * 4 <= (words + other_words).total() / 2)


def weigh(region: LineRegion, resolution: Lines, names: Sequence[str], file: FileFeatures) -> dict[str, float]:
    """Return the features of a resolution: its proposers, and the words that it adds, loses and misses."""
    base, ours, theirs, text = (
        Counter(_SIGN.findall(b"".join(side))) for side in (region.base, region.ours, region.theirs, resolution)
    )
    # Every text has brackets and commas. Only a word can come from nowhere.
    foreign = {w for w in text if w not in file.target_words and w not in file.original_words and w[:1].isalnum()}
    figures = {
        "foreign": len(foreign),
        "lost": ((ours - text) - (base - theirs)).total(),
        "missed": ((theirs - base) - text).total(),
        "kept": ((base - theirs) & text & ours).total(),
        "invented": ((text - ours) - (theirs - base)).total(),
    }
    features = {name: log1p(figure) for name, figure in figures.items() if figure}
    return features | dict.fromkeys(names, 1.0)

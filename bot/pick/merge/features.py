"""What speaks for and against an answer to a conflict region: plain observations, each a number with a name.

Owns the observations. What each is worth is a matter of measurement and stands in the table of `chance`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import log1p

from bot.pick.merge.align import edits
from bot.pick.merge.regions import LineRegion, Lines

_WORD = re.compile(rb"\w+")
_SIGN = re.compile(rb"\w+|[^\w\s]")
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
    """Name the kind of a file by its path."""
    for kind, pattern in (("ci", _CI), ("changelog", _CHANGELOG), ("pins", _PINS), ("tests", _TESTS), ("docs", _DOCS)):
        if pattern.search(path):
            return kind
    return "code"


@dataclass(frozen=True, slots=True)
class FileFeatures:
    """What is known of a file beyond the region.

    `here` are the words of the target's whole file, `brought` those that the original brings into it. `forked` is the
    text of the file where the histories part, empty if there was none.
    """

    kind: str
    here: frozenset[bytes]
    brought: frozenset[bytes]
    forked: bytes


def file_features(
    path: str, base: bytes | None, ours: bytes | None, theirs: bytes | None, forked: bytes | None
) -> FileFeatures:
    """Look at a file once, for all its regions."""
    words = [_words(side or b"") for side in (base, ours, theirs)]
    return FileFeatures(kind_of(path), words[1], words[2] - words[0], forked or b"")


@lru_cache(maxsize=16)
def _words(content: bytes) -> frozenset[bytes]:
    return frozenset(_WORD.findall(content))


def circumstances(region: LineRegion, evidence: FileFeatures, *, alone: bool, has_sibling: bool) -> dict[str, float]:
    """Return what holds for a region, whatever the answer: `alone` in its file, backported before elsewhere."""
    base, ours, theirs = (b"".join(side) for side in (region.base, region.ours, region.theirs))
    changes = edits(region.base, region.theirs)
    found = {
        evidence.kind: True,
        "alone": alone,
        "has sibling": has_sibling,
        "no base": not base,
        "no ours": not ours,
        "no theirs": not theirs,
        "target untouched": bool(ours) and ours in evidence.forked,
        "main untouched": bool(base) and base in evidence.forked,
        "original only inserts": all(edit.start == edit.end for edit in changes),
        "original only removes": all(not edit.new for edit in changes),
        "target nearly base": _nearly(region.base, region.ours),
        "original nearly base": _nearly(region.base, region.theirs),
        "long": max(map(len, (region.base, region.ours, region.theirs))) > 12,
    }
    return {name: 1.0 for name, holds in found.items() if holds}


def _nearly(one: Lines, other: Lines) -> bool:
    """Say whether two sides have at least three quarters of their words in common, or differ in two words at most."""
    a, b = (Counter(_SIGN.findall(b"".join(side))) for side in (one, other))
    apart = ((a - b) + (b - a)).total()
    return bool(one) and bool(other) and (apart <= 4 or apart * 4 <= (a + b).total() / 2)


def weigh(region: LineRegion, answer: Lines, names: Sequence[str], evidence: FileFeatures) -> dict[str, float]:
    """Return what holds for an answer: who proposes it, and which words it brings, loses and misses."""
    base, ours, theirs, made = (
        Counter(_SIGN.findall(b"".join(side))) for side in (region.base, region.ours, region.theirs, answer)
    )
    foreign = {w for w in made if w not in evidence.here and w not in evidence.brought and w[:1].isalnum()}
    figures = {
        "foreign": len(foreign),
        "lost": ((ours - made) - (base - theirs)).total(),
        "missed": ((theirs - base) - made).total(),
        "kept": ((base - theirs) & made & ours).total(),
        "invented": ((made - ours) - (theirs - base)).total(),
    }
    found = {name: log1p(figure) for name, figure in figures.items() if figure}
    return found | dict.fromkeys(names, 1.0)

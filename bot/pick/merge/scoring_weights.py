"""The weights of `bot.pick.merge.scoring`, as logarithms of odds.

They were fitted on those past conflicts of aiohttp, ansible and astropy whose original's name does not start with 0 to
3 and that no earlier strategy resolves: 1,196 conflicts, with equal weight on each conflict. The 60 most important
weights were kept. docs/measurements.md has the results on the other originals and on other repositories.
"""

from __future__ import annotations

from collections.abc import Mapping

PROPOSERS: Mapping[str, float] = {
    "sibling": 1.29,
    "import names": 1.04,
    "insertion beside absent text": 0.95,
    "touching lines": 0.81,
    "edits of absent text dropped": 0.65,
    "sorted insertions": 0.56,
    "original has all lines": 0.48,
    "words apart": 0.23,
    "independent words": 0.21,
    "original has all words": -0.19,
}
"""The weight of each proposer of a resolution."""

WORDS: Mapping[str, float] = {
    "kept": -0.20,
    "missed": -0.28,
    "invented": -0.36,
    "lost": -0.54,
    "foreign": -0.56,
}
"""Each weight counts times the logarithm of 1 + a number of words of the resolution: words that the original removes
and it keeps (kept), that the original adds and it misses (missed), that neither side asks for (invented), that are
nowhere in the target (foreign), and that the target has and it loses (lost).
"""

CIRCUMSTANCES: Mapping[str, Mapping[str, float]] = {
    "none": {
        "always": -0.70,
        "original only inserts": 0.78,
        "tests": 0.20,
        "main untouched": 0.19,
        "alone": -0.24,
        "ci": -0.56,
        "docs": -0.57,
        "no ours": -0.87,
    },
    "ours": {
        "always": -0.60,
        "no ours": 0.76,
        "original only removes": 0.56,
        "long": 0.51,
        "original nearly base": 0.37,
        "has sibling": 0.21,
        "original only inserts": 0.19,
        "code": -0.29,
        "target nearly base": -0.51,
        "pins": -0.51,
        "alone": -0.56,
        "ci": -0.62,
    },
    "theirs": {
        "always": 0.71,
        "no ours": 0.56,
        "docs": 0.50,
        "long": 0.27,
        "target untouched": 0.25,
        "tests": 0.21,
        "alone": 0.10,
        "target nearly base": 0.05,
        "original only removes": -0.19,
        "original only inserts": -0.31,
        "original nearly base": -0.34,
        "pins": -0.40,
        "main untouched": -0.54,
        "no base": -0.61,
        "has sibling": -0.96,
    },
    "merged": {
        "pins": 0.39,
        "alone": 0.21,
        "no base": 0.18,
        "original nearly base": 0.08,
        "tests": 0.02,
        "target untouched": -0.12,
        "long": -0.52,
        "original only inserts": -0.61,
    },
    "empty": {},
}
"""The weights of a region's circumstances, by the kind of the resolution: none of the proposals, the target's text, the
original's text, a merge of both, or no text at all.
"""

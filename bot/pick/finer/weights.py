"""The measured weights of `chance`: what speaks for an answer, as logarithms of odds.

Owns the figures and nothing else. They were fitted on those past conflicts of aiohttp, ansible and astropy whose
original's name does not start with 0 to 3: 1,428 conflicts, the regions of one weighing together about as much as those
of another. The 60 that matter most were kept. docs/pick.md has the results on the rest, and on other repositories.
"""

from __future__ import annotations

from collections.abc import Mapping

PROPOSED: Mapping[str, float] = {
    "sibling": 2.80,
    "removed, shorter here": 1.26,
    "insertion beside absent text": 1.17,
    "import names": 1.11,
    "edits of absent text dropped": 0.86,
    "touching lines": 0.75,
    "original has all lines": 0.62,
    "words apart": 0.30,
    "original has all words": -0.24,
}
"""Who proposes the answer, each counting once."""

WORDS: Mapping[str, float] = {
    "kept": -0.14,
    "missed": -0.27,
    "invented": -0.38,
    "foreign": -0.60,
    "lost": -0.62,
}
"""Each times the logarithm of 1 + the words that an answer keeps of what the original takes away, misses of what it
brings, has beyond what either side asks for (invented) or from nowhere in the target (foreign), loses of the target."""

CIRCUMSTANCES: Mapping[str, Mapping[str, float]] = {
    "none": {
        "always": -0.56,
        "original only inserts": 0.69,
        "has sibling": 0.28,
        "target nearly base": 0.18,
        "alone": -0.30,
        "code": -0.37,
        "no ours": -0.76,
        "ci": -0.91,
        "docs": -0.94,
    },
    "ours": {
        "always": -0.85,
        "no ours": 0.91,
        "original only removes": 0.62,
        "original nearly base": 0.56,
        "long": 0.44,
        "has sibling": 0.32,
        "original only inserts": 0.23,
        "code": -0.39,
        "pins": -0.43,
        "target nearly base": -0.46,
        "alone": -0.64,
        "ci": -0.76,
    },
    "theirs": {
        "always": 0.41,
        "no ours": 0.66,
        "docs": 0.41,
        "target untouched": 0.41,
        "long": 0.32,
        "tests": 0.31,
        "alone": 0.09,
        "pins": -0.25,
        "original only inserts": -0.27,
        "original only removes": -0.30,
        "main untouched": -0.57,
        "no base": -0.90,
        "has sibling": -1.66,
    },
    "merged": {
        "always": -0.39,
        "pins": 0.91,
        "original nearly base": 0.30,
        "tests": 0.19,
        "alone": 0.17,
        "code": 0.14,
        "target nearly base": 0.09,
        "target untouched": -0.09,
        "original only inserts": -0.52,
        "long": -0.57,
    },
    "empty": {},
}
"""By what the answer is (none of those proposed, the target's text, the original's, a merge of both, nothing at all),
what holds for the region."""

"""Rates the confidence in a whole pick from the chances of its regions.

One doubtful region makes the pick doubtful: the least chance counts most, not the product, because people's choice in
one region predicts their choice in the next. `bot.pick.merge.certainty` decides what is certain; weights do not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import exp, log, log1p
from statistics import fmean

from bot.models import Certainty
from bot.pick.merge.certainty import is_certain
from bot.pick.merge.features import kind_of
from bot.pick.merge.line_counts import line_count, lines_changed
from bot.pick.merge.missing_files import MOVED_ON_MAIN
from bot.pick.resolver import ConflictedFile, Decision, FileResolution

PICK: Mapping[str, float] = {
    "always": 2.07,
    "least chance": 1.08,
    "mean chance": 0.72,
    "only files left out": 0.52,
    "target nearly base": 0.42,
    "lines and words": 0.18,
    "code": 0.17,
    "file left out": 0.08,
    "files": -0.13,
    "size": -0.14,
    "ci": -0.26,
    "pins": -0.31,
    "target untouched": -0.38,
    "docs": -0.45,
    "original's text": -0.45,
    "left out of tests": -0.47,
    "regions": -0.60,
    "target's text": -0.65,
    "changelog": -0.72,
    "left out of a short file": -0.78,
}
"""A logistic regression over resolved picks of the training set; a weight is a logarithm of odds."""

PROPOSED_FROM = 0.52
# The original's text whole brings in the code that it needs. Below this chance people wanted it in 35 of 94 picks.
_ORIGINAL_FROM = 0.65
_SHORT = 30
"""A file of fewer lines."""
_SHARES = ("target nearly base", "target untouched", "original's text", "target's text")


def rate_confidence(resolutions: Sequence[tuple[ConflictedFile, FileResolution]]) -> Certainty | None:
    """Return the certainty of all resolutions together, or None if a person should rather see the conflict."""
    takes_original = any(
        "original's text" in decision.traits for _file, resolution in resolutions for decision in resolution.decisions
    )
    if pick_chance(resolutions) < (_ORIGINAL_FROM if takes_original else PROPOSED_FROM):
        return None
    return Certainty.CERTAIN if is_certain(resolutions) else Certainty.PROPOSED


def pick_chance(resolutions: Sequence[tuple[ConflictedFile, FileResolution]]) -> float:
    """Return the probability that people would commit all of the resolutions."""
    decisions = [decision for _file, resolution in resolutions for decision in resolution.decisions]
    merged_files = [file for file, resolution in resolutions if resolution.decisions]
    missing_files = [
        file for file, resolution in resolutions if file.ours is None and MOVED_ON_MAIN not in resolution.traits
    ]
    features = {
        "always": 1.0,
        "files": log(len(resolutions)),
        "size": log1p(sum(map(lines_changed, merged_files))),
        **_region_features(decisions),
        **_missing_file_features(missing_files, is_only_file=len(missing_files) == len(resolutions)),
        **{kind_of(file.path): 1.0 for file, _answer in resolutions},
    }
    return 1 / (1 + exp(-sum(PICK.get(name, 0.0) * value for name, value in features.items())))


def _region_features(decisions: Sequence[Decision]) -> dict[str, float]:
    if not decisions:
        return {}
    # A chance of 0 has no logarithm.
    chances = [log(max(decision.chance, 1e-9)) for decision in decisions]
    line_and_word_merge = frozenset(["neighbouring lines", "independent words"])
    return {
        "least chance": min(chances),
        "mean chance": fmean(chances),
        "regions": log(len(decisions)),
        "lines and words": all(line_and_word_merge <= decision.traits for decision in decisions),
        **{name: fmean(name in decision.traits for decision in decisions) for name in _SHARES},
    }


def _missing_file_features(files: Sequence[ConflictedFile], *, is_only_file: bool) -> dict[str, float]:
    return {
        "file left out": bool(files),
        "only files left out": bool(files) and is_only_file,
        "left out of tests": any(kind_of(file.path) == "tests" for file in files),
        "left out of a short file": any(line_count(file) < _SHORT for file in files),
    }

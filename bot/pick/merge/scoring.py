"""How likely an answer is what people would commit: measured weights, and the choice they add up to.

Owns the table. It was fitted on past conflicts of three repositories, as a choice between the answers to a region and
"none of these"; docs/pick.md says on which, and how well it does on others. A weight is a logarithm of odds; what the
table does not name does not count.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import exp

from bot.pick.merge.regions import LineRegion, Lines
from bot.pick.merge.scoring_weights import CIRCUMSTANCES, PROPOSED, WORDS

NONE = "none"


def chances(
    region: LineRegion, circumstances: Mapping[str, float], weighed: Mapping[Lines, Mapping[str, float]]
) -> dict[Lines, float]:
    """Return the chance of each answer; together they leave a rest for what nobody proposes."""
    scores = {
        answer: _score(found) + _fit(_relation(region, answer), circumstances) for answer, found in weighed.items()
    }
    none = _fit(NONE, circumstances)
    most = max(none, *scores.values())
    total = exp(none - most) + sum(exp(score - most) for score in scores.values())
    return {answer: exp(score - most) / total for answer, score in scores.items()}


def _relation(region: LineRegion, answer: Lines) -> str:
    if answer == region.ours:
        return "ours"
    if answer == region.theirs:
        return "theirs"
    return "merged" if answer else "empty"


def _fit(relation: str, circumstances: Mapping[str, float]) -> float:
    weights = CIRCUMSTANCES[relation]
    return weights.get("always", 0.0) + sum(weights.get(name, 0.0) * value for name, value in circumstances.items())


def _score(found: Mapping[str, float]) -> float:
    return sum((PROPOSED.get(name) or WORDS.get(name, 0.0)) * value for name, value in found.items())

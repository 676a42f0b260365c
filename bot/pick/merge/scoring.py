"""How likely an answer is what people would commit: measured weights, and the choice they add up to.

Owns the table. It was fitted on past conflicts of three repositories, as a choice between the answers to a region and
"none of these"; docs/pick.md says on which, and how well it does on others. A weight is a logarithm of odds; what the
table does not name does not count.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import exp

from bot.pick.merge.regions import LineRegion, Lines
from bot.pick.merge.scoring_weights import CIRCUMSTANCES, PROPOSERS, WORDS

NO_ANSWER = "none"


def chances(
    region: LineRegion, circumstances: Mapping[str, float], features: Mapping[Lines, Mapping[str, float]]
) -> dict[Lines, float]:
    """Return the chance of each answer; together they leave a rest for what nobody proposes."""
    scores = {
        lines: _score(values) + _fit(_relation(region, lines), circumstances) for lines, values in features.items()
    }
    no_answer = _fit(NO_ANSWER, circumstances)
    highest = max(no_answer, *scores.values())
    total = exp(no_answer - highest) + sum(exp(score - highest) for score in scores.values())
    return {lines: exp(score - highest) / total for lines, score in scores.items()}


def _relation(region: LineRegion, lines: Lines) -> str:
    if lines == region.ours:
        return "ours"
    if lines == region.theirs:
        return "theirs"
    return "merged" if lines else "empty"


def _fit(relation: str, circumstances: Mapping[str, float]) -> float:
    weights = CIRCUMSTANCES[relation]
    return weights.get("always", 0.0) + sum(weights.get(name, 0.0) * value for name, value in circumstances.items())


def _score(values: Mapping[str, float]) -> float:
    return sum((PROPOSERS.get(name) or WORDS.get(name, 0.0)) * value for name, value in values.items())

"""The probability that people would commit a resolution: a choice between all resolutions, by measured weights.

The model is a conditional logit (https://en.wikipedia.org/wiki/Discrete_choice) with the alternative "none of these".
It was fitted on past conflicts of three repositories; docs/measurements.md has the results on others. A weight is a
logarithm of odds. A feature without a weight does not count.
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
    """Return the chance of each resolution. Their sum is below 1; the rest is the chance of a text that nobody
    proposes.
    """
    scores = {
        lines: _score(values) + _fit(_relation(region, lines), circumstances) for lines, values in features.items()
    }
    no_answer = _fit(NO_ANSWER, circumstances)
    # Subtracting the highest score keeps `exp` from overflowing: https://en.wikipedia.org/wiki/LogSumExp
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

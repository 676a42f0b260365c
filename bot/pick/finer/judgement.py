"""How sure a pick is whose every conflict has an answer: the chances of its regions, taken together.

Owns the two thresholds and the weights of a whole pick. One doubtful region makes the pick doubtful: the least of the
chances counts, not their product, because what people did in one region tells what they did in the next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import exp, log

from bot.model import Certainty
from bot.pick.finer.evidence import kind_of
from bot.pick.rung import ConflictedFile, FileAnswer

PICK: Mapping[str, float] = {
    "always": 1.61,
    "least chance": 1.81,
    "only files left out": 0.87,
    "file removed": 0.03,
    "tests": -0.13,
    "code": -0.15,
    "docs": -0.28,
    "pins": -0.32,
    "file left out": -0.38,
    "ci": -0.40,
    "changelog": -0.58,
    "regions": -0.59,
}
"""A logistic regression over resolved picks of the training set; a weight is a logarithm of odds."""

PROPOSED_FROM = 0.58
CERTAIN_FROM = 0.90


def judge(answers: Sequence[tuple[ConflictedFile, FileAnswer]]) -> Certainty | None:
    """Say how sure the answers are together; None where a person should rather see the conflict."""
    chance = pick_chance(answers)
    if chance < PROPOSED_FROM:
        return None
    return Certainty.CERTAIN if chance >= CERTAIN_FROM else Certainty.PROPOSED


def pick_chance(answers: Sequence[tuple[ConflictedFile, FileAnswer]]) -> float:
    """Return how likely people would commit all of the answers."""
    chances = [chance for _file, answer in answers for chance in answer.chances]
    missing = [file for file, _answer in answers if file.ours is None]
    removed = [file for file, answer in answers if file.theirs is None and file.ours is not None]
    found = {
        "always": 1.0,
        "least chance": log(max(min(chances, default=1.0), 1e-9)),
        "regions": log(max(1, len(chances))),
        "file left out": bool(missing),
        "only files left out": bool(missing) and not chances and not removed,
        "file removed": bool(removed),
        **{kind_of(file.path): 1.0 for file, _answer in answers},
    }
    return 1 / (1 + exp(-sum(PICK.get(name, 0.0) * value for name, value in found.items())))

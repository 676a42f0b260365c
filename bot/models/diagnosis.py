"""What `doctor` says about one condition of the bot's work."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Health(StrEnum):
    """How a condition is: met, not met in a way that may be intended, not met, or not visible."""

    GOOD = "good"
    NOTE = "note"
    BAD = "bad"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A condition: what was seen, what follows from it, and what to do. The last two are empty if it is good."""

    subject: str
    health: Health
    fact: str
    consequence: str = ""
    remedy: str = ""


def good(subject: str, fact: str) -> Diagnosis:
    """Return a condition that is met."""
    return Diagnosis(subject, Health.GOOD, fact)


def note(subject: str, fact: str, consequence: str, remedy: str) -> Diagnosis:
    """Return a condition that may be as it is meant to be."""
    return Diagnosis(subject, Health.NOTE, fact, consequence, remedy)


def bad(subject: str, fact: str, consequence: str, remedy: str) -> Diagnosis:
    """Return a condition that is not met."""
    return Diagnosis(subject, Health.BAD, fact, consequence, remedy)


def unknown(subject: str, fact: str, consequence: str, remedy: str) -> Diagnosis:
    """Return a condition that cannot be seen with this account."""
    return Diagnosis(subject, Health.UNKNOWN, fact, consequence, remedy)

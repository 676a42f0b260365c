"""The interface of a strategy: one way of making a candidate, in a module of its own.

A new strategy is a class with this interface and one line in `bot.pick.ladder.STRATEGIES`. If its candidates need words
of their own, it also gets a `Method`; the type checker then names each table of words that lacks it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bot.git.trial_pick import UnmergedPick
from bot.models import AlreadyApplied, Certainty, Fidelity, Method, Resolution, Sha
from bot.pick.attempt import Attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class Picked:
    """A whole candidate. `commits` are the cherry-picked commits, oldest first; the last one is tested and pushed."""

    commits: tuple[Sha, ...]
    method: Method
    fidelity: Fidelity
    detail: str
    certainty: Certainty = Certainty.CERTAIN
    resolutions: tuple[Resolution, ...] = ()
    siblings: tuple[Sha, ...] = ()


@dataclass(frozen=True, slots=True)
class NotApplicable:
    """The strategy makes no candidate, and `detail` says why. `conflict` is the first pick that conflicted, if any."""

    detail: str
    conflict: UnmergedPick | None = None


class PickStrategy(Protocol):
    """One way of making the candidate. `name` is shown to people and is a key of figures, so it never changes."""

    name: str

    def apply(self, attempt: Attempt) -> Picked | AlreadyApplied | NotApplicable:
        """Make the whole candidate in the quarantine, or say why not. No expected ending is an exception.

        The strategy writes objects to the attempt's quarantine only. The ladder keeps those of the one that applies.

        Raises:
            GitError: git failed, e.g. an object is missing.
        """

"""Originals, the state that each has on a branch, and branches with the states of all originals."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bot.history.commit_graph import Position
from bot.models import Sha


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """A merged pull request, or a commit that was pushed without one. Dates are seconds since the epoch.

    `commits` are its commits on the main branch, oldest first. `issue_labels` are the labels of the issues that its
    text closes; only labels that a rule names are looked up.
    """

    position: Position
    commits: tuple[Sha, ...]
    merged: int
    title: str
    number: int | None = None
    url: str = ""
    author: str = ""
    body: str = ""
    labels: tuple[str, ...] = ()
    milestone: str = ""
    paths: tuple[str, ...] = ()
    issue_labels: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """What people call it: "#12", or the commit."""
        return f"#{self.number}" if self.number else self.commits[-1][:12]


class State(StrEnum):
    """The state of an original on a branch, in the words that reports use.

    A member has the name that `Status` and `Outlook` have for the same thing.
    """

    ALREADY_APPLIED = "on the branch"
    OPENED = "backport open"
    CLEAN = "missing and clean"
    RESOLVABLE = "missing and resolvable"
    NEEDS = "missing, needs another first"
    CONFLICT = "conflict"
    UNCONFIRMED = "named, but not the same change"
    NOT_AFFECTED = "not affected"
    NOTHING_LEFT = "nothing left to bring"
    REFUSED_BY_POLICY = "refused by policy"
    REFUSED_BY_PERSON = "refused by a person"
    REVERTED = "reverted"


MISSING = frozenset({State.CLEAN, State.RESOLVABLE, State.NEEDS, State.CONFLICT})
"""The states of an original that the branch should have and lacks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginalState:
    """The state of an original on a branch.

    `asked_by` is the part of the policy that asks for it, or empty. `needs` are the originals that must land first, by
    the names people use. `landed` is when it landed on the branch, or 0. `waits` says what a missing original waits
    for; it is empty for one that the next opening takes.
    """

    branch: str
    original: Original
    state: State
    reason: str
    asked_by: str = ""
    pull_request: int | None = None
    needs: tuple[str, ...] = ()
    landed: int = 0
    waits: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchState:
    """A branch with the state of every original since its branch point.

    `not_asked` are the names of the originals that no rule asks for: the policy refuses them all for that one reason.
    `problem` says why the states of the branch are unknown.
    """

    branch: str
    tip: Sha | None = None
    point: Sha | None = None
    originals: tuple[OriginalState, ...] = ()
    not_asked: tuple[str, ...] = ()
    problem: str = ""

    def in_states(self, *states: State) -> tuple[OriginalState, ...]:
        """Return the originals in one of these states, oldest first."""
        return tuple(original for original in self.originals if original.state in states)

    @property
    def missing(self) -> tuple[OriginalState, ...]:
        """The originals that the branch should have and lacks, oldest first."""
        return self.in_states(*MISSING)

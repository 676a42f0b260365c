"""An original as a policy sees it, and the state that it has on one branch."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bot.history.commits import Position
from bot.models import Sha


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """One merged pull request, or one commit that was pushed without. Dates are seconds since the epoch.

    `commits` are what it left on the main branch, oldest first. `issue_labels` are the labels of the issues that it
    says it fixes, as far as a rule asks for them.
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
    """How one original stands on one branch, in the words that reports use."""

    ALREADY_APPLIED = "on the branch"
    OPENED = "backport open"
    CLEAN = "missing and clean"
    RESOLVABLE = "missing and resolvable"
    NEEDS = "missing, needs another first"
    CONFLICT = "conflict"
    NOT_AFFECTED = "not affected"
    REFUSED_BY_POLICY = "refused by policy"
    REFUSED_BY_PERSON = "refused by a person"
    REVERTED = "reverted"


MISSING = frozenset({State.CLEAN, State.RESOLVABLE, State.NEEDS, State.CONFLICT})
"""The states in which the branch should have the original and has it not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginalState:
    """The one state of an original on a branch.

    `asked_by` says what of the policy asks for it; empty where nothing does. `needs` are originals to be there first,
    by the names people use. `landed` is when it came to the branch, 0 where it did not. `waits` says what a missing one
    waits for; empty for one that the next opening takes.
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
    """A branch with the standing of every original since its branch point.

    Those that nothing asks for are refused by policy, all for that one reason; they are listed by name in `not_asked`.
    `problem` says why nothing could be told of the branch.
    """

    branch: str
    tip: Sha | None = None
    point: Sha | None = None
    originals: tuple[OriginalState, ...] = ()
    not_asked: tuple[str, ...] = ()
    problem: str = ""

    def having(self, *states: State) -> tuple[OriginalState, ...]:
        """Return the standings in one of these states, oldest original first."""
        return tuple(each for each in self.originals if each.state in states)

    @property
    def missing(self) -> tuple[OriginalState, ...]:
        """The standings of what the branch should have and has not."""
        return self.having(*MISSING)

"""States of originals, for tests of what is made of them."""

from __future__ import annotations

from bot.models import Sha
from bot.sync.survey import SyncReport
from bot.sync.types import BranchState, Original, OriginalState, State

DAY = 86_400
MOMENT = 1_800_000_000
SHA = Sha("0123456789abcdef0123456789abcdef01234567")


def state_of(
    number: int,
    state: State = State.CLEAN,
    *,
    needs: tuple[str, ...] = (),
    waits: str = "",
    title: str = "",
    reason: str = "the cherry-pick applies",
    branch: str = "release/1.0",
    pull_request: int | None = None,
    landed_count: int = 0,
    direct: bool = False,
) -> OriginalState:
    """Make the state of #number, which was merged as many days before the moment as 100 minus its number."""
    original = Original(
        position=number,
        commits=(Sha(f"{number:040x}"),),
        merged=MOMENT - (100 - number) * DAY,
        title=title or f"Fix {number}",
        number=None if direct else number,
        url="" if direct else f"https://github.example/a/b/pull/{number}",
    )
    return OriginalState(
        branch=branch,
        original=original,
        state=state,
        reason=reason,
        asked_by="label `bug`" if state not in {State.ALREADY_APPLIED, State.REFUSED_BY_POLICY} else "",
        needs=needs,
        waits=waits,
        pull_request=pull_request,
        landed=landed_count,
    )


def branch(*standings: OriginalState, name: str = "release/1.0", not_asked: tuple[str, ...] = ()) -> BranchState:
    """Make a branch with these originals."""
    return BranchState(branch=name, tip=SHA, point=SHA, originals=standings, not_asked=not_asked)


def survey(*branches: BranchState) -> SyncReport:
    """Make a survey."""
    return SyncReport(repository="a/b", main="main", moment=MOMENT, branches=branches, open_backports={})


def every_state() -> BranchState:
    """Make a branch on which each state is there once."""
    return branch(
        state_of(
            1,
            State.ALREADY_APPLIED,
            reason="012345678901 on the branch was cherry-picked from it",
            landed_count=MOMENT - DAY,
        ),
        state_of(2, State.OPENED, reason="#90 is open", pull_request=90),
        state_of(3, State.CLEAN),
        state_of(4, State.RESOLVABLE, reason="the cherry-pick conflicts, but the carried patch applies"),
        state_of(
            5, State.NEEDS, needs=("#3",), waits="#3 to be on the branch", reason="it conflicts, and applies after #3"
        ),
        state_of(6, State.CONFLICT, reason="the cherry-pick conflicts in `a.py` (content)", waits="a person"),
        state_of(
            13,
            State.UNCONFIRMED,
            reason="012345678901 on the branch names it as its source, but makes another change; it conflicts",
        ),
        state_of(7, State.NOT_AFFECTED, reason="There is no ring yet."),
        state_of(14, State.NOTHING_LEFT, reason="`pick.leave_out` leaves out all that it changes: .github/a.yml"),
        state_of(8, State.REFUSED_BY_POLICY, reason="Needs the new cache."),
        state_of(9, State.REFUSED_BY_PERSON, reason="#91 was closed without being merged", pull_request=91),
        state_of(10, State.REVERTED, reason="#11 reverted it on the main branch"),
        state_of(12, State.CONFLICT, reason="it conflicts", waits="a person", direct=True),
        not_asked=("#20", "#21"),
    )

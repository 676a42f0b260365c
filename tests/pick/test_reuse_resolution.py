"""What people made of the very same conflict before: used again, as a proposal."""

from __future__ import annotations

import pytest

from bot.git.repository import Repository
from bot.models import Candidate, Certainty, Sha
from tests.git.history import History
from tests.pick.plans import run_ladder

FILE = "".join(f"line {number}\n" for number in range(12))
SIDES = {"ours": "old spelling of it\n", "theirs": "the fix of it\n", "made": "the fix of it in the old spelling\n"}


def _with(text: str, more: str = "") -> str:
    return FILE.replace("line 5\n", text) + more


def _backport(history: History, base: Sha, original: Sha, name: str) -> None:
    # The end of the file differs, so that no backport applies to another branch as a whole.
    tip = history.commit({"f": _with(SIDES["ours"], f"{name}\n")}, base)
    edited_files = {"f": _with(SIDES["made"], f"{name}, fixed\n")}
    landed_commit = history.commit(edited_files, tip, message=f"Fix\n\n(cherry picked from commit {original})")
    history.branch(name, landed_commit)


@pytest.mark.parametrize("backports", [pytest.param(1, id="one"), pytest.param(2, id="two that agree")])
def test_resolution_that_people_made_before_is_proposed(
    history: History, repository: Repository, backports: int
) -> None:
    base = history.commit({"f": FILE})
    original = history.commit({"f": _with(SIDES["theirs"])}, base)
    history.branch("main", original)
    for number in range(backports):
        _backport(history, base, original, f"release-{number}")
    tip = history.commit({"f": _with(SIDES["ours"], "another end\n")}, base)
    result = run_ladder(repository, tip, original)
    assert isinstance(result, Candidate)
    assert result.rungs[-1].rung == "remembered resolution"
    assert (history.show(result.commit, "f"), result.certainty) == (
        _with(SIDES["made"], "another end"),
        Certainty.PROPOSED,
    )

"""When what the finer merge makes is certain: where it leaves out or removes files, and merges nothing."""

from __future__ import annotations

import pytest

from bot.git.repository import Repository
from bot.model import Candidate, Certainty, Conflict, Sha
from tests.git.history import History
from tests.pick.plans import climb

FORK = "".join(f"line {number} of the file\n" for number in range(12))


def _missing(history: History, *, lines: int, added: int, rest: bool = True) -> tuple[Sha, Sha]:
    """base ── main, which adds new.c ── original, which edits new.c and f; base ── tip (release)"""
    new = "".join(f"int value_{number};\n" for number in range(lines))
    base = history.commit({"f": FORK})
    main = history.commit({"new.c": new}, base)
    edited = new.replace("value_0", "zero") + "".join(f"int more_{number};\n" for number in range(added))
    fixed = {"f": FORK.replace("line 5", "LINE 5")} if rest else {}
    return history.commit({"other": "o"}, base), history.commit({"new.c": edited, **fixed}, main)


@pytest.mark.parametrize(
    ("lines", "added", "certainty"),
    [
        pytest.param(60, 0, Certainty.CERTAIN, id="an edit of what main alone has"),
        pytest.param(60, 30, Certainty.PROPOSED, id="people may want the new part"),
        pytest.param(15, 0, Certainty.PROPOSED, id="people may bring the short file along"),
    ],
)
def test_leaving_out_a_file_that_main_got_later(
    history: History, repository: Repository, lines: int, added: int, certainty: Certainty
) -> None:
    made = climb(repository, *_missing(history, lines=lines, added=added))
    assert isinstance(made, Candidate)
    assert (made.files, made.certainty) == (("f",), certainty)


def test_pick_of_which_all_would_be_left_out_is_not_there_already(history: History, repository: Repository) -> None:
    made = climb(repository, *_missing(history, lines=60, added=0, rest=False))
    assert isinstance(made, Conflict)
    assert "nothing of it would be left" in made.rungs[-1].detail


def test_file_that_the_original_removes_is_removed_though_the_branch_changed_it(
    history: History, repository: Repository
) -> None:
    """base ── original, which removes old.c (main); base ── tip, which changes it (release)"""
    base = history.commit({"f": FORK, "old.c": FORK})
    original = history.commit({"f": FORK.replace("line 5", "LINE 5"), "old.c": None}, base)
    made = climb(repository, history.commit({"old.c": FORK.replace("line 2", "line two")}, base), original)
    assert isinstance(made, Candidate)
    assert (set(made.files), made.certainty) == ({"f", "old.c"}, Certainty.CERTAIN)


def test_no_merge_of_a_region_is_certain(history: History, repository: Repository) -> None:
    """base ── main, which changes line 2 ── original, which changes line 3; base ── tip (release)"""
    base = history.commit({"f": FORK})
    near = FORK.replace("line 2 of", "line two of")
    main = history.commit({"f": near}, base)
    original = history.commit({"f": near.replace("line 3 of", "LINE 3 in")}, main)
    made = climb(repository, history.commit({"other": "o"}, base), original)
    assert isinstance(made, Candidate)
    assert history.show(made.commit, "f") == FORK.replace("line 3 of", "LINE 3 in").rstrip("\n")
    assert made.certainty is Certainty.PROPOSED

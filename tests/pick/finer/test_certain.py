"""When what the finer merge makes is certain: the two plain cases, and what is only like them."""

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
        pytest.param(60, 20, Certainty.PROPOSED, id="people may want the new part"),
        pytest.param(20, 0, Certainty.PROPOSED, id="people may bring the short file along"),
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


@pytest.mark.parametrize(
    ("changed", "certainty"),
    [pytest.param(1, Certainty.CERTAIN, id="one line"), pytest.param(8, Certainty.PROPOSED, id="eight lines")],
)
def test_few_lines_beside_text_that_main_has_changed(
    history: History, repository: Repository, changed: int, certainty: Certainty
) -> None:
    """base ── main, which changes line 2 ── original, which changes lines from 3 on; base ── tip (release)"""
    base = history.commit({"f": FORK})
    near = FORK.replace("line 2 of", "line two of")
    main = history.commit({"f": near}, base)
    fixed, wanted = near, FORK
    for number in range(3, 3 + changed):
        fixed, wanted = (text.replace(f"line {number} of", f"LINE {number} in") for text in (fixed, wanted))
    made = climb(repository, history.commit({"other": "o"}, base), history.commit({"f": fixed}, main))
    assert isinstance(made, Candidate)
    assert (history.show(made.commit, "f"), made.certainty) == (wanted.rstrip("\n"), certainty)


def test_small_edit_beside_what_the_branch_has_written_itself(history: History, repository: Repository) -> None:
    """base ── original, which changes one word (main); base ── tip, which puts more lines before it (release)"""
    base = history.commit({"f": FORK})
    own = "a rather long line that\nthe branch has of its own\nand that main never had\nin any of its files\n"
    tip = history.commit({"f": FORK.replace("line 4 of the file\n", own)}, base)
    made = climb(repository, tip, history.commit({"f": FORK.replace("line 5 of", "line five of")}, base))
    assert isinstance(made, Candidate)
    assert made.certainty is Certainty.CERTAIN

"""When what the finer merge makes is certain: where it leaves out or removes files, and merges nothing."""

from __future__ import annotations

import pytest

from bot.git.repository import Repository
from bot.models import Candidate, Certainty, Conflict, Sha
from tests.git.history import History
from tests.pick.plans import run_ladder

FORK = "".join(f"line {number} of the file\n" for number in range(12))


def _missing(history: History, *, lines: int, added_lines: int, is_rest: bool = True) -> tuple[Sha, Sha]:
    """base ── main, which adds new.c ── original, which edits new.c and f; base ── tip (release)"""
    new = "".join(f"int value_{number};\n" for number in range(lines))
    base = history.commit({"f": FORK})
    main = history.commit({"new.c": new}, base)
    edited_text = new.replace("value_0", "zero") + "".join(f"int more_{number};\n" for number in range(added_lines))
    fixed_files = {"f": FORK.replace("line 5", "LINE 5")} if is_rest else {}
    return history.commit({"other": "o"}, base), history.commit({"new.c": edited_text, **fixed_files}, main)


@pytest.mark.parametrize(
    ("lines", "added_lines", "certainty"),
    [
        pytest.param(60, 0, Certainty.CERTAIN, id="an edit of what main alone has"),
        pytest.param(60, 30, Certainty.PROPOSED, id="people may want the new part"),
        pytest.param(15, 0, Certainty.PROPOSED, id="people may bring the short file along"),
    ],
)
def test_leaving_out_a_file_that_main_got_later(
    history: History, repository: Repository, lines: int, added_lines: int, certainty: Certainty
) -> None:
    result = run_ladder(repository, *_missing(history, lines=lines, added_lines=added_lines))
    assert isinstance(result, Candidate)
    assert (result.files, result.certainty) == (("f",), certainty)


@pytest.mark.parametrize(
    "paths", [pytest.param(["tests/test_new.py"], id="tests"), pytest.param(["new.c", "newer.c"], id="several files")]
)
def test_what_people_often_bring_along_is_left_out_in_proposals_only(
    history: History, repository: Repository, paths: list[str]
) -> None:
    """base, with a folder of tests ── main, which adds files ── original, which edits them; base ── tip (release)"""
    base = history.commit({"f": FORK, "tests/test_old.py": "old = 1\n"})
    main = history.commit(dict.fromkeys(paths, "value = 1\n" * 60), base)
    edited_files = dict.fromkeys(paths, "value = 2\n" + "value = 1\n" * 59)
    original = history.commit({**edited_files, "f": FORK.replace("line 5", "LINE 5")}, main)
    result = run_ladder(repository, history.commit({"other": "o"}, base), original)
    assert isinstance(result, Candidate)
    assert (result.files, result.certainty) == (("f",), Certainty.PROPOSED)


@pytest.mark.parametrize(
    ("more", "certainty"),
    [
        pytest.param({}, Certainty.CERTAIN, id="the branch lacks the whole folder"),
        pytest.param({"lib/add.c": "int a;\n"}, Certainty.PROPOSED, id="a part of the folder would come along"),
    ],
)
def test_leaving_out_a_large_edit_in_a_folder_that_main_got_later(
    history: History, repository: Repository, more: dict[str, str], certainty: Certainty
) -> None:
    """base ── main, which adds lib/new/a.c ── original, which rewrites it and edits f; base ── tip (release)"""
    base = history.commit({"f": FORK})
    main = history.commit({"lib/new/a.c": "int one;\n" * 5}, base)
    original = history.commit({"lib/new/a.c": "int two;\n" * 40, "f": FORK.replace("5", "V"), **more}, main)
    result = run_ladder(repository, history.commit({"other": "o"}, base), original)
    assert isinstance(result, Candidate)
    assert (result.files, result.certainty) == (("f", *more), certainty)


def test_pick_of_which_all_would_be_left_out_is_not_there_already(history: History, repository: Repository) -> None:
    result = run_ladder(repository, *_missing(history, lines=60, added_lines=0, is_rest=False))
    assert isinstance(result, Conflict)
    assert "nothing of it would be left" in result.rungs[-1].detail


@pytest.mark.parametrize(
    ("times", "certainty"),
    [pytest.param(2, Certainty.CERTAIN, id="long"), pytest.param(1, Certainty.PROPOSED, id="short")],
)
def test_file_that_the_original_removes_is_removed_though_the_branch_changed_it(
    history: History, repository: Repository, times: int, certainty: Certainty
) -> None:
    """base ── original, which removes old.c (main); base ── tip, which changes it (release)"""
    base = history.commit({"f": FORK, "old.c": FORK * times})
    original = history.commit({"f": FORK.replace("line 5", "LINE 5"), "old.c": None}, base)
    result = run_ladder(
        repository, history.commit({"old.c": FORK.replace("line 2", "line two") * times}, base), original
    )
    assert isinstance(result, Candidate)
    assert (set(result.files), result.certainty) == ({"f", "old.c"}, certainty)


def test_no_merge_of_a_region_is_certain(history: History, repository: Repository) -> None:
    """base ── main, which changes line 2 ── original, which changes line 3; base ── tip (release)"""
    base = history.commit({"f": FORK})
    near_text = FORK.replace("line 2 of", "line two of")
    main = history.commit({"f": near_text}, base)
    original = history.commit({"f": near_text.replace("line 3 of", "LINE 3 in")}, main)
    result = run_ladder(repository, history.commit({"other": "o"}, base), original)
    assert isinstance(result, Candidate)
    assert history.show(result.commit, "f") == FORK.replace("line 3 of", "LINE 3 in").rstrip("\n")
    assert result.certainty is Certainty.PROPOSED

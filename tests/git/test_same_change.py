"""Whether a commit makes the change of another one, or takes it back."""

from __future__ import annotations

import pytest

from bot.git.repository import Repository
from bot.git.same_change import borne_out, makes, resembles, undoes
from tests.git.history import File, Files, History

LINES = [f"line {number}\n" for number in range(12)]
BASE = "".join(LINES)
FIXED = BASE.replace("line 3\n", "three\n").replace("line 8\n", "eight\n")


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param({"f": FIXED}, True, id="the same"),
        pytest.param({"f": FIXED + "more\n", "other": "x\n"}, True, id="the same and more"),
        pytest.param({"f": BASE.replace("line 3\n", "three\n")}, True, id="half of it"),
        pytest.param({"f": BASE.replace("line 3\n", "three, adapted\n")}, False, id="less than half of it"),
        pytest.param({"f": BASE + "more\n"}, False, id="something else in the file"),
        pytest.param({"g": "three\neight\n"}, False, id="its lines in another file"),
        pytest.param({"moved/f": FIXED}, False, id="a new file that has them"),
        pytest.param({}, False, id="nothing"),
    ],
)
def test_half_of_the_lines_bear_a_word_out(
    history: History, repository: Repository, files: Files, expected: bool
) -> None:
    base = history.commit({"f": BASE})
    original = history.commit({"f": FIXED}, base)
    assert makes(repository, history.commit(files, base), original) is expected


@pytest.mark.parametrize(
    ("before", "change"),
    [
        pytest.param({"b": b"\0one"}, {"b": b"\0two"}, id="binary"),
        pytest.param({"e": "x\n"}, {"e": File("100755", b"x\n")}, id="mode"),
        pytest.param({}, {"empty": ""}, id="an empty file"),
        pytest.param({"f": BASE}, {"f": None}, id="a removal"),
        pytest.param({}, {"l": File("120000", b"f")}, id="a link"),
        pytest.param({'odd "name\n': "x\n"}, {'odd "name\n': "y\n"}, id="an odd name"),
        pytest.param({"f": "{\n}\n"}, {"f": "{\n{\n}\n}\n"}, id="signs alone"),
    ],
)
def test_every_kind_of_change_is_told_from_none(
    history: History, repository: Repository, before: Files, change: Files
) -> None:
    base = history.commit({"keep": "k\n", **before})
    original = history.commit(change, base)
    second_commit = history.commit(change, history.commit({"keep": "K\n"}, base))
    other_commit = history.commit({"keep": "other\n"}, base)
    back = history.commit({**dict.fromkeys(change), **before}, second_commit)
    assert makes(repository, second_commit, original)
    assert undoes(repository, back, original)
    assert not makes(repository, other_commit, original)
    assert not undoes(repository, other_commit, original)
    assert not undoes(repository, second_commit, original)


def test_what_the_branch_does_not_have_is_not_asked_for(history: History, repository: Repository) -> None:
    """main: base ── new ── original, which edits f a little and new much;  the branch got no new"""
    base = history.commit({"f": BASE})
    new = history.commit({"new": BASE}, base)
    original = history.commit({"f": FIXED, "new": "".join(f"other {line}" for line in LINES)}, new)
    picked_commit = history.commit({"f": FIXED}, base)
    assert makes(repository, picked_commit, original)
    assert not makes(repository, history.commit({"f": FIXED}, new), original), "there it was left out"


def test_a_file_that_the_branch_has_elsewhere_is_the_same(history: History, repository: Repository) -> None:
    base = history.commit({"new/f": BASE})
    original = history.commit({"new/f": FIXED}, base)
    old = history.commit({"old/f": BASE})
    assert makes(repository, history.commit({"old/f": FIXED}, old), original)
    renamed_commit = history.commit({"old/g": FIXED}, history.commit({"old/g": BASE}))
    assert not makes(repository, renamed_commit, original)
    assert resembles(repository, renamed_commit, original)


def test_what_cannot_be_read_bears_nothing_out(history: History, repository: Repository) -> None:
    base = history.commit({"f": BASE})
    original = history.commit({"f": FIXED}, base)
    picked_commit = history.commit({"f": FIXED + "more\n"}, base)
    history.lose(history.git("rev-parse", f"{picked_commit}:f"))
    assert borne_out(repository, [(picked_commit, original), (original, original)]) == {(original, original)}

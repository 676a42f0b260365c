"""The ladder: which strategy makes the candidate, what the commit says, and that every strategy is recorded."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.git.repository import Repository
from bot.models import AlreadyApplied, Candidate, Conflict, ConflictKind, Fidelity, Method, Sha, Signature
from tests.git.history import AUTHOR, COMMITTER, File, History, Judge
from tests.pick.plans import ring_patch, run_ladder

TEN = [f"line {number}\n" for number in range(10)]
BASE, FIXED = "".join(TEN), "".join(["fixed\n", *TEN[1:]])
RING = "def allocate(self, slots, width):\n    self.ring = bytearray(slots)\n"
NEAR = (
    "def allocate(self, slots, width):\n    self.width = width\n    self.ring = bytearray(slots)\n    self.full = 0\n"
)


def test_clean_pick_is_what_git_makes_and_keeps_its_author(
    history: History, repository: Repository, judge: Judge
) -> None:
    """base ── original (main); base ── tip (release)"""
    author = Signature("Åda", "ada@example.org", "1690000000 -0330")
    base = history.commit({"f": BASE, "g": "g"})
    message = "Fix (#7)\n\nBody.\n\nCo-authored-by: B <b@example.org>\n"
    original = history.commit({"f": FIXED}, base, message=message, author=author)
    tip = history.commit({"g": "G"}, base)
    result = run_ladder(repository, tip, original)
    assert isinstance(result, Candidate)
    assert (result.method, result.fidelity, result.files) == (Method.CHERRY_PICK, Fidelity.EXACT, ("f",))
    assert history.tree(result.commit) == judge.cherry_pick(original, tip).tree
    commit = repository.commit(result.commit)
    assert (commit.parents, commit.author, commit.committer) == ((tip,), author, COMMITTER)
    assert commit.message == (
        f"Fix (#7)\n\nBody.\n\n(cherry picked from commit {original})\n\nCo-authored-by: B <b@example.org>\n"
    )


def test_second_pick_makes_the_same_commit(history: History, repository: Repository) -> None:
    """base ── original (main); base ── tip (release)"""
    base = history.commit({"f": BASE})
    original, tip = history.commit({"f": FIXED}, base), history.commit({"g": "G"}, base)
    first, second = run_ladder(repository, tip, original), run_ladder(repository, tip, original)
    assert first == second


@pytest.mark.parametrize(
    ("branch_file", "fidelity"),
    [
        (BASE + "more\n", Fidelity.EXACT),
        ("above\n" + BASE, Fidelity.OFFSET),
        ("".join([*TEN[:7], "other\n", *TEN[8:]]), Fidelity.ADAPTED),
    ],
)
def test_fidelity_tells_moved_and_changed_hunks_apart(
    branch_file: str, fidelity: Fidelity, history: History, repository: Repository
) -> None:
    """base ── original, which changes a line in the middle; base ── tip"""
    base = history.commit({"f": BASE})
    original = history.commit({"f": "".join([*TEN[:5], "fixed\n", *TEN[6:]])}, base)
    result = run_ladder(repository, history.commit({"f": branch_file}, base), original)
    assert isinstance(result, Candidate)
    assert result.fidelity is fidelity


def test_an_original_that_changes_nothing_adapts_nothing(history: History, repository: Repository) -> None:
    """base ── one ── an empty commit ── two (main);  base ── tip"""
    base = history.commit({"f": BASE})
    one = history.commit({"f": FIXED}, base)
    empty = history.commit({}, one, message="Start the checks again")
    two = history.commit({"g": "g"}, empty)
    result = run_ladder(repository, history.commit({"h": "h"}, base), one, empty, two)
    assert isinstance(result, Candidate)
    assert result.fidelity is Fidelity.EXACT
    assert result.files == ("f", "g")


@pytest.mark.parametrize(("before", "on_the_branch"), [("120000", "100644"), ("100644", "120000")])
def test_files_of_a_folder_that_takes_a_file_s_place_are_not_lost(
    before: str, on_the_branch: str, history: History, repository: Repository
) -> None:
    """base ── original, which puts a folder in the place of x (main);  base ── x is of another kind (branch)"""
    base = history.commit({"x": File(before, b"y"), "f": BASE})
    original = history.commit({"x": None, "x/inner": "i", "f": FIXED}, base)
    tip = history.commit({"x": File(on_the_branch, b"other")}, base)
    result = run_ladder(repository, tip, original)
    assert isinstance(result, Conflict)
    assert "x" in [file.path for file in result.files]


def test_series_is_picked_in_order_without_what_is_there(history: History, repository: Repository) -> None:
    """base ── one ── two ── three (main)
    └──── two again (release)
    """
    base = history.commit({"f": BASE})
    one = history.commit({"f": FIXED}, base, message="one")
    two = history.commit({"g": "g\n"}, one, message="two")
    three = history.commit({"g": "g\nh\n"}, two, message="three")
    tip = history.commit({"g": "g\n"}, base)
    result = run_ladder(repository, tip, one, two, three)
    assert isinstance(result, Candidate)
    assert [repository.commit(commit).subject for commit in result.commits] == ["one", "three"]
    assert repository.commit(result.commits[0]).parents == (tip,)
    assert repository.commit(result.commit).parents == (result.commits[0],)
    assert history.show(result.commit, "g") == "g\nh"
    assert two[:12] in result.rungs[0].detail


def test_merge_commit_becomes_one_ordinary_commit(history: History, repository: Repository) -> None:
    """base ── main ── merge; base ── fix ── merge; base ── tip (release)"""
    base = history.commit({"f": BASE, "g": "g"})
    main, fix = history.commit({"g": "main"}, base), history.commit({"f": FIXED}, base)
    merge = history.commit({"f": FIXED}, main, fix, message="Merge pull request #7")
    tip = history.commit({"h": "h"}, base)
    result = run_ladder(repository, tip, merge)
    assert isinstance(result, Candidate)
    assert repository.commit(result.commit).parents == (tip,)
    assert result.files == ("f",)


def test_change_that_is_there_in_other_words_is_no_conflict(history: History, repository: Repository) -> None:
    """base ── original (main); base ── the change with more beside it (release)"""
    base = history.commit({"f": BASE})
    original = history.commit({"f": FIXED}, base)
    tip = history.commit({"f": FIXED, "g": "more"}, base)
    result = run_ladder(repository, tip, original)
    assert isinstance(result, AlreadyApplied)
    assert "changes nothing" in result.how


def test_backport_that_was_landed_is_named(history: History, repository: Repository) -> None:
    """base ── original (main); base ── backport ── reworked since (release)"""
    base = history.commit({"f": BASE})
    original = history.commit({"f": FIXED}, base)
    backport = history.commit({"f": FIXED}, base, message=f"Fix\n\n(cherry picked from commit {original})")
    reworked = history.commit({"f": "reworked\n"}, backport)
    result = run_ladder(repository, reworked, original)
    assert isinstance(result, AlreadyApplied)
    assert result.commit == backport


def test_conflict_names_commit_files_and_every_rung(history: History, repository: Repository) -> None:
    """base ── one ── two (main); base ── tip (release): two conflicts in f, and deletes what tip changed"""
    base = history.commit({"f": BASE, "d": BASE})
    one = history.commit({"new": "n"}, base)
    two = history.commit({"f": "theirs\n", "d": None}, one)
    tip = history.commit({"f": "ours\n", "d": FIXED}, base)
    before = history.git("cat-file", "--batch-check", "--batch-all-objects")
    result = run_ladder(repository, tip, one, two)
    assert isinstance(result, Conflict)
    assert result.commit == two
    assert {(file.path, file.kind, file.regions) for file in result.files} == {
        ("f", ConflictKind.CONTENT, 1),
        ("d", ConflictKind.MODIFY_DELETE, 0),
    }
    assert [rung.rung for rung in result.rungs][:3] == ["already there", "cherry-pick", "carried patch"]
    assert not any(rung.won for rung in result.rungs)
    assert all(rung.detail for rung in result.rungs)
    assert history.git("cat-file", "--batch-check", "--batch-all-objects") == before


def test_carried_patch_applies_where_git_conflicts(history: History, repository: Repository, tmp_path: Path) -> None:
    """near ── original (main); the ring without its neighbours (release)"""
    base = history.commit({"ring/ring.py": RING})
    near_commit = history.commit({"ring/ring.py": NEAR}, base)
    fixed_text = NEAR.replace("bytearray(slots)", "bytearray(slots * width)").replace("full = 0", "full = None")
    original = history.commit(
        {"ring/ring.py": fixed_text}, near_commit, message="Size it (#7)\n\nSigned-off-by: A <a@x>"
    )
    result = run_ladder(repository, base, original, patches=ring_patch(tmp_path))
    assert isinstance(result, Candidate)
    assert (result.method, result.fidelity) == (Method.CARRIED_PATCH, Fidelity.ADAPTED)
    assert history.show(result.commit, "ring/ring.py") == RING.replace("(slots)", "(slots * width)").rstrip("\n")
    commit = repository.commit(result.commit)
    assert commit.author == AUTHOR
    assert commit.message == (
        "Size it (#7)\n\nApplied to release/1 by the carried patch ring-7, not by its original lines.\n\n"
        f"(cherry picked from commit {original})\n\nSigned-off-by: A <a@x>\n"
    )
    assert [(rung.rung, rung.won) for rung in result.rungs] == [
        ("already there", False),
        ("cherry-pick", False),
        ("carried patch", True),
    ]
    assert result.rungs[-1].detail == "ring-7: 1 step changed ring/ring.py"


def test_clean_pick_that_leaves_the_fault_gives_way_to_the_carried_patch(
    history: History, repository: Repository, tmp_path: Path
) -> None:
    """base ── original, which fixes another form of it (main); base ── tip (release)"""
    base = history.commit({"ring/ring.py": RING, "notes": "n"})
    original = history.commit({"notes": "fixed"}, base)
    result = run_ladder(repository, history.commit({"x": "x"}, base), original, patches=ring_patch(tmp_path))
    assert isinstance(result, Candidate)
    assert result.method is Method.CARRIED_PATCH
    assert "still finds the fault" in result.rungs[1].detail


def test_every_object_of_a_candidate_is_in_the_repository(history: History, repository: Repository) -> None:
    """base ── one ── two (main); base ── tip (release)"""
    base = history.commit({"d/e/f": BASE, "g": "g"})
    one = history.commit({"d/e/f": FIXED}, base)
    two = history.commit({"d/new/n": "n"}, one)
    result = run_ladder(repository, history.commit({"g": "G"}, base), one, two)
    assert isinstance(result, Candidate)
    history.branch("candidate", Sha(result.commit))
    history.git("fsck", "--strict", "--connectivity-only")

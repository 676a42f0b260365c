"""A conflict explained: who changed the lines on either side, and the smallest set of commits that makes it apply."""

from __future__ import annotations

import pytest

from bot.git.repository import Repository
from bot.models import Candidate, Certainty, Conflict, Sha
from bot.pick import explain_conflict, prerequisites
from bot.pick.caches import PickCaches
from bot.pick.ladder import pick
from tests.git.history import COMMITTER, History
from tests.pick.missing import PYTHON, swept, ten_lines, with_rest
from tests.pick.plans import plan, run_ladder


def _conflict(repository: Repository, tip: Sha, *commits: Sha) -> Conflict:
    result = run_ladder(repository, tip, *commits)
    assert isinstance(result, Conflict)
    return result


def test_the_commits_of_both_sides_that_changed_the_lines_are_named(history: History, repository: Repository) -> None:
    """base ── elsewhere ── near (#2) ── original (main)
    └──── aside ── ours (release)
    """
    base = history.commit({"f": ten_lines(), "g": "g\n"})
    elsewhere = history.commit({"f": ten_lines(l9="elsewhere")}, base, message="Elsewhere (#1)")
    near_commit = history.commit({"f": ten_lines(l3="near", l9="elsewhere")}, elsewhere, message="Near (#2)")
    original = history.commit({"f": ten_lines(l3="fixed", l9="elsewhere")}, near_commit)
    aside = history.commit({"g": "aside\n"}, base, message="Aside")
    tip = history.commit({"f": ten_lines(l3="ours")}, aside, message="Ours")
    (file,) = _conflict(repository, tip, original).files
    assert [(commit.sha, commit.subject, commit.on_target) for commit in file.changed_by] == [
        (near_commit, "Near (#2)", False),
        (tip, "Ours", True),
    ]


def test_who_added_a_file_that_the_branch_lacks_is_named(history: History, repository: Repository) -> None:
    base = history.commit({"g": "g\n"})
    adding = history.commit({"f": ten_lines()}, base, message="Add it")
    original = history.commit({"f": ten_lines(l3="fixed")}, adding)
    conflict = _conflict(repository, history.commit({"g": "G\n"}, base), original)
    assert [commit.sha for commit in conflict.files[0].changed_by] == [adding]
    assert [commit.sha for commit in conflict.prerequisites] == [adding]


def test_one_missing_commit_is_found_among_many(history: History, repository: Repository) -> None:
    """base ── 6 commits around ── near ── 6 commits around ── original (main); base ── tip (release)"""
    base = history.commit({"f": ten_lines(), "other": "0\n"})
    tip = history.commit({"x": "x"}, base)
    main = base
    for number in range(1, 7):
        main = history.commit({"other": f"{number}\n"}, main)
    near_commit = main = history.commit({"f": ten_lines(l3="near")}, main, message="Near (#7)")
    for number in range(7, 13):
        main = history.commit({"other": f"{number}\n"}, main)
    original = history.commit({"f": ten_lines(l3="fixed")}, main)
    prerequisites = _conflict(repository, tip, original).prerequisites
    assert [(each.sha, each.subject, each.author) for each in prerequisites] == [
        (near_commit, "Near (#7)", "Ada Author")
    ]


def _stack(history: History) -> tuple[Sha, list[Sha], Sha]:
    """base ── one ── two ── three, each on the line of the one before ── original (main); base ── tip (release)"""
    base = history.commit({"f": ten_lines()})
    tip = history.commit({"x": "x"}, base)
    stack = [base]
    for name in ("one", "two", "three"):
        stack.append(history.commit({"f": ten_lines(l3=name)}, stack[-1], message=name))
    return tip, stack[1:], history.commit({"f": ten_lines(l3="fixed")}, stack[-1])


def test_a_stack_is_found_whole_and_in_order(history: History, repository: Repository) -> None:
    tip, stack, original = _stack(history)
    assert [commit.sha for commit in _conflict(repository, tip, original).prerequisites] == stack


def test_no_more_are_looked_for_than_allowed(history: History, repository: Repository) -> None:
    tip, _stacked, original = _stack(history)
    result = pick(repository, plan(tip, original), patches={}, committer=COMMITTER, max_prerequisites=2)
    assert isinstance(result, Conflict)
    assert result.prerequisites == ()


def test_where_there_is_no_time_the_conflict_stands_unexplained(
    history: History, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    tip, _stacked, original = _stack(history)
    monkeypatch.setattr(explain_conflict, "SECONDS", 0.0)
    conflict = _conflict(repository, tip, original)
    assert conflict.prerequisites == ()
    assert [file.path for file in conflict.files] == ["f"]


def test_branches_asked_about_together_share_the_time(
    history: History, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    tip, stack, original = _stack(history)
    monkeypatch.setattr(explain_conflict, "ALL_SECONDS", 0.0)
    caches = PickCaches()
    caches.histories.announce([original], [tip, history.commit({"y": "y"}, tip)])
    result = pick(repository, plan(tip, original), patches={}, committer=COMMITTER, caches=caches)
    assert isinstance(result, Conflict)
    assert result.prerequisites == ()
    monkeypatch.setattr(explain_conflict, "ALL_SECONDS", 60.0)
    result = pick(repository, plan(tip, original), patches={}, committer=COMMITTER, caches=caches)
    assert isinstance(result, Conflict)
    assert [commit.sha for commit in result.prerequisites] == stack


def test_the_smaller_set_wins(history: History, repository: Repository) -> None:
    """base ── one ── two, which undoes one and does the same to the line ── original (main)"""
    base = history.commit({"f": ten_lines(), "g": "g\n"})
    tip = history.commit({"x": "x"}, base)
    one = history.commit({"f": ten_lines(l3="one"), "g": "one\n"}, base)
    undone_commit = history.commit({"f": ten_lines(), "g": "g\n"}, one)
    near_commit = history.commit({"f": ten_lines(l3="near")}, undone_commit)
    original = history.commit({"f": ten_lines(l3="fixed")}, near_commit)
    assert [commit.sha for commit in _conflict(repository, tip, original).prerequisites] == [near_commit]


def test_a_merged_pull_request_is_one_prerequisite(history: History, repository: Repository) -> None:
    """base ──────────────── merge ── original (main); base ── tip (release)
    └──── a ── b (topic) ┘
    """
    base = history.commit({"f": ten_lines()})
    tip = history.commit({"x": "x"}, base)
    a = history.commit({"f": ten_lines(l3="half")}, base, message="half")
    b = history.commit({"f": ten_lines(l3="near")}, a, message="whole")
    merge = history.commit({"f": ten_lines(l3="near")}, base, b, message="Merge pull request #7")
    original = history.commit({"f": ten_lines(l3="fixed")}, merge)
    assert [commit.sha for commit in _conflict(repository, tip, original).prerequisites] == [merge]


def test_what_the_branch_changed_itself_has_no_prerequisite(history: History, repository: Repository) -> None:
    base = history.commit({"f": ten_lines()})
    original = history.commit({"f": ten_lines(l3="fixed")}, base)
    conflict = _conflict(repository, history.commit({"f": ten_lines(l3="ours")}, base), original)
    assert conflict.prerequisites == ()


def test_prerequisites_of_a_series_come_before_all_of_it(history: History, repository: Repository) -> None:
    """base ── near ── first ── second (main), of which the second needs near; base ── tip (release)"""
    base = history.commit({"f": ten_lines(), "g": "g\n"})
    tip = history.commit({"x": "x"}, base)
    near_commit = history.commit({"f": ten_lines(l3="near")}, base)
    first = history.commit({"g": "first\n"}, near_commit)
    second = history.commit({"f": ten_lines(l3="fixed")}, first)
    conflict = _conflict(repository, tip, first, second)
    assert (conflict.commit, [commit.sha for commit in conflict.prerequisites]) == (second, [near_commit])
    assert isinstance(run_ladder(repository, tip, near_commit, first, second), Candidate)


@pytest.mark.parametrize("name", ["caf\udce9", 'q"uo\tte', "with space"])
def test_odd_names_are_followed_or_left_alone(name: str, history: History, repository: Repository) -> None:
    base = history.commit({name: ten_lines()})
    near_commit = history.commit({name: ten_lines(l3="near")}, base)
    original = history.commit({name: ten_lines(l3="fixed")}, near_commit)
    conflict = _conflict(repository, history.commit({"x": "x"}, base), original)
    assert [file.path for file in conflict.files] == [name]
    assert [commit.sha for commit in conflict.prerequisites] == ([] if '"' in name else [near_commit])


# --- what the ladder resolves after prerequisites ---------------------------------------------------------------------


@pytest.mark.parametrize(("added_lines", "rest"), [(0, Certainty.CERTAIN), (30, Certainty.PROPOSED)])
def test_what_conflicts_after_them_may_be_resolved_and_that_is_told_apart(
    history: History, repository: Repository, added_lines: int, rest: Certainty
) -> None:
    tip, near_commit, original = with_rest(history, added_lines=added_lines)
    conflict = _conflict(repository, tip, original)
    assert ([commit.sha for commit in conflict.prerequisites], conflict.rest) == ([near_commit], rest)


def test_no_climb_is_begun_for_which_the_time_does_not_do(
    history: History, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    tip, _near_commit, original = with_rest(history, added_lines=0)
    monkeypatch.setattr(prerequisites, "_SHORTEST_TRIAL", 60.0)
    assert _conflict(repository, tip, original).rest is not Certainty.CERTAIN


def test_where_nothing_may_be_proposed_none_is_found_for_a_proposal(history: History, repository: Repository) -> None:
    tip, _near_commit, original = with_rest(history, added_lines=30)
    result = pick(repository, plan(tip, original), patches={}, committer=COMMITTER, propose=False)
    assert isinstance(result, Conflict)
    assert (result.prerequisites, result.rest) == ((), None)


def test_a_larger_set_that_applies_is_better_than_a_resolution(history: History, repository: Repository) -> None:
    """As above, but the commit that adds new.py is small enough to be brought along."""
    new = PYTHON.replace("VALUE", "NEW")
    base = history.commit({"f": ten_lines(), "g": "g\n"})
    adding = history.commit({"new.py": new}, base)
    near_commit = history.commit({"f": ten_lines(l3="near")}, adding)
    original = history.commit({"f": ten_lines(l3="fixed"), "new.py": new.replace("NEW_0 ", "NULL ")}, near_commit)
    conflict = _conflict(repository, history.commit({"g": "G\n"}, base), original)
    assert ([commit.sha for commit in conflict.prerequisites], conflict.rest) == ([adding, near_commit], None)


# --- parts of sweeps --------------------------------------------------------------------------------------------------


def test_of_a_sweep_only_its_part_in_the_originals_files_is_a_prerequisite(
    history: History, repository: Repository
) -> None:
    tip, sweep, original = swept(history, needs="import sys\n")
    conflict = _conflict(repository, tip, original)
    assert [(commit.sha, commit.paths) for commit in conflict.prerequisites] == [(sweep, ("code.py", "f"))]
    assert conflict.rest is Certainty.PROPOSED


def test_a_part_is_nothing_where_only_what_is_certain_is_wanted(history: History, repository: Repository) -> None:
    tip, _sweep, original = swept(history)
    result = pick(repository, plan(tip, original), patches={}, committer=COMMITTER, propose=False)
    assert isinstance(result, Conflict)
    assert result.prerequisites == ()


def test_a_part_that_uses_what_the_branch_lacks_is_none(history: History, repository: Repository) -> None:
    tip, _sweep, original = swept(history, needs="from helper import NEW\n")
    assert _conflict(repository, tip, original).prerequisites == ()

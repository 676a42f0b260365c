"""Mining: which pairs a history holds, and that what cannot be told for certain is counted, not guessed."""

from __future__ import annotations

import pytest

from bot.errors import GitError
from bot.git.repository import Repository
from bot.models import Sha
from bot.rehearse.past_backports import find_past_backports
from tests.git.history import History


def pick_message(sha: str) -> str:
    return f"Fix\n\n(cherry picked from commit {sha})"


def test_pair_is_original_backport_and_its_parent(history: History, repository: Repository) -> None:
    """base ── original (main); base ── tip ── backport (1.x)"""
    base = history.commit({"f": "1\n"})
    original = history.branch("main", history.commit({"f": "2\n"}, base))
    tip = history.commit({"g": "g"}, base)
    backport = history.branch("1.x", history.commit({"f": "2\n"}, tip, message=pick_message(original[:10])))
    (pair,) = find_past_backports(repository).pairs
    assert (pair.original, pair.backport, pair.parent, pair.branch) == (original, backport, tip, "1.x")
    assert pair.date == int(repository.commit(backport).committer.date.split()[0])


def test_pull_request_number_leads_to_the_commit_of_the_main_line(history: History, repository: Repository) -> None:
    """base ── "Fix (#7)" (main); base ── merge of a branch that says so (1.x)"""
    base = history.commit({"f": "1\n"})
    original = history.branch("main", history.commit({"f": "2\n"}, base, message="Fix (#7)"))
    inner = history.commit({"f": "2\n"}, base, message="Backport PR #7: Fix")
    tip = history.commit({"g": "g"}, base)
    title = "Merge pull request #9 from meeseeksmachine/auto-backport-of-pr-7-on-1.x"
    merge = history.branch("1.x", history.commit({"f": "2\n"}, tip, inner, message=title))
    (pair,) = find_past_backports(repository).pairs
    assert (pair.original, pair.backport, pair.parent, pair.rule) == (original, merge, tip, "merge")


def test_commits_of_a_merge_that_name_commits_stand_for_themselves(history: History, repository: Repository) -> None:
    """base ── one ── two (main); base ── merge of the picks of both (1.x)"""
    base = history.commit({"f": "1\n"})
    first_fix = history.commit({"f": "2\n"}, base)
    two = history.branch("main", history.commit({"g": "g\n"}, first_fix, message="Two (#7)"))
    first = history.commit({"f": "2\n"}, base, message=pick_message(first_fix))
    second = history.commit({"g": "g\n"}, first, message=pick_message(two))
    title = "Merge pull request #9 from ann/backport-7"
    history.branch("1.x", history.commit({"f": "2\n", "g": "g\n"}, base, second, message=title))
    assert {(pair.original, pair.backport) for pair in find_past_backports(repository).pairs} == {
        (first_fix, first),
        (two, second),
    }


def test_what_cannot_be_told_is_left_out_and_counted(history: History, repository: Repository) -> None:
    """base ── one ── two (main); one ── four commits that name too much, nothing, or what the branch has (1.x)"""
    base = history.commit({"f": "1\n"})
    first_fix = history.commit({"f": "2\n"}, base)
    two = history.branch("main", history.commit({"f": "3\n"}, history.commit({"f": "2.5\n"}, first_fix)))
    three = repository.commit(two).parents[0]
    several = history.commit(
        {"f": "3\n"}, first_fix, message=pick_message(two) + f"\n(cherry picked from commit {three})"
    )
    unknown = history.commit({"a": "a"}, several, message=pick_message("f" * 40))
    by_numbers = history.commit({"b": "b"}, unknown, message="Backport PR #7 and backport PR #8")
    history.branch("1.x", history.commit({"c": "c"}, by_numbers, message=pick_message(first_fix)))
    past_backports = find_past_backports(repository)
    assert past_backports.pairs == ()
    assert past_backports.left_out == {
        "names several originals": 2,
        "names no commit of the main line": 1,
        "the original itself is on the branch": 1,
    }


def test_release_branch_that_was_merged_back_keeps_its_backports(history: History, repository: Repository) -> None:
    """base ── original ── merge of 1.x (main); base ── backport (1.x)"""
    base = history.commit({"f": "1\n"})
    original = history.commit({"f": "2\n"}, base)
    backport = history.branch("1.x", history.commit({"f": "2\n"}, base, message=pick_message(original)))
    history.branch("main", history.commit({"f": "2\n"}, original, backport, message="Merge branch '1.x'"))
    (pair,) = find_past_backports(repository).pairs
    assert (pair.original, pair.backport) == (original, backport)


def test_only_release_branches_are_looked_at_unless_a_glob_says_so(history: History, repository: Repository) -> None:
    """base ── original (main); base ── backport (topic)"""
    base = history.commit({"f": "1\n"})
    original = history.branch("main", history.commit({"f": "2\n"}, base))
    history.branch("topic", history.commit({"f": "2\n"}, base, message=pick_message(original)))
    history.branch("release/1.0", base)
    assert find_past_backports(repository).pairs == ()
    assert [pair.branch for pair in find_past_backports(repository, "top*").pairs] == ["topic"]


@pytest.mark.parametrize(
    ("branch", "is_release"),
    [
        *[(name, True) for name in ("3.11", "v7.2.x", "7.x", "stable-2.10", "release/v0.5.10", "REL_15_STABLE")],
        *[(name, True) for name in ("maintenance/1.0.x", "branch-3.5", "release1.5.0", "1.0-stable")],
        *[(name, False) for name in ("topic", "ann-patch-1", "fix-7", "dependabot/pip/3.15/mypy-2.3.1")],
        *[(name, False) for name in ("cherry-pick-02694c-release-2.13", "backport-13205-to-1.2.x")],
    ],
)
def test_release_branches_are_known_by_their_names(
    branch: str, is_release: bool, history: History, repository: Repository
) -> None:
    base = history.commit({"f": "1\n"})
    history.branch("main", base)
    history.branch("0.1", base)
    history.branch(branch, base)
    assert (branch in find_past_backports(repository).branches) is is_release


def test_nothing_to_look_at_is_an_error_that_names_branches(history: History, repository: Repository) -> None:
    history.branch("main", history.commit({"f": "1\n"}))
    history.branch("topic", Sha(history.git("rev-parse", "main")))
    with pytest.raises(GitError, match="No branch looks like a release branch") as error:
        find_past_backports(repository)
    assert "topic" in error.value.hint

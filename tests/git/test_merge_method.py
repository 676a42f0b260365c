"""How a pull request was merged, told from the commits alone; each history is drawn where it is made."""

from __future__ import annotations

import pytest

from bot.git.merge_method import own_commits, read_merge
from bot.git.repository import Repository
from bot.models import MergeMethod, Sha, Signature
from tests.git.history import History

BEA = Signature("Bea", "bea@example.org", "1700000500 +0000")
CEM = Signature("Cem", "cem@example.org", "1700000600 +0000")


@pytest.fixture
def base(history: History) -> Sha:
    return history.commit({"f": "f\n"})


def _head(history: History, base: Sha) -> tuple[Sha, Sha]:
    one = history.commit({"a": "a\n"}, base, message="One", author=BEA)
    return one, history.commit({"b": "b\n"}, one, message="Two", author=CEM)


def test_a_squash_is_what_merging_the_head_gives(history: History, repository: Repository, base: Sha) -> None:
    """base ── one ── two (head);  base ── other ── squash (main)"""
    _, head = _head(history, base)
    other_commit = history.commit({"o": "o\n"}, base)
    squash = history.commit({"a": "a\n", "b": "b\n"}, other_commit, message="Both (#7)")
    assert read_merge(repository, squash, head) == (MergeMethod.SQUASH, (squash,))


def test_a_squash_that_holds_more_is_not_told(history: History, repository: Repository, base: Sha) -> None:
    """A commit that was written by hand, with something of its own in it."""
    _, head = _head(history, base)
    more = history.commit({"a": "a\n", "b": "b\n", "c": "c\n"}, base, message="Both (#7)")
    assert read_merge(repository, more, head) is None
    assert read_merge(repository, history.commit({"c": "c\n"}, base), head) is None


def test_a_rebase_is_every_commit_of_it(history: History, repository: Repository, base: Sha) -> None:
    """base ── one ── two (head);  base ── other ── one' ── two' (main)"""
    _, head = _head(history, base)
    other_commit = history.commit({"o": "o\n"}, base, message="Other")
    one = history.commit({"a": "a\n"}, other_commit, message="One", author=BEA)
    two = history.commit({"b": "b\n"}, one, message="Two", author=CEM)
    assert read_merge(repository, two, head) == (MergeMethod.REBASE, (one, two))


def test_a_rebase_of_a_stacked_pull_request_leaves_out_what_came_by_the_lower_one(
    history: History, repository: Repository, base: Sha
) -> None:
    """base ── one ── two ── three (head), of which one came by another pull request;  base ── one' ── two' ── three'"""
    _, parent = _head(history, base)
    head = history.commit({"c": "c\n"}, parent, message="Three")
    one = history.commit({"a": "a\n", "x": "x\n"}, base, message="One", author=BEA)
    two = history.commit({"b": "b\n"}, one, message="Two", author=CEM)
    three = history.commit({"c": "c\n"}, two, message="Three")
    assert read_merge(repository, three, head, is_foreign=lambda sha: sha == one) == (MergeMethod.REBASE, (two, three))


def test_a_merge_is_the_commits_that_it_brought(history: History, repository: Repository, base: Sha) -> None:
    """base ── one ── two ── main merged in (head) ──┐
    └──── other ──────────────────────────── merge (main)
    """
    one, two = _head(history, base)
    other_commit = history.commit({"o": "o\n"}, base)
    head = history.commit({"o": "o\n"}, two, other_commit, message="Merge main")
    merge = history.commit({"a": "a\n", "b": "b\n"}, other_commit, head, message="Merge pull request #7")
    assert read_merge(repository, merge, head) == (MergeMethod.MERGE, (one, two))
    assert own_commits(repository, merge) == (one, two)
    assert read_merge(repository, merge, head, mainline=True) == (MergeMethod.MERGE, (merge,))


def test_a_merge_that_changed_something_itself_is_picked_as_one(
    history: History, repository: Repository, base: Sha
) -> None:
    """The conflict was resolved in the merge: no commit of the pull request holds that."""
    head = history.commit({"f": "theirs\n"}, base)
    other_commit = history.commit({"f": "ours\n"}, base)
    merge = history.commit({"f": "both\n"}, other_commit, head)
    assert read_merge(repository, merge, head) == (MergeMethod.MERGE, (merge,))
    assert own_commits(repository, merge) == ()


def test_of_an_octopus_each_pull_request_gets_its_own(history: History, repository: Repository, base: Sha) -> None:
    """base ── seven, base ── eight;  merge of both into main at once"""
    seven, eight = history.commit({"7": "7\n"}, base), history.commit({"8": "8\n"}, base)
    octopus = history.commit({"7": "7\n", "8": "8\n"}, base, seven, eight)
    assert read_merge(repository, octopus, seven, mainline=True) == (MergeMethod.MERGE, (seven,))
    assert read_merge(repository, octopus, eight) == (MergeMethod.MERGE, (eight,))
    stacked = history.commit({"9": "9\n"}, eight)
    octopus = history.commit({"7": "7\n", "8": "8\n", "9": "9\n"}, base, eight, stacked)
    assert read_merge(repository, octopus, eight) is None, "main has it by the other one as well"


def test_a_head_that_the_merge_does_not_bring_is_not_told(history: History, repository: Repository, base: Sha) -> None:
    """A roll-up of several pull requests that was pushed, and a branch that main was moved to."""
    head = history.commit({"a": "a\n"}, base)
    rolled = history.commit({"g": "g\n"}, head, history.commit({"g": "g\n"}, base))
    merge = history.commit({"a": "a\n", "g": "g\n"}, base, rolled)
    assert read_merge(repository, merge, head) is None
    assert read_merge(repository, head, head) is None

"""The order in which missing originals are brought, and what each waits for."""

from __future__ import annotations

from bot.config import Sync
from bot.sync.choice import choose, limit_open
from bot.sync.order import in_order
from bot.sync.types import OriginalState, State
from tests.sync.states import branch, standing


def numbers(standings: tuple[OriginalState, ...]) -> list[int | None]:
    return [each.original.number for each in standings]


def test_the_oldest_comes_first() -> None:
    assert numbers(in_order([standing(3), standing(1), standing(2)])) == [1, 2, 3]


def test_a_prerequisite_comes_before_what_needs_it_even_where_it_is_younger() -> None:
    assert numbers(in_order([standing(1, needs=("#5",)), standing(5)])) == [5, 1]


def test_a_stack_stays_together() -> None:
    assert numbers(in_order([standing(1), standing(2), standing(3, needs=("#1",)), standing(4, needs=("#3",))])) == [
        1,
        3,
        4,
        2,
    ]


def test_what_needs_two_follows_the_second() -> None:
    assert numbers(in_order([standing(1), standing(2), standing(3, needs=("#1", "#2"))])) == [1, 2, 3]


def test_what_needs_something_that_is_not_missing_keeps_its_place() -> None:
    assert numbers(in_order([standing(1), standing(2, needs=("#77",)), standing(3)])) == [1, 2, 3]


def test_a_circle_ends() -> None:
    assert sorted(numbers(in_order([standing(1, needs=("#2",)), standing(2, needs=("#1",))])), key=str) == [1, 2]


def test_each_that_is_not_brought_says_what_it_waits_for() -> None:
    state = branch(
        standing(1),
        standing(2, State.CONFLICT),
        standing(3, State.NEEDS, needs=("#1",)),
        standing(4, direct=True),
        standing(5),
    )
    chosen = choose(state, Sync(), last_failure=lambda original: "it regressed" if original.number == 5 else "")
    waits = {each.original.position: each.waits for each in chosen}
    assert waits[1] == ""
    assert "resolve the conflict" in waits[2]
    assert waits[3] == "#1 to be on the branch"
    assert "no pull request of it is known" in waits[4]
    assert "it regressed" in waits[5]


def test_rules_that_are_too_wide_bring_nothing() -> None:
    state = branch(*(standing(number) for number in range(1, 12)))
    chosen = choose(state, Sync(most_missing=10), last_failure=lambda _: "")
    assert all("11 are missing" in each.waits for each in chosen)


def test_free_places_are_given_in_order_and_those_that_wait_take_none() -> None:
    chosen = limit_open((standing(1, waits="a person"), standing(2), standing(3)), 1)
    assert [bool(each.waits) for each in chosen] == [True, False, True]
    assert all(each.waits for each in limit_open((standing(1),), -2))

"""The order in which missing originals are brought, and what each waits for."""

from __future__ import annotations

from bot.config import Sync
from bot.sync.choice import choose, limit_open
from bot.sync.order import in_order
from bot.sync.types import OriginalState, State
from tests.sync.states import branch, state_of


def numbers(standings: tuple[OriginalState, ...]) -> list[int | None]:
    return [entry.original.number for entry in standings]


def test_the_oldest_comes_first() -> None:
    assert numbers(in_order([state_of(3), state_of(1), state_of(2)])) == [1, 2, 3]


def test_a_prerequisite_comes_before_what_needs_it_even_where_it_is_younger() -> None:
    assert numbers(in_order([state_of(1, needs=("#5",)), state_of(5)])) == [5, 1]


def test_a_stack_stays_together() -> None:
    assert numbers(in_order([state_of(1), state_of(2), state_of(3, needs=("#1",)), state_of(4, needs=("#3",))])) == [
        1,
        3,
        4,
        2,
    ]


def test_what_needs_two_follows_the_second() -> None:
    assert numbers(in_order([state_of(1), state_of(2), state_of(3, needs=("#1", "#2"))])) == [1, 2, 3]


def test_what_needs_something_that_is_not_missing_keeps_its_place() -> None:
    assert numbers(in_order([state_of(1), state_of(2, needs=("#77",)), state_of(3)])) == [1, 2, 3]


def test_a_circle_ends() -> None:
    assert sorted(numbers(in_order([state_of(1, needs=("#2",)), state_of(2, needs=("#1",))])), key=str) == [
        1,
        2,
    ]


def test_each_that_is_not_brought_says_what_it_waits_for() -> None:
    state = branch(
        state_of(1),
        state_of(2, State.CONFLICT),
        state_of(3, State.NEEDS, needs=("#1",)),
        state_of(4, direct=True),
        state_of(5),
    )
    result = choose(state, Sync(), last_failure=lambda original: "it regressed" if original.number == 5 else "")
    waits = {entry.original.position: entry.waits for entry in result}
    assert waits[1] == ""
    assert "resolve the conflict" in waits[2]
    assert waits[3] == "#1 to be on the branch"
    assert "no pull request of it is known" in waits[4]
    assert "it regressed" in waits[5]


def test_rules_that_are_too_wide_bring_nothing() -> None:
    state = branch(*(state_of(number) for number in range(1, 12)))
    result = choose(state, Sync(most_missing=10), last_failure=lambda _: "")
    assert all("11 are missing" in entry.waits for entry in result)


def test_free_places_are_given_in_order_and_those_that_wait_take_none() -> None:
    result = limit_open((state_of(1, waits="a person"), state_of(2), state_of(3)), 1)
    assert [bool(entry.waits) for entry in result] == [True, False, True]
    assert all(entry.waits for entry in limit_open((state_of(1),), -2))

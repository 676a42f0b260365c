"""Sizes for all parameters: the arithmetic agrees with Python's, proofs are true, and counterexamples are ones."""

from __future__ import annotations

import ast
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bot.carried.conditional_values import IsZero, NotNegative, Path
from bot.carried.polynomial import Number, Parameter, Polynomial, parameter, value
from bot.carried.satisfiability import impossible, witness

CONTEXT, PAGE, BATCH = (parameter(name, 1) for name in ("context", "page", "batch"))
DRAFT = parameter("draft", 0)
NAMES: dict[str, Number] = {"context": CONTEXT, "page": PAGE, "batch": BATCH, "draft": DRAFT}
BLOCKS = -(-CONTEXT // PAGE)

_leaf = st.sampled_from([*NAMES, "1", "2", "3", "16", "-5"])
expressions = st.recursive(
    _leaf,
    lambda inner: st.tuples(inner, st.sampled_from(["+", "-", "*", "//", "%"]), inner).map(
        "({0[0]} {0[1]} {0[2]})".format
    ),
    max_leaves=6,
)
servers = st.fixed_dictionaries(
    {**{name: st.integers(1, 70) for name in ("context", "page", "batch")}, "draft": st.integers(0, 70)}
)


def evaluated(expression: str, names: dict[str, Any]) -> Any:
    return eval(compile(ast.parse(expression, mode="eval"), "expression", "eval"), {}, names)  # noqa: S307


def number_at(number: Number, server: dict[str, int]) -> int:
    minimum = {"draft": 0}
    return value(number, {Parameter(name, minimum.get(name, 1)): size for name, size in server.items()})


@given(expressions, servers)
def test_a_polynomial_has_the_value_that_python_computes(expression: str, server: dict[str, int]) -> None:
    try:
        symbolic, plain = evaluated(expression, NAMES), evaluated(expression, server)
    except ArithmeticError:
        assume(False)
    assert number_at(symbolic, server) == plain


@pytest.mark.parametrize(
    "blocks",
    [
        (CONTEXT + PAGE - 1) // PAGE,
        1 + (CONTEXT - 1) // PAGE,
        (CONTEXT - 1 + PAGE) // PAGE,
        (BATCH * PAGE + CONTEXT - 1) // PAGE - BATCH + 1,
    ],
)
def test_spellings_of_a_ceiling_division_are_one_polynomial(blocks: Number) -> None:
    assert blocks == BLOCKS


def never(size: Number, needed: Number, *known: tuple[Any, bool]) -> Path:
    """Return the path on which a size is below what is needed."""
    return (*known, (NotNegative(size - needed), False))


ENOUGH = {
    "whole pages": never(BATCH * BLOCKS * PAGE, BATCH * CONTEXT),
    "a page more": never(BATCH * (CONTEXT // PAGE + 1) * PAGE, BATCH * CONTEXT),
    "with drafts": never(BATCH * (BLOCKS * PAGE + DRAFT), BATCH * (CONTEXT + DRAFT)),
    "wider pages": never(-(-CONTEXT // (2 * PAGE)) * 2 * PAGE * BATCH, BATCH * CONTEXT),
    "page size one": never(BATCH * BLOCKS, BATCH * CONTEXT, (IsZero(PAGE - 1), True)),
    "up to 64": never(BATCH * BLOCKS * 64, BATCH * CONTEXT, (NotNegative(64 - PAGE), True)),
    "but for 16": never(BATCH * BLOCKS * PAGE, BATCH * CONTEXT, (IsZero(PAGE - 16), False)),
    "contradicting tests": ((NotNegative(PAGE - 65), True), (NotNegative(64 - PAGE), True)),
}


@pytest.mark.parametrize("path", ENOUGH.values(), ids=ENOUGH.keys())
def test_what_is_always_enough_is_proven(path: Path) -> None:
    assert impossible(path)
    assert witness(path) is None


SHORT = {
    "blocks": never(BATCH * BLOCKS, BATCH * CONTEXT),
    "whole pages only": never(BATCH * (CONTEXT // PAGE) * PAGE, BATCH * CONTEXT),
    "no drafts": never(BATCH * BLOCKS * PAGE, BATCH * (CONTEXT + DRAFT)),
    "beyond 64": never(BATCH * BLOCKS * 64, BATCH * CONTEXT, (NotNegative(64 - PAGE), False)),
    "an equation": never(BATCH * BLOCKS, BATCH * CONTEXT, (IsZero(DRAFT - 3 * BATCH - 7), True)),
}


@pytest.mark.parametrize("path", SHORT.values(), ids=SHORT.keys())
def test_what_is_too_small_somewhere_is_shown_where(path: Path) -> None:
    assert not impossible(path)
    server = witness(path)
    assert server is not None
    complete = {"context": 1, "page": 1, "batch": 1, "draft": 0, **server}
    for condition, holds in path:
        size = number_at(condition.number, complete)  # type: ignore[union-attr]
        assert (size >= 0 if isinstance(condition, NotNegative) else size == 0) is holds


@settings(max_examples=150, deadline=None)
@given(expressions, expressions, st.lists(servers, min_size=20, max_size=20))
def test_nothing_is_proven_that_some_server_refutes(left: str, right: str, tried: list[dict[str, int]]) -> None:
    try:
        difference = evaluated(left, NAMES) - evaluated(right, NAMES)
    except ArithmeticError:
        assume(False)
    assume(isinstance(difference, Polynomial))
    if impossible(((NotNegative(difference), False),)):
        assert all(number_at(difference, server) >= 0 for server in tried)

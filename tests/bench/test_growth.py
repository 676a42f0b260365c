"""The measuring itself: it tells a linear call from a quadratic one."""

from __future__ import annotations

import re

import pytest

from tests.bench.growth import assert_linear


def test_a_linear_scan_passes() -> None:
    assert_linear(lambda text: text.count("b"), lambda size: "a" * size)


def test_a_call_that_looks_back_at_everything_fails() -> None:
    with pytest.raises(AssertionError, match="times the input costs"):
        assert_linear(lambda size: [sum(range(length)) for length in range(0, size, 50)], lambda size: size)


def test_a_pattern_that_starts_again_at_every_character_fails() -> None:
    with pytest.raises(AssertionError, match="times the input costs"):
        assert_linear(re.compile("a+b").search, lambda size: "a" * size)

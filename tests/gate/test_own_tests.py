"""Which of a change's files are its tests, and how they become a command."""

from __future__ import annotations

import pytest

from bot.config import Prove
from bot.gate.own_tests import files_of_tests, filled

PATTERNS = Prove().tests.paths


@pytest.mark.parametrize(
    ("path", "runs", "belongs"),
    [
        ("tests/test_size.py", True, True),
        ("test/srt/layers/test_kernels.py", True, True),
        ("widget/size_test.py", True, True),
        ("tests/data/input.json", False, True),
        ("tests/conftest.py", False, True),
        ("conftest.py", False, True),
        ("widget/tests/__init__.py", False, True),
        ("widget/size.py", False, False),
        ("contest.py", False, False),
        ("widget/test_tools/run.py", False, False),
        ("docs/testing.md", False, False),
    ],
)
def test_the_default_patterns_tell_tests_from_what_lies_beside_them(path: str, runs: bool, belongs: bool) -> None:
    assert files_of_tests([path], PATTERNS) == ((path,) if runs else (), (path,) if belongs else ())


def test_each_file_is_a_word_of_its_own_and_never_an_option() -> None:
    command = filled(["pytest", "{files}", "-q"], ["tests/test a.py", "-p_test.py"])
    assert command == ("pytest", "tests/test a.py", "./-p_test.py", "-q")

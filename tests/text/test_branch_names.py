"""Our rules for branch names against git's own."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.text.branch_names import MAX_NAME_BYTES, name_problem, pattern_problem, slug

# Letters enough to make every rule of git-check-ref-format(1) likely.
_ALPHABET = "ab1/.@{}-_ ~^:?*[\\\x7f\tlock`|é"


def git_takes(name: str) -> bool:
    result = subprocess.run(
        ["git", "check-ref-format", "--branch", name], capture_output=True, check=False, stdin=subprocess.DEVNULL
    )
    return result.returncode == 0


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=_ALPHABET, min_size=1, max_size=8))
@example("a.lock")
@example("a.lock/b")
@example("a/.b")
@example("a..b")
@example("a@{b")
@example("HEAD")
@example("-a")
@example("a.")
@example("a//b")
@example("/a")
@example("a/")
@example("refs/heads/a")
def test_a_name_is_fine_where_git_takes_it_as_a_branch(name: str) -> None:
    # `--branch @` is expanded to what is checked out before it is judged; as a name git refuses it.
    assert (name_problem(name) is None) == (git_takes(name) and name != "@")


@pytest.mark.parametrize("name", ["a\u202eb", "a\u200bb", "a\u2028b", "a\ue000b", "a\u00a0b", "x" * 201, "é" * 101, ""])
def test_names_that_deceive_or_are_too_long_are_refused(name: str) -> None:
    assert name_problem(name)


@pytest.mark.parametrize("pattern", ["release/v*", "**", "release/v0.[0-9].*", "a?b"])
def test_globs_are_patterns(pattern: str) -> None:
    assert pattern_problem(pattern) is None


@pytest.mark.parametrize("pattern", ["release/..*", "-*", "a b*", "*~1", "[]\\", "*/"])
def test_a_pattern_no_branch_could_match_is_refused(pattern: str) -> None:
    assert pattern_problem(pattern)


@pytest.mark.parametrize(
    ("branch", "expected"),
    [("release/v0.5.12", "release-v0.5.12"), ("main", "main"), ("a/b/c", "a-b-c")],
)
def test_slug_is_readable(branch: str, expected: str) -> None:
    assert slug(branch) == expected


@settings(max_examples=200, deadline=None)
@given(st.text(min_size=1, max_size=120).filter(lambda name: name_problem(name) is None))
def test_slug_makes_a_branch_name_of_every_branch(branch: str) -> None:
    text = f"backport/1-to-{slug(branch)}"
    assert name_problem(text) is None
    assert len(text.encode()) <= MAX_NAME_BYTES
    assert text.isascii()


def test_names_that_lose_letters_keep_apart() -> None:
    assert len({slug("a+b"), slug("a%b"), slug("a-b")}) == 3

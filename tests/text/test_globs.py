"""Globs over names that hold square brackets of their own."""

from __future__ import annotations

import time

import pytest

from bot.text.globs import matches_path, matches_text


@pytest.mark.parametrize(
    ("pattern", "text", "is_meant"),
    [
        ("[Type] Bug", "[type] bug", True),
        ("[Type] Bug", "T Bug", False),
        ("[Type] *", "[Type] Bug", True),
        ("area: [ui]?", "area: [ui]!", True),
        ("[pre-release]", "[pre-release]", True),
        ("[pre-release]", "r", False),
        ("[z-a]", "[z-a]", True),
        ("[", "[", True),
        ("[]", "[]", True),
        ("[!]", "[!]", True),
        ("a+b (c)", "a+b (c)", True),
        ("v[0-9]*", "v1.2", True),
        ("v[0-9]*", "v[0-9]", True),
        ("v[0-9]*", "vx", False),
        ("v[!0-9]", "vx", True),
        ("v[12]", "v2", True),
        ("v[1.]", "v.", True),
        ("needs *", "Needs review\nnow", True),
        ("*crash*decode*", "the crash in decode", True),
        ("*crash*decode*", "decode crash", False),
        ("crash", "the crash", False),
    ],
)
def test_brackets_are_themselves_and_a_set_where_they_hold_no_word(pattern: str, text: str, is_meant: bool) -> None:
    assert matches_text(pattern, text) is is_meant


@pytest.mark.parametrize(
    ("pattern", "path", "is_meant"),
    [
        ("app/[slug]/**", "app/[slug]/page.tsx", True),
        ("app/[slug]/**", "app/s/page.tsx", False),
        ("app/[...slug]/page.tsx", "app/[...slug]/page.tsx", True),
        ("app/[[...slug]]/*", "app/[[...slug]]/page.tsx", True),
        ("app/[lang]-[id]/*.tsx", "app/[lang]-[id]/page.tsx", True),
        ("**/[Mm]akefile", "src/Makefile", True),
        ("src/v[0-9]/*", "src/v2/a.py", True),
        ("src/*", "src/a/b.py", False),
        ("src/**", "src/a/b.py", True),
        ("SRC/*", "src/a.py", False),
    ],
)
def test_a_path_may_hold_brackets(pattern: str, path: str, is_meant: bool) -> None:
    assert matches_path(pattern, path) is is_meant


def test_many_stars_stay_quick() -> None:
    begun = time.process_time()
    assert not matches_text("*a" * 30 + "b", "a" * 20_000)
    assert time.process_time() - begun < 1


def test_a_path_of_two_thousand_parts_is_matched() -> None:
    path = "a/" * 2000 + "tests/b.py"
    assert matches_path("**/tests/**", path)
    assert not matches_path("**/test/**", path)
    assert matches_path("/".join(["**"] * 50) + "/b.py", path)

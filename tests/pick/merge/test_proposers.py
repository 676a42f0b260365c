"""What each proposer makes of a region, and that none of them makes up lines or words."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.pick.merge.proposers import propose
from bot.pick.merge.regions import LineRegion, Lines, split_lines
from bot.pick.merge.renamed_identifiers import find_renames


def region(base: str, ours: str, theirs: str) -> LineRegion:
    return LineRegion(*(tuple(split_lines(side.encode())) for side in (base, ours, theirs)))


def proposed(base: str, ours: str, theirs: str) -> dict[str, tuple[str, ...]]:
    answers = propose(region(base, ours, theirs), {}, ())
    return {b"".join(lines).decode(): names for lines, names in answers.items()}


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "name", "text"),
    [
        ("a\nb\n", "a2\nb\n", "a\nb2\n", "neighbouring lines", "a2\nb2\n"),
        ("a\n", "a\nours\n", "theirs\na\n", "touching lines", "theirs\na\nours\n"),
        ("", "ours\n", "theirs\n", "both insertions", "ours\ntheirs\n"),
        ("", "b\n", "a\n", "sorted insertions", "a\nb\n"),
        (
            "def f(a, b):\n",
            "def f(a: int, b):\n",
            "def f(a, b, c=1):\n",
            "independent words",
            "def f(a: int, b, c=1):\n",
        ),
        (
            "from m import a, b\n",
            "from m import a\n",
            "from m import a, b, c\n",
            "import names",
            "from m import a, c\n",
        ),
        ("gone\n", "", "gone\nnew\n", "insertion beside absent text", "new\n"),
        ("gone\n", "", "edited\n", "edits of absent text dropped", ""),
        ("f('x')\n", 'f("x")\n', "g('x')\n", "target only respelled", "g('x')\n"),
        ("old\n", "other\n", "new\n", "original's text", "new\n"),
        ("old\n", "other\n", "new\n", "target's text", "other\n"),
    ],
)
def test_proposer_makes(base: str, ours: str, theirs: str, name: str, text: str) -> None:
    answers = proposed(base, ours, theirs)
    assert name in answers[text]


def test_new_lines_are_put_into_the_words_of_the_target() -> None:
    base = b"loop = get()\nrun(loop)\nstop(loop)\n"
    ours = base.replace(b"loop", b"event_loop")
    theirs = base.replace(b"run(loop)", b"run(loop, debug)")
    renames = find_renames(base, ours, theirs, frozenset([b"loop", b"run"]))
    assert renames == {b"loop": b"event_loop"}
    contested = region("run(loop)\n", "run(event_loop)\n", "run(loop, debug)\n")
    assert "translated merge" in propose(contested, renames, ())[b"run(event_loop, debug)\n",]


def test_text_of_earlier_backports_is_proposed_newest_first() -> None:
    answers = propose(region("1\n", "2\n", "3\n"), {}, [(b"new\n",), (b"old\n",)])
    assert answers[b"new\n",] == ("sibling",)
    assert answers[b"old\n",] == ("older sibling",)


SIDES = st.lists(st.sampled_from(["a = f(x, y)", "b = 1", "", "c(z)", "from m import n", "d = 'q'"]), max_size=5)


def test_new_words_are_not_joined_to_those_that_the_target_moved_to_the_margin() -> None:
    answers = proposed("    value(x)\n", "value(x)\n", "    return value(x)\n")
    assert not [answer for answer in answers if "returnvalue" in answer]


@settings(deadline=None)
@given(SIDES, SIDES, SIDES)
@example(["", "a = f(x, y)"], ["a = f(x, y)"], ["b = 1", "a = f(x, y)"])
def test_no_answer_has_a_word_that_no_side_has(base: list[str], ours: list[str], theirs: list[str]) -> None:
    contested = region(*("".join(f"{line}\n" for line in side) for side in (base, ours, theirs)))
    known_set = set(_words((*contested.base, *contested.ours, *contested.theirs)))
    for answer in propose(contested, {}, ()):
        assert set(_words(answer)) <= known_set


def _words(lines: Lines) -> list[bytes]:
    return re.findall(rb"\w+", b"".join(lines))


def test_sides_of_thousands_of_lines_are_compared_in_no_time() -> None:
    base = "".join(f"    total += measure(sample[{number}], weight={number % 7})\n" for number in range(800))
    ours = base.replace("weight=3", "weight=4").replace("sample[1", "samples[1")
    start = time.process_time()
    assert "removed, similar here" in proposed(base, ours, "")[""]
    assert time.process_time() - start < 5

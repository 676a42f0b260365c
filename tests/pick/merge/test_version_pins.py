"""What an answer may be in a list of versions."""

from __future__ import annotations

import pytest

from bot.pick.merge.regions import LineRegion, Lines
from bot.pick.merge.version_pins import takes_whole_pins


def _lines(*pins: str) -> Lines:
    return tuple(f"{pin}\n".encode() for pin in pins)


@pytest.mark.parametrize(
    ("answer", "allowed"),
    [
        pytest.param(("a==1", "b==2"), True, id="the branch's a, the original's b"),
        pytest.param(("a==1", "b==1"), False, id="the original's b is missed"),
        pytest.param(("a==9", "b==2"), False, id="the branch's a is lost"),
        pytest.param(("a==1", "b==2.dev"), False, id="a pin of nobody"),
    ],
)
def test_pins_are_taken_whole(answer: tuple[str, ...], allowed: bool) -> None:
    region = LineRegion(base=_lines("a==9", "b==1"), ours=_lines("a==1", "b==1"), theirs=_lines("a==9", "b==2"))
    assert takes_whole_pins(region, _lines(*answer)) is allowed


def test_nothing_is_taken_where_the_branch_stood_at_another_value() -> None:
    region = LineRegion(base=_lines("a==1"), ours=_lines("a==0"), theirs=_lines("a==2"))
    assert not takes_whole_pins(region, region.theirs)
    assert not takes_whole_pins(region, region.ours)

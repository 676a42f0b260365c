"""The ground of finer merges: alignment, edits, and the cut of a file into regions."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.git.conflict_markers import Region
from bot.pick.align import align, apply_edits, edits
from bot.pick.merge.regions import LineRegion, SettledLines, cut, cut_file, join_pieces, place_regions, split_lines

LINES = st.lists(st.sampled_from([b"a\n", b"b\n", b"c\n", b"\n", b"d\n"]), max_size=12)


@settings(deadline=None)
@given(LINES, LINES)
def test_edits_turn_one_text_into_the_other(base: list[bytes], changed: list[bytes]) -> None:
    assert apply_edits(base, edits(base, changed)) == changed


@settings(deadline=None)
@given(LINES, LINES)
def test_aligned_pairs_are_equal_and_rise(one: list[bytes], other: list[bytes]) -> None:
    pairs = align(one, other)
    assert all(one[left] == other[right] for left, right in pairs)
    assert all(a < c and b < d for (a, b), (c, d) in pairwise(pairs))


@settings(deadline=None)
@given(LINES, LINES)
def test_merge_with_an_unchanged_side_gives_the_other(base: list[bytes], changed: list[bytes]) -> None:
    for ours, theirs in ((base, changed), (changed, base), (changed, changed)):
        pieces = cut(base, ours, theirs)
        assert all(isinstance(piece, SettledLines) for piece in pieces)
        assert join_pieces(pieces, {}) == b"".join(changed)


@settings(deadline=None)
@given(LINES, LINES, LINES)
def test_taking_one_side_of_every_region_loses_none_of_its_lines(
    base: list[bytes], ours: list[bytes], theirs: list[bytes]
) -> None:
    pieces = cut(base, ours, theirs)
    taken_values = {index: piece.ours for index, piece in enumerate(pieces) if isinstance(piece, LineRegion)}
    merged_lines = split_lines(join_pieces(pieces, taken_values))
    assert set(merged_lines) <= {*base, *ours, *theirs}
    assert all(merged_lines.count(line) >= 1 for line in set(ours) - set(base))


def test_region_is_cut_at_lines_that_all_versions_share() -> None:
    region = Region(b"1\nsame\n2\n", b"1 ours\nsame\n2\n", b"1 theirs\nsame\n2 theirs\n")
    pieces = cut_file((b"before\n", region))
    assert [piece for piece in pieces if isinstance(piece, LineRegion)] == [
        LineRegion((b"1\n",), (b"1 ours\n",), (b"1 theirs\n",))
    ]
    assert join_pieces(pieces, {1: (b"both\n",)}) == b"before\nboth\nsame\n2 theirs\n"


def test_region_is_found_in_another_version_by_its_neighbours() -> None:
    pieces = cut_file((b"before\n", Region(b"1\n", b"2\n", b"3\n"), b"after\n"))
    assert place_regions(pieces, b"more\nbefore\nelsewhere\nafter\n") == {1: (b"elsewhere\n",)}
    assert place_regions(pieces, b"more\nelsewhere\nafter\n") == {}

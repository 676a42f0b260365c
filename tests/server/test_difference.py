"""A difference of git side by side."""

from __future__ import annotations

from bot.server.pages.difference import MOST_ROWS, Row, Side, side_by_side

_HEADER = "diff --git a/{0} b/{0}\nindex 1..2 100644\n"


def test_lines_that_were_removed_stand_beside_those_in_their_place() -> None:
    text = (
        _HEADER.format("a.py") + "--- a/a.py\n+++ b/a.py\n@@ -3,4 +3,3 @@ def f():\n one\n-two\n-three\n+TWO\n four\n"
        "\\ No newline at end of file\n" + _HEADER.format("b b/c") + "Binary files a/b b/c and b/b b/c differ\n"
    )
    (first, second), is_cut = side_by_side(text)
    assert first.path == "a.py"
    assert first.rows == [
        Row(heading="def f():"),
        Row(Side(3, "one"), Side(3, "one")),
        Row(Side(4, "two", "removed"), Side(4, "TWO", "added")),
        Row(Side(5, "three", "removed"), Side()),
        Row(Side(6, "four"), Side(5, "four")),
    ]
    assert (second.path, second.rows, second.note) == ("b b/c", [], "Binary files a/b b/c and b/b b/c differ")
    assert not is_cut


def test_a_line_that_looks_like_a_header_is_a_line() -> None:
    text = _HEADER.format("a") + "--- a/a\n+++ b/a\n@@ -1,2 +1,1 @@\n--- a/forged\n ++ b/forged\n"
    (file,), _ = side_by_side(text)
    assert file.path == "a"
    assert file.rows[1:] == [
        Row(Side(1, "-- a/forged", "removed"), Side()),
        Row(Side(2, "++ b/forged"), Side(1, "++ b/forged")),
    ]


def test_a_long_difference_is_cut() -> None:
    text = _HEADER.format("a") + "--- a/a\n+++ b/a\n@@ -1,0 +1,9999 @@\n" + "+line\n" * (MOST_ROWS + 5)
    (file, *more), is_cut = side_by_side(text + _HEADER.format("b") + "@@ -1 +1 @@\n+x\n")
    assert (len(file.rows), more, is_cut) == (MOST_ROWS, [], True)

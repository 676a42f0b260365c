"""Lays out a difference side by side."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bot.text.markdown import shorten

MOST_ROWS = 3000
_LONGEST = 500
_HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@(.*)")


@dataclass(frozen=True, slots=True)
class Side:
    """A line on one side; `number` is None where the other side has a line and this one has none."""

    number: int | None = None
    text: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the base beside one of the candidate, or the `heading` of the next hunk."""

    left: Side = Side()
    right: Side = Side()
    heading: str | None = None


@dataclass(slots=True)
class ChangedFile:
    """A file with its rows; `note` is what git says in place of lines."""

    path: str
    note: str = ""
    rows: list[Row] = field(default_factory=list)


def side_by_side(difference: str) -> tuple[list[ChangedFile], bool]:
    """Return the files of a difference, and whether rows were left out because there are too many."""
    files: list[ChangedFile] = []
    count = 0
    for part in re.split(r"^(?=diff --git )", difference, flags=re.MULTILINE):
        if part.startswith("diff --git "):
            file = _file(part.split("\n"))
            files.append(file)
            count += len(file.rows)
            if count > MOST_ROWS:
                del file.rows[len(file.rows) - (count - MOST_ROWS) :]
                return files, True
    return files, False


def _file(lines: Sequence[str]) -> ChangedFile:
    begin = next((index for index, line in enumerate(lines) if line.startswith("@@ ")), len(lines))
    header = lines[1:begin]
    # `+++ b/path` is /dev/null for a file that is deleted, and absent for one without lines.
    names = [line[4:] for line in header if line.startswith(("--- ", "+++ "))]
    present_names = [name.split("/", 1)[1] for name in names if name != "/dev/null" and "/" in name]
    both_names = lines[0].removeprefix("diff --git ")  # a/path b/path: one path twice, as no rename is looked for
    path = present_names[-1] if present_names else both_names[2 : len(both_names) // 2]
    notes = [line for line in header if line.startswith(("new file", "deleted file", "old mode", "new mode", "Binary"))]
    return ChangedFile(path.rstrip("\t"), "; ".join(notes), list(_rows(lines[begin:])))


def _rows(lines: Sequence[str]) -> Iterator[Row]:
    old = new = 0
    removed: list[Side] = []
    added: list[Side] = []
    for line in lines:
        sign, text = line[:1], shorten(line[1:], _LONGEST)
        if sign == "-":
            removed.append(Side(old, text, "removed"))
            old += 1
        elif sign == "+":
            added.append(Side(new, text, "added"))
            new += 1
        else:
            yield from _pairs(removed, added)
            if match := _HUNK.match(line):
                old, new = int(match[1]), int(match[2])
                yield Row(heading=match[3].strip())
            elif sign == " ":
                yield Row(Side(old, text), Side(new, text))
                old, new = old + 1, new + 1
    yield from _pairs(removed, added)


def _pairs(removed: list[Side], added: list[Side]) -> Iterator[Row]:
    """Return lines that were removed beside those in their place, and forget them."""
    for index in range(max(len(removed), len(added))):
        left = removed[index] if index < len(removed) else Side()
        right = added[index] if index < len(added) else Side()
        yield Row(left, right)
    removed.clear()
    added.clear()

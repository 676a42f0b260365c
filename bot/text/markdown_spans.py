"""Finds the parts of a Markdown paragraph that are not text: code spans, HTML, and the addresses of links.

It takes one pass over the paragraph (https://spec.commonmark.org/0.31.2/#inlines). Emphasis hides nothing, so it is
ignored.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator

# An escaped character, a run of backticks, the start of HTML, or the end of a link's text.
_START = re.compile(r"\\.|`+|<|\]\(", re.DOTALL)
# Possessive quantifiers ("+" after a quantifier) do not backtrack, so the time is linear.
_ATTRIBUTE = r"\s++[A-Za-z_:][\w:.-]*+(?:\s*+=\s*+(?:[^\s\"'=<>`]++|'[^']*+'|\"[^\"]*+\"))?"
_TAG = re.compile(rf"</?[A-Za-z][A-Za-z0-9-]*+(?:{_ATTRIBUTE})*+\s*+/?>", re.ASCII)
_TITLE = r"\"(?:[^\"\\]|\\.)*+\"|'(?:[^'\\]|\\.)*+'|\((?:[^()\\]|\\.)*+\)"
_ADDRESS = re.compile(rf"\]\(\s*+(?:<[^<>\n]*+>|[^\s<>()\[\]]*+)(?:\s++(?:{_TITLE}))?+\s*+\)", re.DOTALL)
_HTML_ENDS = {"<!--": "-->", "<![CDATA[": "]]>", "<?": "?>", "<!": ">"}


def hidden_spans(paragraph: str) -> Iterator[tuple[int, int]]:
    """Yield start and end of each part that is not text, in order and without overlaps."""
    runs = _backtick_runs(paragraph)
    last = {ending: paragraph.rfind(ending) for ending in _HTML_ENDS.values()}
    position = 0
    while (opening := _START.search(paragraph, position)) is not None:
        start, position = opening.span()
        match opening.group()[0]:
            case "`":
                end = _code_end(runs, start, position)
            case "<":
                end = _html_end(paragraph, start, last)
            case "]":
                address = _ADDRESS.match(paragraph, start)
                end = address.end() if address else None
            case _:
                end = None
        if end is not None:
            position = end
            yield start, end


def _backtick_runs(paragraph: str) -> dict[int, list[int]]:
    """Return the start of each run of backticks, by the length of the run."""
    runs: defaultdict[int, list[int]] = defaultdict(list)
    for run in re.finditer("`+", paragraph):
        runs[len(run.group())].append(run.start())
    return runs


def _code_end(runs: dict[int, list[int]], start: int, end: int) -> int | None:
    """Return the end of the code span that a run of backticks begins: after the next run of the same length."""
    starts = runs.get(end - start, [])
    index = bisect_right(starts, start)
    return starts[index] + end - start if index < len(starts) else None


def _html_end(paragraph: str, start: int, last: dict[str, int]) -> int | None:
    for opening, ending in _HTML_ENDS.items():
        if paragraph.startswith(opening, start):
            # Without this test each opening whose end is missing would search the whole rest of the text.
            after = start + len(opening)
            return paragraph.index(ending, after) + len(ending) if last[ending] >= after else None
    tag = _TAG.match(paragraph, start)
    return tag.end() if tag else None

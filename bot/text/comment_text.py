"""Markdown → the lines in it that a person wrote as text.

Owns what "at the start of a line" means: a line of a paragraph that stands by itself, not in a quote, a list, code, an
HTML comment or an HTML block. Knows no command. The cost grows in line with the text, whatever stands in it: the
Markdown library reads blocks alone, since it is quadratic on brackets and stars.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.text.markdown_spans import hidden_spans

MAX_BODY = 65_536
"""Characters GitHub takes in a comment; a longer text did not come from it."""

_QUOTE_TAG = re.compile(r"<(/?)(?:blockquote|pre|code|samp|q)\b[^<>]*>", re.IGNORECASE)
# What nests deeper than this is not read; nothing in a quote or a list counts anyway.
_BLOCKS = MarkdownIt("commonmark", {"maxNesting": 8}).disable("inline")


def may_start_line(body: str, word: str) -> bool:
    """Say, by one look over the text, whether a line may start with a word, whatever its case.

    False is certain. True is not: the line may be in a quote or in code.
    """
    wanted = word.casefold()
    return len(body) <= MAX_BODY and any(_first_word(line).startswith(wanted) for line in body.casefold().splitlines())


def plain_text_lines(body: str, *, having: str) -> Iterator[str]:
    """Yield each line of plain paragraph text that starts with a word containing `having`, whatever its case.

    A line is yielded as it was typed, without Markdown being resolved in it, so a `*` in it is a `*`.
    """
    wanted = having.casefold()
    if len(body) > MAX_BODY or wanted not in body.casefold():
        return
    quoted = 0
    tokens = _BLOCKS.parse(body)
    for before, token in zip([None, *tokens], tokens, strict=False):
        if token.type == "html_block":
            quoted = _depth(quoted, token.content)
        elif token.type == "inline" and token.level == 1 and _is_text_block(before):
            if quoted == 0:
                yield from _starting_lines(token.content, wanted)
            quoted = _depth(quoted, token.content)


def _is_text_block(opening: Token | None) -> bool:
    # "-" and "=" are headings made by underlining a paragraph, which a signature line does to a command above it.
    return opening is not None and (opening.type == "paragraph_open" or opening.markup in {"-", "="})


def _depth(quoted: int, html: str) -> int:
    for closing in _QUOTE_TAG.findall(html):
        quoted = max(0, quoted - 1) if closing else quoted + 1
    return quoted


def _starting_lines(content: str, wanted: str) -> Iterator[str]:
    spans = hidden_spans(content)
    hidden = next(spans, None)
    position = 0
    for line in content.split("\n"):
        while hidden is not None and hidden[1] <= position:
            hidden = next(spans, None)
        shown = hidden is None or position <= hidden[0]
        if shown and wanted in _first_word(line).casefold():
            yield line.strip()
        position += len(line) + 1


def _first_word(line: str) -> str:
    words: Sequence[str] = line.split(maxsplit=1)
    return words[0] if words else ""

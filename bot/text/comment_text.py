"""Finds the lines of a Markdown comment that a person wrote as plain text.

Such a line belongs to a paragraph of its own, not to a quote, a list, code, an HTML comment or an HTML block. The time
is linear in the length of the text: the Markdown library parses only blocks, since its inline parser is quadratic on
brackets and stars.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.text.markdown_spans import hidden_spans

MAX_BODY = 65_536
"""Characters that GitHub takes in a comment. A longer text did not come from GitHub."""

_QUOTE_TAG = re.compile(r"<(/?)(?:blockquote|pre|code|samp|q)\b[^<>]*>", re.IGNORECASE)
# Deeper blocks are not parsed: nothing in a quote or a list counts anyway.
_BLOCKS = MarkdownIt("commonmark", {"maxNesting": 8}).disable("inline")


def may_start_line(body: str, word: str) -> bool:
    """Return whether a line may start with a word, in any case, without parsing the Markdown.

    False is certain. True is not: the line may be in a quote or in code.
    """
    prefix = word.casefold()
    return len(body) <= MAX_BODY and any(_first_word(line).startswith(prefix) for line in body.casefold().splitlines())


def plain_text_lines(body: str, *, word: str) -> Iterator[str]:
    """Yield each line of plain paragraph text whose first word contains `word`, in any case.

    A line is yielded as it was typed: its Markdown is not resolved.
    """
    needle = word.casefold()
    if len(body) > MAX_BODY or needle not in body.casefold():
        return
    depth = 0
    tokens = _BLOCKS.parse(body)
    for before, token in zip([None, *tokens], tokens, strict=False):
        if token.type == "html_block":
            depth = _depth(depth, token.content)
        elif token.type == "inline" and token.level == 1 and _is_text_block(before):
            if depth == 0:
                yield from _matching_lines(token.content, needle)
            depth = _depth(depth, token.content)


def _is_text_block(opening: Token | None) -> bool:
    # "-" and "=" underline a heading. A signature line below a command does that by accident.
    return opening is not None and (opening.type == "paragraph_open" or opening.markup in {"-", "="})


def _depth(depth: int, html: str) -> int:
    for closing in _QUOTE_TAG.findall(html):
        depth = max(0, depth - 1) if closing else depth + 1
    return depth


def _matching_lines(content: str, needle: str) -> Iterator[str]:
    spans = hidden_spans(content)
    span = next(spans, None)
    position = 0
    for line in content.split("\n"):
        while span is not None and span[1] <= position:
            span = next(spans, None)
        is_text = span is None or position <= span[0]
        if is_text and needle in _first_word(line).casefold():
            yield line.strip()
        position += len(line) + 1


def _first_word(line: str) -> str:
    words: Sequence[str] = line.split(maxsplit=1)
    return words[0] if words else ""

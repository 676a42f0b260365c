"""Markdown → the lines in it that a person wrote as text.

Owns what "at the start of a line" means: a line of a paragraph that stands by itself, not in a quote, a list, code, an
HTML comment or an HTML block. Knows no command.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

MAX_BODY = 65_536
"""Characters GitHub takes in a comment; a longer text did not come from it."""

MAX_LINES = 20
"""Lines looked at in one paragraph; each costs a parse."""

# A noncharacter: it marks a line start through the inline parse and is never text anyone wrote.
_MARK = "\ufdd0"
_QUOTE_TAG = re.compile(r"<(/?)(?:blockquote|pre|code|samp|q)\b[^>]*>", re.IGNORECASE)
_MARKDOWN = MarkdownIt("commonmark")


def written_lines(body: str, *, having: str) -> Iterator[str]:
    """Yield each line of plain paragraph text that starts with a word containing `having`, whatever its case.

    A line is yielded as it was typed, without Markdown being resolved in it, so a `*` in it is a `*`.
    """
    wanted = having.casefold()
    if len(body) > MAX_BODY or wanted not in body.casefold():
        return
    environment: dict[str, object] = {}
    quoted = 0
    tokens = _MARKDOWN.parse(body.replace(_MARK, "\ufffd"), environment)
    for before, token in zip([None, *tokens], tokens, strict=False):
        if token.type == "html_block":
            quoted = _depth(quoted, token.content)
        elif token.type == "inline" and token.level == 1 and _is_text_block(before):
            if quoted == 0:
                yield from _starting_lines(token.content, wanted, environment)
            quoted = _depth(quoted, token.content)


def _is_text_block(opening: Token | None) -> bool:
    # "-" and "=" are headings made by underlining a paragraph, which a signature line does to a command above it.
    return opening is not None and (opening.type == "paragraph_open" or opening.markup in {"-", "="})


def _depth(quoted: int, html: str) -> int:
    for closing in _QUOTE_TAG.findall(html):
        quoted = max(0, quoted - 1) if closing else quoted + 1
    return quoted


def _starting_lines(content: str, wanted: str, environment: dict[str, object]) -> Iterator[str]:
    lines = content.split("\n")
    starts = [index for index, line in enumerate(lines) if wanted in _first_word(line).casefold()]
    for index in starts[:MAX_LINES]:
        marked = "\n".join([*lines[:index], _MARK + lines[index], *lines[index + 1 :]])
        if _mark_is_text(_MARKDOWN.parseInline(marked, environment)):
            yield lines[index].strip()


def _first_word(line: str) -> str:
    return next(iter(line.split(maxsplit=1)), "")


def _mark_is_text(parsed: Sequence[Token]) -> bool:
    return any(child.type == "text" and _MARK in child.content for token in parsed for child in token.children or ())

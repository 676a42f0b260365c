"""Quotes another pull request's description: it stays readable Markdown and has no effect.

A quote contains code blocks and lists that do not end. What reaches out of a quote is made plain text: HTML, entities,
mentions, hidden markers, and the words that close issues. GitHub looks for mentions and for those words in the text
that a reader sees, so an entity may not spell them either (https://github.github.com/gfm/#entity-and-numeric-character-references).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

from bot.text.closing_keywords import closed_issues, neutralize_keywords
from bot.text.sanitize import UNPRINTABLE

_BREAK = "\u2060"
_CUT = "> \n> … (the original has the rest)"
# Comments are for the author of a description: templates are full of them.
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_MENTION = re.compile(r"@(?=\S)")
_ENTITY = re.compile(r"&(?=(#[0-9]{1,8}|#[xX][0-9a-fA-F]{1,7}|[A-Za-z][A-Za-z0-9]{1,31});)")
_HARMLESS = frozenset("<>&\"'")
_REFERENCE = re.compile(r"#(?=\d)|\bGH-(?=\d)", re.IGNORECASE)
_MAX_ISSUES = 20


def quote_markdown(text: str, limit: int, *, references: bool = True) -> str:
    """Return a text as a Markdown quote of at most `limit` characters; empty if nothing is visible in it or fits.

    Without `references`, `#12` is plain text: in another repository it would lead to another issue. A text that is too
    long is cut at the end of a line and says so.
    """
    lines = _inert(text, references=references).strip("\n").split("\n")
    quoted = [f"> {line}".rstrip() for line in lines]
    if sum(map(len, quoted)) + len(quoted) <= limit:
        return "\n".join(quoted) if any(map(str.strip, lines)) else ""
    kept = list(_fitting(quoted, limit - len(_CUT)))
    return "\n".join([*kept, _CUT]) if kept else ""


def linked_issues(text: str) -> tuple[str, ...]:
    """Return the issues that a description closes, as `#12` or `owner/name#12`, each once."""
    return tuple(dict.fromkeys(closed_issues(_without_comments(text))))[:_MAX_ISSUES]


def _fitting(lines: list[str], limit: int) -> Iterator[str]:
    for line in lines:
        limit -= len(line) + 1
        if limit < 0:
            return
        yield line


def _inert(text: str, *, references: bool) -> str:
    plain = UNPRINTABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    plain = neutralize_keywords(_ENTITY.sub(_entity, _without_comments(plain)))
    plain = _MENTION.sub(f"@{_BREAK}", _TAG.sub(f"<{_BREAK}", plain))
    return plain if references else _REFERENCE.sub(lambda match: match.group() + _BREAK, plain)


def _entity(match: re.Match[str]) -> str:
    """Return the ampersand as it is if the entity stands for a character that spells nothing, else escaped."""
    character = unescape(f"&{match[1]};")
    is_harmless = character in _HARMLESS or (not character.isascii() and not any(map(str.isspace, character)))
    return "&" if is_harmless else "&amp;"


def _without_comments(text: str) -> str:
    # A pattern with an end that is missing would search the whole rest from each beginning.
    end = text.rfind("-->") + 3
    return _COMMENT.sub("", text[:end]) + text[end:] if end > 2 else text

"""Escapes foreign text for GitHub's Markdown, so that it is only text.

Escaped text cannot mention a person, link or close an issue, load a picture, open an HTML tag, or break its table.
"""

from __future__ import annotations

import re
import unicodedata
from html import escape

_BREAK = "\u2060"
"""WORD JOINER: invisible, and enough to make `@name` and `#12` plain text. A backslash is not enough: GitHub looks for
mentions and references after it has resolved Markdown's escapes."""

# Characters that Markdown acts on inside a line, and those that begin a list, a heading or a rule. An underscore inside
# a word is only text, and names in code are full of them.
_PUNCTUATION = re.compile(r"([\\`*{}\[\]<>|~&$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|^(?:[-+=#]|\d+(?=[.)])))")
_ACTIVE = re.compile(r"@(?=[\w\\])|#(?=\d)|\b(?:GH-)(?=\d)|(?<=[A-Za-z]):(?=//)|\bwww(?=\.)", re.IGNORECASE)
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def escape_surrogates(value: object) -> str:
    """Return a text with lone surrogates written as `\\xe9`. git decodes bytes that are not UTF-8 to lone surrogates.

    GitHub rejects a JSON text that has one.
    """

    def escape_one(match: re.Match[str]) -> str:
        point = ord(match.group())
        return f"\\x{point - 0xDC00:02x}" if 0xDC80 <= point <= 0xDCFF else "\ufffd"

    return _LONE_SURROGATE.sub(escape_one, str(value))


def visible(value: object) -> str:
    """Return one line without control and direction-changing characters; every run of white space is one space."""
    characters = (" " if character.isspace() else character for character in escape_surrogates(value))
    clean = "".join(c for c in characters if c == " " or (c not in _BIDI and unicodedata.category(c) != "Cc"))
    return " ".join(clean.split())


def shorten(text: str, limit: int) -> str:
    """Cut a text to `limit` characters. A text that was cut ends with an ellipsis."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def text(value: object, limit: int = 2000) -> str:
    """Return a value as inert inline text."""
    plain = shorten(visible(value), limit)
    inert = _ACTIVE.sub(lambda match: match.group() + _BREAK, plain)
    return _PUNCTUATION.sub(lambda match: _escape(match.group()), inert)


def _escape(character: str) -> str:
    # A digit takes no backslash. "1." begins a list only if nothing is between the two characters.
    return f"{character}{_BREAK}" if character.isdecimal() else f"\\{character}"


def prose(value: str) -> str:
    """Escape a sentence of the bot or of a carried patch, except for its code spans."""
    parts = value.split("`")
    if len(parts) % 2 == 0:
        return text(value)
    return "".join(code(part) if index % 2 else _between(part) for index, part in enumerate(parts))


def _between(part: str) -> str:
    before, after = part[: len(part) - len(part.lstrip())], part[len(part.rstrip()) :]
    return f"{before and ' '}{text(part)}{after and part.strip() and ' '}"


def html(value: object, limit: int = 300) -> str:
    """Return a value as inert text for use inside an HTML element, where Markdown resolves no escapes."""
    inert = _ACTIVE.sub(lambda match: match.group() + _BREAK, shorten(visible(value), limit))
    return escape(inert, quote=True)


def code(value: object, limit: int = 300) -> str:
    """Return a value as a code span whose fence is longer than any run of backticks inside."""
    plain = shorten(visible(value), limit)
    if not plain:
        return "` `"
    fence = "`" * (max(map(len, re.findall("`+", plain)), default=0) + 1)
    pad = " " if plain.startswith("`") or plain.endswith("`") else ""
    return f"{fence}{pad}{plain}{pad}{fence}"


def code_cell(value: object, limit: int = 300) -> str:
    """Return a value as a code span for a table cell. There a `|` would end the cell, even inside code."""
    return code(value, limit).replace("|", "\\|")


def block(value: object, limit: int = 4000, info: str = "text") -> str:
    """Return several lines as a fenced block, without control characters except line ends and tabs."""
    lines = escape_surrogates(value).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    clean = (
        "".join(c for c in line if c == "\t" or (c not in _BIDI and ord(c) >= 32 and ord(c) != 127)) for line in lines
    )
    plain = "\n".join(clean)
    if len(plain) > limit:
        plain = plain[:limit] + f"\n… ({len(plain) - limit} more characters)"
    fence = "`" * max(3, max(map(len, re.findall("`+", plain)), default=0) + 1)
    return f"{fence}{info}\n{plain}\n{fence}"


def link(value: object, url: str) -> str:
    """Return a link with an inert text, or only the text if the URL is not http(s)."""
    return f"[{text(value)}]({address(url)})" if _is_web(url) else text(value)


def reference(number: int, url: str) -> str:
    """Return a link to a pull request by its number. It leads to the same page from each repository."""
    return f"[#{number}]({address(url)})" if _is_web(url) else f"#{number}"


def _is_web(url: str) -> bool:
    return re.match(r"https?://", url) is not None


def address(url: str) -> str:
    """Return a URL for use between the parentheses of a link; it cannot end the link early."""
    return "<" + "".join(f"%{ord(c):02X}" if c in '<>"\\`' or ord(c) <= 32 else c for c in visible(url)) + ">"


def sha(value: str) -> str:
    """Return an object name short enough to read, as code."""
    return code(value[:12])


def count(number: int, noun: str) -> str:
    """Return "1 case", "2 cases"; "1 branch", "2 branches"."""
    if number == 1:
        return f"1 {noun}"
    return f"{number} {noun}{'es' if noun.endswith(('ch', 's', 'x')) else 's'}"

"""Foreign text → Markdown in which it is only text.

Owns escaping for GitHub's Markdown. Nothing that comes through here can mention a person, link an issue, close one,
load a picture, open an HTML tag or break the table it stands in.
"""

from __future__ import annotations

import re
import unicodedata
from html import escape

_BREAK = "\u2060"
"""WORD JOINER: invisible, and enough to make `@name` and `#12` plain text. A backslash is not: GitHub finds mentions
and references after Markdown's escapes are resolved."""

# What Markdown could act on in the middle of a line, and what could make a line a list, a heading or a rule. An
# underscore inside a word is only text, and names in code are full of them.
_PUNCTUATION = re.compile(r"([\\`*{}\[\]<>|~&$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|^(?:[-+=#]|\d+(?=[.)])))")
_ACTIVE = re.compile(r"@(?=[\w\\])|#(?=\d)|\b(?:GH-)(?=\d)|(?<=[A-Za-z]):(?=//)|\bwww(?=\.)", re.IGNORECASE)
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def escape_surrogates(value: object) -> str:
    """Return a text in which bytes that are no UTF-8, which git decodes to lone surrogates, stand as `\\xe9`.

    No JSON text may hold a lone surrogate, so GitHub refuses a request with one.
    """

    def spell(found: re.Match[str]) -> str:
        point = ord(found.group())
        return f"\\x{point - 0xDC00:02x}" if 0xDC80 <= point <= 0xDCFF else "\ufffd"

    return _LONE_SURROGATE.sub(spell, str(value))


def visible(value: object) -> str:
    """Return one line without control and direction-changing characters; every run of white space is one space."""
    kept = (" " if character.isspace() else character for character in escape_surrogates(value))
    clean = "".join(c for c in kept if c == " " or (c not in _BIDI and unicodedata.category(c) != "Cc"))
    return " ".join(clean.split())


def shorten(text: str, limit: int) -> str:
    """Cut a text to `limit` characters, the last of them an ellipsis where something was cut."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def text(value: object, limit: int = 2000) -> str:
    """Return a value as inert inline text."""
    plain = shorten(visible(value), limit)
    inert = _ACTIVE.sub(lambda found: found.group() + _BREAK, plain)
    return _PUNCTUATION.sub(lambda found: _escape(found.group()), inert)


def _escape(found: str) -> str:
    # A digit takes no backslash; "1." becomes a list only where the two stand together.
    return f"{found}{_BREAK}" if found.isdecimal() else f"\\{found}"


def prose(value: str) -> str:
    """Return a sentence of our own, or of a carried patch: its code spans are meant, all else in it is made inert."""
    parts = value.split("`")
    if len(parts) % 2 == 0:
        return text(value)
    return "".join(code(part) if index % 2 else _between(part) for index, part in enumerate(parts))


def _between(part: str) -> str:
    before, after = part[: len(part) - len(part.lstrip())], part[len(part.rstrip()) :]
    return f"{before and ' '}{text(part)}{after and part.strip() and ' '}"


def html(value: object, limit: int = 300) -> str:
    """Return a value as inert text inside an HTML tag, where Markdown's escapes are not read."""
    inert = _ACTIVE.sub(lambda found: found.group() + _BREAK, shorten(visible(value), limit))
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
    """Return a value as a code span for a table, where a `|` would end the cell even inside code."""
    return code(value, limit).replace("|", "\\|")


def block(value: object, limit: int = 4000, info: str = "text") -> str:
    """Return several lines as a fenced block; control characters but line ends and tabs are dropped."""
    lines = escape_surrogates(value).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    kept = (
        "".join(c for c in line if c == "\t" or (c not in _BIDI and ord(c) >= 32 and ord(c) != 127)) for line in lines
    )
    plain = "\n".join(kept)
    if len(plain) > limit:
        plain = plain[:limit] + f"\n… ({len(plain) - limit} more characters)"
    fence = "`" * max(3, max(map(len, re.findall("`+", plain)), default=0) + 1)
    return f"{fence}{info}\n{plain}\n{fence}"


def link(value: object, url: str) -> str:
    """Return a link with an inert text; what is no http(s) address gives the text alone."""
    return f"[{text(value)}]({address(url)})" if _is_web(url) else text(value)


def reference(number: int, url: str) -> str:
    """Return a link to a pull request by its number, which says where it leads in every repository."""
    return f"[#{number}]({address(url)})" if _is_web(url) else f"#{number}"


def _is_web(url: str) -> bool:
    return re.match(r"https?://", url) is not None


def address(url: str) -> str:
    """Return a web address as it stands between the parentheses of a link; it cannot end the link early."""
    return "<" + "".join(f"%{ord(c):02X}" if c in '<>"\\`' or ord(c) <= 32 else c for c in visible(url)) + ">"


def sha(value: str) -> str:
    """Return an object name short enough to read, as code."""
    return code(value[:12])


def count(number: int, noun: str) -> str:
    """Return "1 case", "2 cases"; "1 branch", "2 branches"."""
    if number == 1:
        return f"1 {noun}"
    return f"{number} {noun}{'es' if noun.endswith(('ch', 's', 'x')) else 's'}"

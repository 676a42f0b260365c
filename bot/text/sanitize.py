"""Text that somebody's code wrote, before it is kept or shown.

Owns what of it stays behind: characters that no file, JSON text or terminal takes as they are. Everything here costs
time in line with the text's length.
"""

from __future__ import annotations

import re

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
# Control characters save tab and line feed, lone surrogates, non-characters, and what turns the direction of writing.
UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


def printable(text: str, longest: int) -> str:
    """Return the text with a replacement for every character that cannot be shown, at most `longest` characters."""
    shown = UNPRINTABLE.sub(REPLACEMENT, text[: longest + 1].replace("\r\n", "\n"))
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"


def printable_line(text: str, longest: int) -> str:
    """Do the same for what is to stay on one line."""
    return printable(text, longest).replace("\n", " ").replace("\t", " ")

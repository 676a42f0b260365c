"""Cleans text that untrusted code wrote, before it is stored or shown.

It replaces the characters that files, JSON or terminals do not take as they are. The time is linear in the length of
the text.
"""

from __future__ import annotations

import re

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
# Control characters except tab and line feed, lone surrogates, non-characters, and those that change the direction of
# writing.
UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


def printable(text: str, longest: int) -> str:
    """Return at most `longest` characters of a text, with each character that cannot be shown replaced."""
    clean = UNPRINTABLE.sub(REPLACEMENT, text[: longest + 1].replace("\r\n", "\n"))
    return clean if len(clean) <= longest else f"{clean[: longest - 1]}…"


def printable_line(text: str, longest: int) -> str:
    """Do the same, and replace line ends and tabs by blanks."""
    return printable(text, longest).replace("\n", " ").replace("\t", " ")

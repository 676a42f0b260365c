"""Words by which GitHub closes an issue when a commit or a pull request is merged, made harmless.

Owns which words those are. The original closed what it closes; a copy of its text on a release branch must not close it
again, and must not close the issue of the same number in another repository.
"""

from __future__ import annotations

import re

_CLOSING = re.compile(
    r"\b(close[sd]?|fix(?:e[sd])?|resolve[sd]?)(\s*:?\s+|\s*:)((?:[\w.-]+/[\w.-]+)?#\d+|GH-\d+|https?://[^\s<>()]+)",
    re.IGNORECASE,
)


def disarm(text: str) -> str:
    """Put what a closing word names into parentheses: `Fixes #1` becomes `Fixes (#1)`, as readable and without effect.

    Doing it twice is the same as doing it once.
    """
    return _CLOSING.sub(r"\1\2(\3)", text)

"""The target project's own formatter, on what a patch wrote.

Owns one promise: a file that the formatter left alone before is left alone by it afterwards. A file that was not
formatted keeps every character the patch did not write.
"""

from __future__ import annotations

from functools import lru_cache

import black
from black.parsing import InvalidInput


def format_like_before(before: str, after: str) -> str:
    """Return the new text of a file, formatted with black's default style where the old text was."""
    try:
        result = _format(after)
        return result if result == after or _format(before) == before else after
    except InvalidInput:
        # Syntax that this version of black does not know: then the project's black has not formatted it either.
        return after


@lru_cache(maxsize=4)  # what one patch wrote is what the next one finds
def _format(text: str) -> str:
    newline = "\r\n" if "\r\n" in text else "\n"
    unix = text.replace("\r\n", "\n")
    result = black.format_str(unix, mode=black.Mode()) if unix else unix
    return result.replace("\n", newline)

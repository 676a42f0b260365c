"""Runs the target project's formatter on a patched file.

A file that was formatted before is formatted afterwards. Any other file keeps every character that the patch did not
write.
"""

from __future__ import annotations

from functools import lru_cache


def format_like_before(before: str, after: str) -> str:
    """Return the new text of a file, formatted with black's default style if the old text was."""
    from black.parsing import InvalidInput  # noqa: PLC0415 - a tenth of a start's imports, and few runs format

    try:
        result = _format(after)
        return result if result == after or _format(before) == before else after
    except InvalidInput:
        # Syntax that this version of black does not know: then the project's black has not formatted it either.
        return after


@lru_cache(maxsize=4)  # what one patch wrote is what the next one finds
def _format(text: str) -> str:
    import black  # noqa: PLC0415 - as above

    # black decides line ends by the first line, and here each file keeps its own.
    newline = "\r\n" if "\r\n" in text else "\n"
    unix = text.replace("\r\n", "\n")
    result = black.format_str(unix, mode=black.Mode()) if unix else unix
    return result.replace("\n", newline)

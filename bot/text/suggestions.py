"""Suggests the nearest name for one that a person mistyped."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_LONGEST = 40  # difflib's time grows with the square of the length, and no name is longer


def suggest(name: str, names: Iterable[str], *, listing: str) -> str:
    """Return a sentence with the name that is nearest to a mistyped one, or with all names if none is near.

    `listing` begins the sentence that lists all names, e.g. "The options are".
    """
    candidates = list(names)
    nearest = difflib.get_close_matches(name[:_LONGEST].casefold(), candidates, n=1, cutoff=0.5)
    if nearest:
        return f"Did you mean `{nearest[0]}`?"
    return f"{listing} {', '.join(f'`{candidate}`' for candidate in candidates)}."

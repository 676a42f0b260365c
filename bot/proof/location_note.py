"""Words and recognises the note of a verdict that says where its suites ran.

A table of several devices has columns for that instead.
"""

from __future__ import annotations

_BEGINNING = "It ran in "


def location_note(place: str) -> str:
    """Word the note; `place` is e.g. `the image IMAGE`."""
    return f"{_BEGINNING}{place}."


def is_location_note(note: str) -> bool:
    """Whether a note says where suites ran."""
    return note.startswith(_BEGINNING)

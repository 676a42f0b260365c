"""What every room speaks of: object names, and whom to tell or ask while working for long."""

from __future__ import annotations

from collections.abc import Callable
from typing import NewType

Sha = NewType("Sha", str)
"""A full object name, 40 hex digits. A branch name is never a Sha: `resolve` turns one into the other."""


Progress = Callable[[str], None]
"""Takes one line for a person who is waiting."""


def silent(_line: str) -> None:
    """Be a Progress for callers that nobody watches."""


StopWhen = Callable[[], bool]
"""Is asked now and then, by whoever works for long, whether to stop."""


def never() -> bool:
    """Be the StopWhen of what nothing stops."""
    return False

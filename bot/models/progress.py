"""The callbacks of work that takes long: it tells how far it is, and asks whether to stop."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str], None]
"""Takes one line for a person who is waiting."""


def silent(_line: str) -> None:
    """Discard progress (default)."""


StopWhen = Callable[[], bool]
"""Long work calls it now and then, and stops if it returns True."""


def never() -> bool:
    """Never stop (default)."""
    return False

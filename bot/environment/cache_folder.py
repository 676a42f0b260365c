"""The folder in which the program keeps what it can make or fetch again."""

from __future__ import annotations

import os
from pathlib import Path


def cache_directory() -> Path:
    """Return BACKPORT_BOT_CACHE, else backport-bot in the user's cache folder. It need not be there yet."""
    override = os.environ.get("BACKPORT_BOT_CACHE")
    if override:
        return Path(override)
    cached = Path(os.environ.get("XDG_CACHE_HOME") or "")
    return (cached if cached.is_absolute() else _home() / ".cache") / "backport-bot"


def _home() -> Path:
    """Return the user's home; the root folder for a user without one, as container runtimes do."""
    try:
        return Path.home()
    except RuntimeError:  # neither HOME nor an entry in /etc/passwd
        return Path("/")

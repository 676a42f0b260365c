"""Locates the cache folder, which holds only what the program can make or fetch again."""

from __future__ import annotations

import os
from pathlib import Path


def cache_directory() -> Path:
    """Return BACKPORT_BOT_CACHE, else a folder in RUNNER_TEMP, else backport-bot in the user's cache folder.

    A container reads compiled kernels from there, and the daemon beside a runner's pod does not see the user's
    home. The folder may not exist yet.
    """
    override = os.environ.get("BACKPORT_BOT_CACHE")
    if override:
        return Path(override)
    runner = Path(os.environ.get("RUNNER_TEMP") or "")
    if runner.is_absolute():
        return runner / "backport-bot-cache"
    parent = Path(os.environ.get("XDG_CACHE_HOME") or "")
    return (parent if parent.is_absolute() else _home() / ".cache") / "backport-bot"


def _home() -> Path:
    """Return the user's home; the root folder if the user has none, as container runtimes do."""
    try:
        return Path.home()
    except RuntimeError:  # neither HOME nor an entry in /etc/passwd
        return Path("/")

"""Secrets from the environment.

Owns their names. Each is taken out of our own environment when it is read, so that no process we start can inherit it.
"""

from __future__ import annotations

import os

from bot.errors import ConfigError

TOKEN = "BACKPORT_BOT_TOKEN"  # noqa: S105 - a name
WEBHOOK_SECRET = "BACKPORT_BOT_SECRET"  # noqa: S105 - a name


def take(name: str) -> str | None:
    """Return a secret and forget it in the environment; None where it is not set."""
    return os.environ.pop(name, "") or None


def require(name: str, consequence: str) -> str:
    """Return a secret; raises ConfigError where it is not set, which says what did not happen for that."""
    secret = take(name)
    if secret is None:
        raise ConfigError(f"{name} is not set, so {consequence}.", hint=f"Export {name} and start again.")
    return secret

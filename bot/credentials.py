"""Secrets from the environment.

Owns their names. Each is taken out of our own environment when it is read, so that no process we start can inherit it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from bot.errors import ConfigError

TOKEN = "BACKPORT_BOT_TOKEN"  # noqa: S105 - a name
APP_ID = "BACKPORT_BOT_APP_ID"
PRIVATE_KEY = "BACKPORT_BOT_PRIVATE_KEY"
WEBHOOK_SECRET = "BACKPORT_BOT_SECRET"  # noqa: S105 - a name


@dataclass(frozen=True, slots=True)
class AppKey:
    """A GitHub App, which gets itself a token for one hour whenever it needs one. The key is PEM."""

    app_id: str
    private_key: str = field(repr=False)


Account = str | AppKey
"""Who the bot is to GitHub: a token, or an App."""


def take(name: str) -> str | None:
    """Return a secret and forget it in the environment; None where it is not set."""
    return os.environ.pop(name, "") or None


def require(name: str, consequence: str) -> str:
    """Return a secret; raises ConfigError where it is not set, which says what did not happen for that."""
    secret = take(name)
    if secret is None:
        raise ConfigError(f"{name} is not set, so {consequence}.", hint=f"Export {name} and start again.")
    return secret


def require_account(consequence: str) -> Account:
    """Return the App if there is one, else the token; raises ConfigError where there is neither."""
    app_id, token = take(APP_ID), take(TOKEN)
    if app_id is not None:
        return AppKey(app_id, require(PRIVATE_KEY, consequence).replace("\\n", "\n"))
    if token is None:
        hint = f"Export {TOKEN}, or {APP_ID} and {PRIVATE_KEY} of a GitHub App, and start again."
        raise ConfigError(f"{TOKEN} is not set, so {consequence}.", hint=hint)
    return token

"""Keeps the keys that the service has signed with, so that what it signed stays valid after a change of its secrets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.environment.signing import SigningKey
from bot.server.database import Database

_PREFIX = "signing-key "
_LONGEST = timedelta(days=180)
"""After that long without a start with it, a key is believed no more."""


def accept_earlier_keys(database: Database, key: SigningKey) -> None:
    """Let a key accept what earlier keys of this service signed, and remember it for later ones.

    What is stored are derived keys: no secret can be read from one, but who has it can sign as the bot.
    """
    now = datetime.now(UTC)
    database.keep_fact(_PREFIX + key.to_text(), now.isoformat())
    earlier_keys = {name.removeprefix(_PREFIX): value for name, value in database.facts(_PREFIX).items()}
    key.accept(text for text, used_at in earlier_keys.items() if datetime.fromisoformat(used_at) > now - _LONGEST)

"""Secrets from the environment.

Owns their names, and that each is in our memory alone once it was read: no process we start inherits it, it has gone
from /proc/self/environ, and on Linux no process of the same user can read our memory.
"""

from __future__ import annotations

import ctypes
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

from bot.environment.signing import SigningKey
from bot.errors import ConfigError

TOKEN = "BACKPORT_BOT_TOKEN"  # noqa: S105 - a name
APP_ID = "BACKPORT_BOT_APP_ID"
PRIVATE_KEY = "BACKPORT_BOT_PRIVATE_KEY"
WEBHOOK_SECRET = "BACKPORT_BOT_SECRET"  # noqa: S105 - a name
SIGNING_SECRET = "BACKPORT_BOT_SIGNING_SECRET"  # noqa: S105 - a name
SECRETS = (TOKEN, APP_ID, PRIVATE_KEY, WEBHOOK_SECRET, SIGNING_SECRET)


@dataclass(frozen=True, slots=True)
class AppKey:
    """A GitHub App, which gets itself a token for one hour whenever it needs one. The key is PEM."""

    app_id: str
    private_key: str = field(repr=False)


Account = str | AppKey
"""Who the bot is to GitHub: a token, or an App."""


_PR_SET_DUMPABLE = 4
_names_held: set[str] = set()


def take(name: str) -> str | None:
    """Return a secret and forget it in the environment; None where it is not set. From then on it is `held`."""
    secret = _forget(name)
    if secret is not None:
        _names_held.add(name)
    return secret


def drop(name: str) -> None:
    """Forget a secret that a process has no business with; it is not held for that."""
    _forget(name)


def holds_secret() -> bool:
    """Whether this process has taken a secret."""
    return bool(_names_held)


def _forget(name: str) -> str | None:
    secret = os.environ.pop(name, "") or None
    if secret is not None and sys.platform == "linux":
        _hide_memory()
        _overwrite_in_initial_environment(name, secret)
    return secret


def _hide_memory() -> None:
    """Keep processes of the same user from our memory and /proc files, and write no core: PR_SET_DUMPABLE(2const)."""
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, *map(ctypes.c_ulong, (0, 0, 0, 0)))


def _overwrite_in_initial_environment(name: str, secret: str) -> None:
    """Blank a secret in the memory that /proc/self/environ shows, which unsetting a variable leaves as it was.

    So is the same secret under another name. proc_pid_stat(5) has where that memory begins and ends, as the fields 50
    and 51; the second field, a name in brackets, may hold blanks.
    """
    fields = Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()
    place, end = int(fields[47]), int(fields[48])
    for entry in ctypes.string_at(place, max(end - place, 0)).split(b"\0") if place else ():
        variable, _, value = entry.partition(b"=")
        if value == os.fsencode(secret) and (variable == os.fsencode(name) or name != APP_ID):
            ctypes.memset(place + len(variable) + 1, ord("*"), len(value))
        place += len(entry) + 1


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


def signing_key(account: Account, *, webhook_secret: str | None = None) -> SigningKey | None:
    """Return what signs the lines in comments that the bot must believe later; None where no secret lasts.

    It follows from a secret of its own, else from the App's private key, else from the webhook's secret. A token does
    not do: the one of a workflow run is another in each run.
    """
    secret = take(SIGNING_SECRET) or (account.private_key if isinstance(account, AppKey) else webhook_secret)
    return SigningKey.derive(secret) if secret else None

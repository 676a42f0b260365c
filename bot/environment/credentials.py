"""Reads secrets from the environment and removes them from it.

A secret that was read is only in this process's memory: no child process inherits it, /proc/self/environ no longer has
it, and on Linux no process of the same user can read this process's memory.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bot.environment.signing import SigningKey
from bot.errors import ConfigError

TOKEN = "BACKPORT_BOT_TOKEN"  # noqa: S105 - a name
APP_ID = "BACKPORT_BOT_APP_ID"
PRIVATE_KEY = "BACKPORT_BOT_PRIVATE_KEY"
WEBHOOK_SECRET = "BACKPORT_BOT_SECRET"  # noqa: S105 - a name
OLD_WEBHOOK_SECRET = "BACKPORT_BOT_OLD_SECRET"  # noqa: S105 - a name
SIGNING_SECRET = "BACKPORT_BOT_SIGNING_SECRET"  # noqa: S105 - a name
DATABASE = "BACKPORT_BOT_DATABASE"
CLIENT_ID = "BACKPORT_BOT_CLIENT_ID"
CLIENT_SECRET = "BACKPORT_BOT_CLIENT_SECRET"  # noqa: S105 - a name
SECRETS = (
    TOKEN,
    APP_ID,
    PRIVATE_KEY,
    WEBHOOK_SECRET,
    OLD_WEBHOOK_SECRET,
    SIGNING_SECRET,
    CLIENT_ID,
    CLIENT_SECRET,
    DATABASE,
)


@dataclass(frozen=True, slots=True)
class AppKey:
    """A GitHub App. It requests a token for one hour when it needs one. The key is PEM."""

    app_id: str
    private_key: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledApp:
    """One installation of a GitHub App. `token` returns a token that is valid now; `login` is the App's account."""

    login: str
    permissions: Mapping[str, str]
    token: Callable[[], str] = field(repr=False)


Account = str | AppKey | InstalledApp
"""How the bot authenticates to GitHub: by a token, as an App, or as an App in one installation."""


_PR_SET_DUMPABLE = 4
_SHORTEST = 8
"""Characters of a secret that is removed from logs: a shorter one is no secret, and occurs in any text."""
_taken: dict[str, str] = {}


def take(name: str) -> str | None:
    """Return a secret and remove it from the environment; None if it is not set. `holds_secret` is true afterwards."""
    secret = _remove(name)
    if secret is not None:
        _taken[name] = secret
    return secret


def drop(name: str) -> None:
    """Remove a secret that this process does not need from the environment. `holds_secret` does not change."""
    _remove(name)


def holds_secret() -> bool:
    """Return whether this process has taken a secret."""
    return bool(_taken)


def secrets_taken() -> tuple[str, ...]:
    """Return the secrets that this process has taken, each as it may stand in a text: for their removal from logs."""
    values = [secret for name, secret in _taken.items() if name != APP_ID]
    # An environment file has a key on one line, and an error may show it with its lines' ends.
    forms = {form for value in values for form in (value, value.replace("\\n", "\n"), value.replace("\n", "\\n"))}
    return tuple(sorted((form for form in forms if len(form) >= _SHORTEST), key=len, reverse=True))


def _remove(name: str) -> str | None:
    secret = os.environ.pop(name, "") or None
    if secret is not None and sys.platform == "linux":
        _hide_memory()
        _overwrite_in_initial_environment(name, secret)
    return secret


def _hide_memory() -> None:
    """Deny processes of the same user our memory and /proc files, and write no core: PR_SET_DUMPABLE(2const)."""
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, *map(ctypes.c_ulong, (0, 0, 0, 0)))


def _overwrite_in_initial_environment(name: str, secret: str) -> None:
    """Overwrite a secret in the memory that /proc/self/environ shows. Unsetting a variable does not change that memory.

    The same secret under another name is overwritten, too. Fields 50 and 51 of proc_pid_stat(5) are the start and the
    end of that memory; the second field, a name in brackets, may contain blanks.
    """
    fields = Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()
    start, end = int(fields[47]), int(fields[48])
    for entry in ctypes.string_at(start, max(end - start, 0)).split(b"\0") if start else ():
        variable, _, value = entry.partition(b"=")
        if value == os.fsencode(secret) and (variable == os.fsencode(name) or name != APP_ID):
            ctypes.memset(start + len(variable) + 1, ord("*"), len(value))
        start += len(entry) + 1


def require(name: str, consequence: str) -> str:
    """Return a secret. Raises ConfigError, naming the action that was skipped (`consequence`), if it is not set."""
    secret = take(name)
    if secret is None:
        raise ConfigError(f"{name} is not set, so {consequence}.", hint=f"Export {name} and start again.")
    return secret


def require_account(consequence: str) -> str | AppKey:
    """Return the App if it is configured, else the token. Raises ConfigError if there is neither."""
    app_id, token = take(APP_ID), take(TOKEN)
    if app_id is not None:
        # An environment file has the key on one line, and what does not read it as a shell does leaves the quotes.
        return AppKey(app_id, require(PRIVATE_KEY, consequence).strip("'\"").replace("\\n", "\n"))
    if token is None:
        hint = f"Export {TOKEN}, or {APP_ID} and {PRIVATE_KEY} of a GitHub App, and start again."
        raise ConfigError(f"{TOKEN} is not set, so {consequence}.", hint=hint)
    return token


def require_personal_account(consequence: str) -> Account:
    """Return the account of a person at their own machine: also a token under the names that GitHub's CLI reads.

    Raises ConfigError if there is none. Afterwards no token is left in the environment.
    """
    # https://cli.github.com/manual/gh_help_environment
    tokens = [token for name in (TOKEN, "GH_TOKEN", "GITHUB_TOKEN") if (token := take(name)) is not None]
    if not tokens or os.environ.get(APP_ID):
        try:
            return require_account(consequence)
        except ConfigError as error:
            hint = f'Export {TOKEN}, e.g. `export {TOKEN}="$(gh auth token)"`, and start again.'
            raise ConfigError(error.message, hint=hint) from None
    return tokens[0]


def optional_account(consequence: str) -> Account | None:
    """Return the App or the token, or None if there is neither. Raises ConfigError for an App without its key."""
    if os.environ.get(APP_ID) or os.environ.get(TOKEN):
        return require_account(consequence)
    return None


def signing_key(account: Account, *, webhook_secret: str | None = None) -> SigningKey | None:
    """Return the key that signs the lines in comments that the bot has to trust later; None if no secret is permanent.

    It is derived from the signing secret, else from the App's private key, else from the webhook's secret. A token is
    not permanent: each workflow run has another one.
    """
    secret = take(SIGNING_SECRET) or (account.private_key if isinstance(account, AppKey) else webhook_secret)
    return SigningKey.derive(secret) if secret else None

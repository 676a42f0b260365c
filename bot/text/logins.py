"""Compares the logins of accounts, and recognises those of apps and those that several programs share.

GitHub keeps the case of a login and ignores it in every comparison.
"""

from __future__ import annotations

SHARED_ACCOUNTS = frozenset({"github-actions[bot]"})
"""Accounts in whose name each workflow of a repository writes, not only the bot."""


def same_login(login: str | None, second: str | None) -> bool:
    """Return whether two logins are of the same account. An empty login is of no account."""
    return bool(login) and bool(second) and login.casefold() == second.casefold()  # type: ignore[union-attr]


def is_app(login: str) -> bool:
    """Return whether a login is a GitHub App's. Only logins of apps end with `[bot]`."""
    return login.casefold().endswith("[bot]")


def is_shared(login: str) -> bool:
    """Return whether other programs write in the name of this account, too."""
    return login.casefold() in SHARED_ACCOUNTS

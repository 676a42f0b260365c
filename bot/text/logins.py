"""Names of accounts: how they compare, and which are nobody's alone.

The one place that compares them. GitHub keeps the case in which an account wrote its name and ignores it everywhere.
"""

from __future__ import annotations

SHARED_ACCOUNTS = frozenset({"github-actions[bot]"})
"""Accounts in whose name every workflow of a repository writes, not the bot's alone."""


def same_login(one: str | None, other: str | None) -> bool:
    """Say whether two names are those of one account; no account has no name."""
    return bool(one) and bool(other) and one.casefold() == other.casefold()  # type: ignore[union-attr]


def is_app(login: str) -> bool:
    """Say whether a name is a GitHub App's: GitHub gives the ending to nobody else."""
    return login.casefold().endswith("[bot]")


def is_shared(login: str) -> bool:
    """Say whether others write in the name of this account as well."""
    return login.casefold() in SHARED_ACCOUNTS

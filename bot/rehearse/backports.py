"""What a rehearsal takes a message to name, and by which rule.

Owns the choice between what a message claims. `bot.history.message_references` reads the words. Whether what is named
exists, and where, is not known here.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.history.message_references import numbers_in_branch, parse_references


@dataclass(frozen=True, slots=True)
class Naming:
    """What a message names as its originals: commits as written, or pull requests; and by which rule that was read."""

    rule: str
    commits: frozenset[str] = frozenset()
    numbers: frozenset[int] = frozenset()


def read_naming(message: str) -> Naming | None:
    """Read which originals a message names; None for a commit that does not say it is a backport."""
    claims = parse_references(message)
    if claims.sources:
        return Naming("commit", commits=_without_prefixes(set(claims.sources)))
    in_branch = numbers_in_branch(message.partition("\n")[0])
    if in_branch:
        return Naming("merge", numbers=frozenset(in_branch))
    return Naming("number", numbers=frozenset(claims.backports)) if claims.backports else None


def _without_prefixes(commits: set[str]) -> frozenset[str]:
    # One message often names one commit twice, once abbreviated.
    return frozenset(each for each in commits if not any(other != each and other.startswith(each) for other in commits))

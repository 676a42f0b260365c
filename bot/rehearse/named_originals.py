"""Reads which originals a backport's message names, and by which rule.

Whether the named commits and pull requests exist is not checked here.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.history.message_references import numbers_in_branch, parse_references


@dataclass(frozen=True, slots=True)
class SourceReference:
    """The originals that a message names: commits as written, or pull requests. `rule` is how they were read."""

    rule: str
    commits: frozenset[str] = frozenset()
    numbers: frozenset[int] = frozenset()


def read_source_reference(message: str) -> SourceReference | None:
    """Read which originals a message names; None if it does not say that the commit is a backport."""
    references = parse_references(message)
    if references.sources:
        return SourceReference("commit", commits=_without_prefixes(set(references.sources)))
    numbers = numbers_in_branch(message.partition("\n")[0])
    if numbers:
        return SourceReference("merge", numbers=frozenset(numbers))
    return SourceReference("number", numbers=frozenset(references.backports)) if references.backports else None


def _without_prefixes(commits: set[str]) -> frozenset[str]:
    # One message often names one commit twice, once abbreviated.
    return frozenset(
        name for name in commits if not any(longer != name and longer.startswith(name) for longer in commits)
    )

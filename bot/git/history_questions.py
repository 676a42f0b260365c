"""Which commits a git command asks about whose answer depends on history.

In a shallow repository such a command is run only if the answer is certain (`bot.git.known_history`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.git.known_history import KnownHistory
from bot.models import Sha

_SHA = re.compile(r"[0-9a-f]{40}")
_LISTS = ("rev-list", "log", "range-diff")
_COMMANDS = (*_LISTS, "merge-base", "merge-tree", "blame", "shortlog", "describe", "cherry")


def is_certain(arguments: Sequence[str], history: KnownHistory) -> bool:
    """Say whether a shallow history answers a git command as the whole one does."""
    command, *rest = _without_settings(arguments)
    if command == "rev-parse":
        return _SHA.fullmatch(rest[-1]) is not None or rest[-1].startswith("refs/")
    if command not in _COMMANDS:
        return True
    names = [word for word in rest[: rest.index("--")] if word] if "--" in rest else rest
    revisions = [word for word in names if not word.startswith("-")]
    if "--stdin" in names or "--all" in names or not all(map(_is_named, revisions)):
        return False
    if command in _LISTS:
        return all(history.exclusions(tips, bases) == frozenset() for tips, bases in _ranges(command, revisions))
    return len(revisions) == 2 and _is_certain_of_two(command, names, Sha(revisions[0]), Sha(revisions[1]), history)


def _is_certain_of_two(command: str, names: Sequence[str], first: Sha, second: Sha, history: KnownHistory) -> bool:
    if command not in ("merge-base", "merge-tree"):
        return False
    if "--is-ancestor" in names:
        return history.tells_ancestor(first, second)
    return history.tells_merge_base(first, second)


def _without_settings(arguments: Sequence[str]) -> Sequence[str]:
    words = list(arguments)
    while words[:1] == ["-c"]:
        words = words[2:]
    return words or [""]


def _is_named(word: str) -> bool:
    return all(_SHA.fullmatch(part) for part in word.removeprefix("^").split(".."))


def _ranges(command: str, revisions: Sequence[str]) -> list[tuple[list[Sha], list[Sha]]]:
    """Return tips and what is excluded: of all revisions together, or of each range that is compared."""
    if command == "range-diff":
        return [(tips, bases) for word in revisions for tips, bases in _ranges("log", [word])]
    tips: list[Sha] = []
    bases: list[Sha] = []
    for word in revisions:
        base, dots, tip = word.partition("..")
        if dots:
            tips.append(Sha(tip))
            bases.append(Sha(base))
        elif word.startswith("^"):
            bases.append(Sha(word[1:]))
        else:
            tips.append(Sha(word))
    return [(tips, bases)]

"""The targets of a command, against the branches that exist.

Owns patterns, their order and the nearest name of what is not there. Pure: the branches are given.
"""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from bot.branch_names import is_glob, matches_glob, split_target
from bot.commands import ALL, AUTO
from bot.config import Config
from bot.errors import CommandError

_NEAREST = 3
_PRE_RELEASE = ("dev", "a", "alpha", "b", "beta", "c", "pre", "preview", "rc")


@dataclass(frozen=True, slots=True)
class UnknownTarget:
    """A target that no branch answers to, with the names that come nearest."""

    name: str
    nearest: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedTargets:
    """The branches meant, each once, and what was asked for and is not there."""

    branches: tuple[str, ...]
    unknown: tuple[UnknownTarget, ...] = ()


def resolve_targets(targets: Sequence[str], branches: Iterable[str], config: Config) -> ResolvedTargets:
    """Find the branches that names, globs, `all` and `auto` stand for.

    Named branches come in the order asked; those that a pattern finds come newest version first. A pattern never finds
    the bot's own backport branches; a name does. `auto` is all stable branches: which of them are affected is not
    known here.

    Raises:
        CommandError: more branches than the configuration's `max_targets`.
    """
    existing = tuple(branches)
    found: dict[str, None] = {}
    unknown: list[UnknownTarget] = []
    for target in targets:
        meant = _meant(target, existing, config)
        found.update(dict.fromkeys(meant))
        if not meant:
            unknown.append(UnknownTarget(target, _nearest(target, existing, config)))
    _limit(len(found), config)
    return ResolvedTargets(branches=tuple(found), unknown=tuple(unknown))


def stable_branches(branches: Iterable[str], config: Config) -> list[str]:
    """Return the branches that the configuration calls stable, newest version first, however many there are."""
    return matching_branches(config.branches, tuple(branches), config)


def newest_first(branches: Iterable[str]) -> list[str]:
    """Sort branch names by the versions in them: `v0.5.12.post1`, `v0.5.12`, `v0.5.12rc1`, `v0.5.9`."""
    return sorted(branches, key=_version_key, reverse=True)


def _meant(target: str, existing: Sequence[str], config: Config) -> Sequence[str]:
    if target in (ALL, AUTO):
        others = [f"{other.repository}:{pattern}" for other in config.elsewhere for pattern in other.branches]
        return matching_branches([*config.branches, *others], existing, config)
    if is_glob(target):
        return matching_branches([target], existing, config)
    return [target] if target in existing else []


def matching_branches(patterns: Sequence[str], existing: Iterable[str], config: Config) -> list[str]:
    """Return the branches that globs find, newest version first, without the bot's own backport branches."""
    own = config.branch_name.partition("{")[0]
    candidates = [name for name in existing if not (own and split_target(name)[1].startswith(own))]
    return newest_first(name for name in candidates if any(matches_glob(pattern, name) for pattern in patterns))


def _version_key(name: str) -> tuple[tuple[int, int, str], ...]:
    pieces = re.findall(r"\d+|[a-z]+", name.casefold())
    return (*map(_piece_key, pieces), (1, 0, ""))


def _piece_key(piece: str) -> tuple[int, int, str]:
    # The end of a name sorts as (1, 0, ""): after a pre-release word, before anything else that follows.
    if piece.isdecimal():
        return 3, int(piece), ""
    return (0, 0, piece) if piece in _PRE_RELEASE else (2, 0, piece)


def _nearest(target: str, existing: Sequence[str], config: Config) -> tuple[str, ...]:
    if target in (ALL, AUTO):
        return ()
    close: Callable[[Sequence[str]], list[str]] = functools.partial(
        difflib.get_close_matches, target, n=_NEAREST, cutoff=0.5
    )
    return tuple(close(matching_branches(config.branches, existing, config)) or close(existing))


def _limit(count: int, config: Config) -> None:
    if count > config.max_targets:
        raise CommandError(
            f"The command means {count} branches, more than the {config.max_targets} that `max_targets` allows. "
            "Nothing was started.",
            hint="Name fewer branches, or use a narrower pattern.",
        )

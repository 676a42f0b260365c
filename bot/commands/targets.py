"""The targets of a command, against the branches that exist.

Owns patterns, their order and the nearest name of what is not there. Pure: the branches are given.
"""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from bot.commands.parser import ALL, AUTO
from bot.config import Config
from bot.errors import CommandError
from bot.text.branch_names import is_glob, matches_glob, slug, split_target

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

    Named branches come in the order asked; those that a pattern finds come newest version first. A pattern finds stable
    branches alone, and never the bot's own backport branches; a name finds any. `auto` is all stable branches: which of
    them are affected is not known here.

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
    if target not in (ALL, AUTO) and not is_glob(target):
        return [target] if target in existing else []
    others = [f"{other.repository}:{pattern}" for other in config.elsewhere for pattern in other.branches]
    stable = matching_branches([*config.branches, *others], existing, config)
    return stable if target in (ALL, AUTO) else [name for name in stable if matches_glob(target, name)]


def matching_branches(patterns: Sequence[str], existing: Iterable[str], config: Config) -> list[str]:
    """Return the branches that globs find, newest version first, without the bot's own backport branches."""
    names = tuple(existing)
    matching = [name for name in names if any(matches_glob(pattern, name) for pattern in patterns)]
    own = own_branches(matching, names, config)
    return newest_first(name for name in matching if name not in own)


def own_branches(candidates: Iterable[str], existing: Iterable[str], config: Config) -> set[str]:
    """Return those of the names that the configured template gives to a backport to one of the existing branches.

    The template may begin, or end, as a stable branch does: that alone makes no branch the bot's.
    """
    branches = {split_target(name)[1] for name in existing}
    targets = branches | {slug(name) for name in branches}
    shape = re.compile("".join(map(_piece_pattern, re.split(r"(\{[a-z_]+\})", config.branch_name))))
    return {
        name
        for name in candidates
        if (found := shape.fullmatch(split_target(name)[1])) and targets.issuperset(found.groups())
    }


def _piece_pattern(piece: str) -> str:
    if piece == "{number}":
        return r"[0-9]{1,10}"
    # A digest sets apart the branches of two targets whose slugs are one.
    return r"(.+?)(?:-[0-9a-f]{8})?" if piece in ("{target}", "{target_slug}") else re.escape(piece)


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

"""Resolves the targets of a command to branches: names, globs, `all` and `auto`.

The caller gives the branches of the repository. A target that matches none comes with the nearest names.
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
from bot.models import Target
from bot.text.branch_names import is_glob, matches_glob, slug

_NEAREST = 3
_PRE_RELEASE = ("dev", "a", "alpha", "b", "beta", "c", "pre", "preview", "rc")


@dataclass(frozen=True, slots=True)
class UnknownTarget:
    """A target that matches no branch, with the nearest names."""

    name: str
    nearest: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedTargets:
    """The targets that a command means, by name and each once, and those that match no branch."""

    names: tuple[str, ...]
    unknown: tuple[UnknownTarget, ...] = ()


def resolve_targets(targets: Sequence[str], branches: Iterable[str], config: Config) -> ResolvedTargets:
    """Find the branches that names, globs, `all` and `auto` stand for.

    Named branches come in the order of the command, those of a pattern newest version first. A pattern matches only
    stable branches, and never the bot's own backport branches; a name matches any branch. `auto` gives all stable
    branches: the caller finds out which of them are affected.

    Raises:
        CommandError: more branches than the configuration's `max_targets`.
    """
    names = tuple(branches)
    matched_names: dict[str, None] = {}
    unknown: list[UnknownTarget] = []
    for target in targets:
        matches = _matches(target, names, config)
        matched_names.update(dict.fromkeys(matches))
        if not matches:
            unknown.append(UnknownTarget(target, _nearest(target, names, config)))
    _limit(len(matched_names), config)
    return ResolvedTargets(names=tuple(matched_names), unknown=tuple(unknown))


def stable_branches(branches: Iterable[str], config: Config) -> list[str]:
    """Return the branches that the configuration calls stable, newest version first, without a limit."""
    return matching_branches(config.branches, tuple(branches), config)


def newest_first(branches: Iterable[str]) -> list[str]:
    """Sort branch names by the versions in them: `v0.5.12.post1`, `v0.5.12`, `v0.5.12rc1`, `v0.5.9`."""
    return sorted(branches, key=_version_key, reverse=True)


def _matches(target: str, names: Sequence[str], config: Config) -> Sequence[str]:
    if target not in (ALL, AUTO) and not is_glob(target):
        return [target] if target in names else []
    foreign = [f"{entry.repository}:{pattern}" for entry in config.elsewhere for pattern in entry.branches]
    stable = matching_branches([*config.branches, *foreign], names, config)
    return stable if target in (ALL, AUTO) else [name for name in stable if matches_glob(target, name)]


def matching_branches(patterns: Sequence[str], branches: Iterable[str], config: Config) -> list[str]:
    """Return the branches that match globs, newest version first, without the bot's own backport branches."""
    names = tuple(branches)
    candidates = [name for name in names if any(matches_glob(pattern, name) for pattern in patterns)]
    backports = own_branches(candidates, names, config)
    return newest_first(name for name in candidates if name not in backports)


def own_branches(candidates: Iterable[str], branches: Iterable[str], config: Config) -> set[str]:
    """Return those candidates that the configured template gives to a backport to one of the branches.

    The template may begin or end like a stable branch; that alone does not make a branch the bot's.
    """
    names = {Target.parse(name).branch for name in branches}
    targets = names | {slug(name) for name in names}
    shape = re.compile("".join(map(_piece_pattern, re.split(r"(\{[a-z_]+\})", config.branch_name))))
    return {
        name
        for name in candidates
        if (match := shape.fullmatch(Target.parse(name).branch)) and targets.issuperset(match.groups())
    }


def _piece_pattern(piece: str) -> str:
    if piece == "{number}":
        return r"[0-9]{1,10}"
    # A digest distinguishes the branches of two targets with the same slug.
    return r"(.+?)(?:-[0-9a-f]{8})?" if piece in ("{target}", "{target_slug}") else re.escape(piece)


def _version_key(name: str) -> tuple[tuple[int, int, str], ...]:
    pieces = re.findall(r"\d+|[a-z]+", name.casefold())
    return (*map(_piece_key, pieces), (1, 0, ""))


def _piece_key(piece: str) -> tuple[int, int, str]:
    # The end of a name sorts as (1, 0, ""): after a pre-release word, before anything else that follows.
    if piece.isdecimal():
        return 3, int(piece), ""
    return (0, 0, piece) if piece in _PRE_RELEASE else (2, 0, piece)


def _nearest(target: str, names: Sequence[str], config: Config) -> tuple[str, ...]:
    if target in (ALL, AUTO):
        return ()
    close: Callable[[Sequence[str]], list[str]] = functools.partial(
        difflib.get_close_matches, target, n=_NEAREST, cutoff=0.5
    )
    return tuple(close(matching_branches(config.branches, names, config)) or close(names))


def _limit(count: int, config: Config) -> None:
    if count > config.max_targets:
        raise CommandError(
            f"The command matches {count} branches, more than the {config.max_targets} that `max_targets` allows. "
            "Nothing was started.",
            hint="Name fewer branches, or use a narrower pattern.",
        )

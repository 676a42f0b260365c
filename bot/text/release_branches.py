"""Recognizes release branches by their names, and finds the globs that match them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from bot.text.branch_names import matches_glob

# A version with a dot or an x in it, or a word for release branches with any number.
_RELEASE = re.compile(
    r"""
    (?:[\w-]+[/_-])? v?\d+(?:[._-]\d+)*[._-](?:\d+|x)
  | (?:[\w.]+[/_-])? (?:v|rel|release|releases|stable|maint|maintenance|support|branch|lts)[/_-]?v?\d[\w.]*
  | v?\d[\d._-]*-(?:stable|maint|lts)
    """,
    re.IGNORECASE | re.VERBOSE,
)
# The branch of one pull request: its commits have not landed, and the release branch gets the same ones a little later.
_OF_ONE_PICK = re.compile(r"(?:^|[/_-])(?:back-?ports?|cherry-?picks?|reverts?)[/_-]", re.IGNORECASE)


def looks_like_release(name: str) -> bool:
    """Return whether a branch name looks like that of a release branch."""
    return _RELEASE.fullmatch(name) is not None and not _OF_ONE_PICK.search(name)


def release_globs(names: Collection[str]) -> tuple[str, ...]:
    """Return globs that match the release branches among all branches of a repository, and no other branch.

    A branch that no such glob matches is given by its name. The glob of most branches comes first.
    """
    releases = {name for name in names if looks_like_release(name)}
    others = set(names) - releases
    globs: dict[str, int] = {}
    for name in sorted(releases):
        glob = _glob_of(name)
        key = name if any(matches_glob(glob, other) for other in others) else glob
        globs[key] = globs.get(key, 0) + 1
    return tuple(sorted(globs, key=lambda glob: -globs[glob]))


def _glob_of(name: str) -> str:
    """Return the part before a name's first digit with a `*` behind it: `release/v*` for `release/v0.5.12`.

    A name that begins with its version gives a set of digits, as `*` alone would match each branch.
    """
    folder, slash, last = name.rpartition("/")
    prefix = re.match(r"\D*", last)
    start = prefix.group() if prefix else ""
    return f"{folder}{slash}{start}*" if start or slash else "[0-9]*"


def count_matches(globs: Iterable[str], names: Collection[str]) -> int:
    """Return how many branches at least one of the globs matches."""
    patterns = tuple(globs)
    return sum(any(matches_glob(glob, name) for glob in patterns) for name in names)

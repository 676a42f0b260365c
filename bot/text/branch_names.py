"""Validates branch names, matches them against globs, and turns a name into a part of another one.

The rules are git's rules for ref names, in pure Python, and a few of our own. Nothing here looks into a repository.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from fnmatch import fnmatchcase

from bot.text.globs import match_parts

MAX_NAME_BYTES = 200
"""Of one name. A file system takes 255 bytes per ref component; the bot's prefix and `.lock` must still fit."""

_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_GLOB = re.compile(r"[*?\[]")
_GIT_FORBIDDEN = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]")
_LOSSLESS = re.compile(r"[A-Za-z0-9._/-]+")


def is_glob(text: str) -> bool:
    """Return whether a target is a pattern. git forbids these characters in names, so no name is a pattern."""
    return _GLOB.search(text) is not None


def matches_glob(pattern: str, name: str) -> bool:
    """Match a branch name: `*` stops at a slash, `**` alone takes any number of parts, brackets hold a set."""
    return match_parts(pattern, name, lambda part, text: fnmatchcase(text, part))


def name_problem(name: str) -> str | None:
    """Return what is wrong with a branch name, or None if git takes it and a person can read it.

    The rules are those of git-check-ref-format(1) for `--branch`. In addition a name has no invisible or
    direction-changing characters and at most MAX_NAME_BYTES.
    """
    if not name:
        return "is empty"
    if len(name.encode("utf-8", "surrogatepass")) > MAX_NAME_BYTES:
        return f"is longer than {MAX_NAME_BYTES} bytes"
    return _character_problem(name) or _structure_problem(name)


def pattern_problem(pattern: str) -> str | None:
    """Return what is wrong with a glob over branch names, or None.

    A pattern is validated like the shortest name that it matches: each wildcard stands for one plain letter.
    """
    # No bracket within brackets: otherwise each bracket that never closes would search the whole rest of the text.
    plain = re.sub(r"\[[^\[\]/]*\]|[*?\[\]]", "x", pattern)
    return name_problem(plain)


def slug(branch: str) -> str:
    """Write a branch name as one path component: `release/v0.5.12` becomes `release-v0.5.12`.

    A name with other characters than letters, digits, `.`, `_`, `-` and `/` gets a short digest of itself at its end,
    so two such names do not share a slug.
    """
    flat = re.sub(r"[^A-Za-z0-9._-]+", "-", branch).strip("-.") or "branch"
    if _LOSSLESS.fullmatch(branch) and len(flat) <= MAX_NAME_BYTES // 2:
        return flat
    digest = hashlib.sha256(branch.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{flat[: MAX_NAME_BYTES // 2]}-{digest}"


def _character_problem(name: str) -> str | None:
    for character in name:
        if character in _BIDI or unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}:
            return f"contains the invisible character U+{ord(character):04X}"
        if character.isspace():
            return "contains a space"
    match = _GIT_FORBIDDEN.search(name)
    return f"contains `{match.group()}`, which git forbids in a branch name" if match else None


def _structure_problem(name: str) -> str | None:
    parts = name.split("/")
    checks = (
        (name.startswith("-"), "starts with a dash"),
        (name in {"@", "HEAD"}, "is a word that git keeps for itself"),
        (".." in name, "contains `..`"),
        ("@{" in name, "contains `@{`"),
        (name.endswith("."), "ends with a dot"),
        ("" in parts, "has an empty part between slashes"),
        (any(part.startswith(".") for part in parts), "has a part that starts with a dot"),
        (any(part.endswith(".lock") for part in parts), "has a part that ends with `.lock`"),
    )
    return next((problem for has_problem, problem in checks if has_problem), None)

"""How a commit says that it is a backport, and of what: the ways that people and the common bots write it.

Owns the words. Whether what is named exists, and where, is not known here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.git.message import picked_from

_SHA = r"([0-9a-f]{7,64})"
# patchback writes both: the title while the pull request is open, the sentence into its body.
_PATCHBACK_TITLE = re.compile(rf"\[PR #\d+/{_SHA} backport\]")
_PATCHBACK_BODY = re.compile(rf"\bbackport of PR #\d+ as merged into \S+\s+\({_SHA}\)", re.IGNORECASE)
_MERGED_BRANCH = re.compile(r"^Merge pull request #\d+ from \S+?[/:](\S+)")
_NUMBER_IN_BRANCH = re.compile(
    r"(?:auto-backport-of-pr-(\d+)-on-|cherry-pick-(\d+)-to-|(?:^|[/_-])backport-(?:pr-|of-)?(\d+)(?![\d.]))"
)
_NUMBER_SAID = re.compile(r"\bbackport(?:ed|ing)?\s+(?:of\s+)?(?:PR|pull request)?\s*#(\d+)", re.IGNORECASE)
_OWN_NUMBER = re.compile(r"\(#(\d+)\)\s*$")
_MERGED_NUMBER = re.compile(r"^Merge pull request #(\d+) ")


@dataclass(frozen=True, slots=True)
class Naming:
    """What a message names as its originals: commits as written, or pull requests; and by which rule that was read."""

    rule: str
    commits: frozenset[str] = frozenset()
    numbers: frozenset[int] = frozenset()


def read_naming(message: str, *, is_merge: bool) -> Naming | None:
    """Read which originals a message names; None for a commit that does not say it is a backport."""
    title = message.partition("\n")[0]
    commits = {*picked_from(message), *_PATCHBACK_TITLE.findall(title), *_PATCHBACK_BODY.findall(message)}
    if commits:
        return Naming("commit", commits=_without_prefixes(commits))
    merged = _MERGED_BRANCH.match(title) if is_merge else None
    in_branch = {int(next(filter(None, found))) for found in _NUMBER_IN_BRANCH.findall(merged[1])} if merged else set()
    if in_branch:
        return Naming("merge", numbers=frozenset(in_branch))
    said = {int(number) for number in _NUMBER_SAID.findall(message)}
    return Naming("number", numbers=frozenset(said)) if said else None


def own_number(title: str) -> int | None:
    """Return the pull request that a commit on the main line came from, as GitHub writes it into titles."""
    found = _MERGED_NUMBER.match(title) or _OWN_NUMBER.search(title)
    return int(found[1]) if found else None


def _without_prefixes(commits: set[str]) -> frozenset[str]:
    # One message often names one commit twice, once abbreviated.
    return frozenset(each for each in commits if not any(other != each and other.startswith(each) for other in commits))

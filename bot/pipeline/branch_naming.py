"""The backport branch of an original for a target branch: one that no other backport has.

Owns which of two names it is. The plain one fills the configuration's template; where another backport has that as
well (`release/1.2` and `release-1.2` both fill it as `release-1.2`), a digest of the target's own name sets it apart.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from bot.errors import BackportError
from bot.models import PullRequest
from bot.pipeline.context import Workplace
from bot.pipeline.recognize_backport import is_backport_of
from bot.pipeline.repositories import place_of


def find_pull_requests(branch: str, original: PullRequest, at: Workplace) -> tuple[PullRequest, ...]:
    """Return the pull requests into a branch from either name that backport the original, newest first."""
    plain = _plain_name(branch, original, at)
    listed = (
        pull
        for head in (plain, _set_apart(plain, branch, at))
        for pull in at.github.backport_pull_requests(head, branch)
        if is_backport_of(pull, branch, original, at)
    )
    return tuple(sorted(listed, key=lambda pull: -pull.number))


def name_backport_branch(branch: str, original: PullRequest, existing: Iterable[str], at: Workplace) -> str:
    """Return the backport branch to push to; `existing` are the branches of the target's repository.

    A backport that is open keeps its branch, whatever branches were made since.
    """
    plain = _plain_name(branch, original, at)
    from_plain = at.github.backport_pull_requests(plain, branch)
    ours = [pull for pull in from_plain if is_backport_of(pull, branch, original, at)]
    if any(pull.state == "open" for pull in ours):
        return plain
    others = (_plain_name(other, original, at) for other in existing if other != branch)
    # A file system may take two names for one that differ only in case.
    is_shared = any(other.casefold() == plain.casefold() for other in others)
    is_taken = len(ours) < len(from_plain)
    return _set_apart(plain, branch, at) if is_shared or is_taken else plain


def name_for_recipe(target: str, original: PullRequest, at: Workplace) -> str:
    """Return the backport branch that a person is told to push to, wherever the target is; the plain name at worst."""
    try:
        there, branch = place_of(target, at)
        return name_backport_branch(branch, original, there.mirror.branches(), there)
    except BackportError:
        return at.config.backport_branch(original.number, target)


def _plain_name(branch: str, original: PullRequest, at: Workplace) -> str:
    return at.config.backport_branch(original.number, branch)


def _set_apart(plain: str, branch: str, at: Workplace) -> str:
    origin = f"{at.config.repository}:" if at.home is not None else ""
    digest = hashlib.sha256(f"{origin}{branch}".encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{plain}-{digest}"

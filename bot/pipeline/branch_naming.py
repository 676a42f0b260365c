"""The backport branch of an original for a target branch: one that no other backport has.

The plain name fills the configuration's template. If another backport has the same one (`release/1.2` and `release-1.2`
both fill it as `release-1.2`), a digest of the target's name is added.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from bot.errors import BackportError
from bot.models import PullRequest, Target
from bot.pipeline.context import RepositoryContext
from bot.pipeline.recognize_backport import is_backport_of
from bot.pipeline.target_repository import resolve_repository


def possible_names(branch: str, original: PullRequest, context: RepositoryContext) -> tuple[str, str]:
    """Return both names that a backport branch may have."""
    plain = _plain_name(branch, original, context)
    return plain, _set_apart(plain, branch, context)


def name_backport_branch(
    branch: str,
    original: PullRequest,
    branches: Iterable[str],
    pull_requests: Iterable[PullRequest],
    context: RepositoryContext,
) -> str:
    """Return the backport branch to push to; `branches` are those of the target's repository.

    `pull_requests` are those from `possible_names` into the target branch. A backport that is open keeps its branch,
    whatever branches were made since.
    """
    plain = _plain_name(branch, original, context)
    from_plain = [pull for pull in pull_requests if pull.head == plain]
    ours = [pull for pull in from_plain if is_backport_of(pull, branch, original, context)]
    if any(pull.state == "open" for pull in ours):
        return plain
    other_names = (_plain_name(name, original, context) for name in branches if name != branch)
    # A file system may take two names for one that differ only in case.
    is_shared = any(name.casefold() == plain.casefold() for name in other_names)
    is_taken = len(ours) < len(from_plain)
    return _set_apart(plain, branch, context) if is_shared or is_taken else plain


def name_for_recipe(target: str, original: PullRequest, context: RepositoryContext) -> str:
    """Return the backport branch for the manual steps, wherever the target is; the plain name if it cannot be found."""
    try:
        repository = resolve_repository(Target.parse(target), context)
        branch = Target.parse(target).branch
        pull_requests = repository.github.backport_pull_requests(possible_names(branch, original, repository), branch)
        return name_backport_branch(branch, original, repository.mirror.branches(), pull_requests, repository)
    except BackportError:
        return context.config.backport_branch(original.number, target)


def _plain_name(branch: str, original: PullRequest, context: RepositoryContext) -> str:
    return context.config.backport_branch(original.number, branch)


def _set_apart(plain: str, branch: str, context: RepositoryContext) -> str:
    origin = f"{context.config.repository}:" if context.home is not None else ""
    digest = hashlib.sha256(f"{origin}{branch}".encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{plain}-{digest}"

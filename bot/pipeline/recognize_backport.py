"""Checks that a pull request from a backport branch really is the backport that its name says.

Everybody with write access can push a branch of that name and open a pull request from it. What the bot's own account
opened is ours. For any other account the commits decide, so a backport that a person finished by hand counts as well.
"""

from __future__ import annotations

import logging

from bot.errors import FetchFailed
from bot.models import PullRequest, Sha
from bot.pipeline.context import RepositoryContext
from bot.text.logins import is_shared, same_login
from bot.text.markers import parse_pull_request_marker

log = logging.getLogger(__name__)

_MAX_COMMITS = 250
"""Commits of an original that are looked for; GitHub shows no more of a pull request."""


def is_backport_of(pull: PullRequest, branch: str, original: PullRequest, context: RepositoryContext) -> bool:
    """Say whether a pull request into a target branch backports the original."""
    key = parse_pull_request_marker(pull.body)
    if key is not None and key.repository.casefold() != context.config.repository.casefold():
        # Another repository's original has the same number.
        return False
    is_ours = same_login(pull.author, context.github.login) and (key is not None or not is_shared(context.github.login))
    return is_ours or _holds_pick(pull, branch, original, context)


def _holds_pick(pull: PullRequest, branch: str, original: PullRequest, context: RepositoryContext) -> bool:
    """Say whether a commit of the pull request names one of the original's as the one that it was picked from."""
    base = pull.merge_commit or context.mirror.branches().get(branch)
    if base is None or original.merge_commit is None:
        return False
    try:
        context.mirror.fetch([base, pull.head_sha, original.merge_commit])
    except FetchFailed as error:
        log.warning("#%d cannot be looked at, so it is not taken for a backport: %s", pull.number, error)
        return False
    # After the merge the base branch has these commits too; its first parent does not.
    exclusion = f"{base}^1" if pull.merge_commit else base
    patterns = [
        f"--grep=(cherry picked from commit {commit})" for commit in _commits_of(original.merge_commit, context)
    ]
    command = ("log", "--max-count=1", "--format=%H", "--fixed-strings", *patterns, pull.head_sha, f"^{exclusion}")
    return bool(context.mirror.git.text(*command).strip())


def _commits_of(merge_commit: Sha, context: RepositoryContext) -> list[str]:
    first_parent = [f"^{parent}" for parent in context.mirror.commit(merge_commit).parents[:1]]
    return context.mirror.git.text("rev-list", f"--max-count={_MAX_COMMITS}", merge_commit, *first_parent).split()

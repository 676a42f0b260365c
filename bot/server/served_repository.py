"""Checks that a delivery is about the served repository, also after that was renamed or moved.

GitHub redirects an old name in its API and in git, but its webhooks have the new name at once:
https://docs.github.com/en/repositories/creating-and-managing-repositories/renaming-a-repository
"""

from __future__ import annotations

import logging

from bot.pipeline.context import RepositoryContext

log = logging.getLogger(__name__)


class Naming:
    """Knows the names of the served repository. Tells of a new one, and of each repository that is not served, once.

    It may be used from several threads, each with a context of its own of the same repository.
    """

    def __init__(self) -> None:
        self._told_names: set[str] = set()

    def means_ours(self, name: str, repository_id: int | None, context: RepositoryContext) -> bool:
        """Say whether the repository of a delivery is the one that is served.

        Raises:
            GitHubError: GitHub had to be asked and does not answer.
        """
        if self._is_ours(name, context):
            return True
        if repository_id is None or repository_id == context.github.repository_id:
            context.github.refresh()
            context.mirror.follow(context.github.clone_url)
        if self._is_ours(name, context):
            return True
        if self._tells_first(name):
            log.warning(
                "A delivery about %s was left alone: this service is for %s. Take its webhook away there, or start "
                "another service for it.",
                name,
                context.github.repository,
            )
        return False

    def _is_ours(self, name: str, context: RepositoryContext) -> bool:
        present_name = context.github.repository
        configured_name = context.config.repository
        if present_name.casefold() != configured_name.casefold() and self._tells_first(present_name):
            context.progress(
                f"{configured_name} is called {present_name} now and is served under both names. "
                "Correct `repository` in backport.yaml."
            )
        return name.casefold() in (present_name.casefold(), configured_name.casefold())

    def _tells_first(self, name: str) -> bool:
        is_first = name not in self._told_names
        self._told_names.add(name)
        return is_first

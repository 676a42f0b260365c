"""Checks that a delivery is about the served repository, also after that was renamed or moved.

GitHub redirects an old name in its API and in git, but its webhooks have the new name at once:
https://docs.github.com/en/repositories/creating-and-managing-repositories/renaming-a-repository
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from bot.pipeline.context import RepositoryContext

log = logging.getLogger(__name__)


class Naming:
    """Knows the names of the served repository. Tells of a new one, and of each repository that is not served, once."""

    def __init__(self, context: RepositoryContext) -> None:
        self._context = context
        self._ours = {context.config.repository.casefold()}
        self._other_names: set[str] = set()
        self._learn()

    def means_ours(self, name: str, payload: Mapping[str, Any]) -> bool:
        """Say whether the repository of a delivery is the one that is served.

        Raises:
            GitHubError: GitHub had to be asked and does not answer.
        """
        if name.casefold() in self._ours:
            return True
        if self._may_be_ours(payload):
            self._context.github.refresh()
            self._context.mirror.follow(self._context.github.clone_url)
            self._learn()
        if name.casefold() not in self._ours and name not in self._other_names:
            self._other_names.add(name)
            log.warning(
                "A delivery about %s was left alone: this service is for %s. Take its webhook away there, or start "
                "another service for it.",
                name,
                self._context.github.repository,
            )
        return name.casefold() in self._ours

    def _may_be_ours(self, payload: Mapping[str, Any]) -> bool:
        repository = payload.get("repository")
        repository_id = repository.get("id") if isinstance(repository, Mapping) else None
        return repository_id is None or repository_id == self._context.github.repository_id

    def _learn(self) -> None:
        name = self._context.github.repository
        if name.casefold() in self._ours:
            return
        self._ours.add(name.casefold())
        self._context.progress(
            f"{self._context.config.repository} is called {name} now and is served under both names. "
            "Correct `repository` in backport.yaml."
        )

"""The fork that backport branches are pushed to, if that is not the repository itself."""

from __future__ import annotations

from dataclasses import dataclass

from github.Repository import Repository as PyGithubRepository


@dataclass(frozen=True, slots=True)
class Fork:
    """A fork of the repository. `can_modify`: whoever may push to the base branch may push to the backport branch."""

    repository: PyGithubRepository
    can_modify: bool

    def qualify(self, branch: str) -> str:
        """Return a branch of the fork as GitHub names the head of a pull request."""
        return f"{self.repository.owner.login}:{branch}"

    def is_of(self, repository: PyGithubRepository) -> bool:
        """Return whether it is a fork of a repository, so that GitHub opens pull requests between the two."""
        origins = (self.repository.parent, self.repository.source) if self.repository.fork else ()
        return any(origin is not None and origin.id == repository.id for origin in origins)

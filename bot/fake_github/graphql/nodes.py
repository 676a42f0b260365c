"""Finding a thing by its node id, for people who may see it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator

from bot.fake_github.accounts import Level, Token
from bot.fake_github.api import access
from bot.fake_github.conversation import Comment, Issue, Pull, ReviewComment
from bot.fake_github.graphql.paging import refused
from bot.fake_github.state import Repository
from bot.fake_github.world import World


class Nodes:
    """What a token can reach by node id. Raises GraphQL errors as GitHub words them."""

    def __init__(self, world: World, token: Token) -> None:
        self.world = world
        self.token = token

    def level(self, repository: Repository) -> Level:
        """Return the caller's access."""
        return access(self.token, repository)

    def _issues(self) -> Iterator[tuple[Repository, Issue]]:
        for repository in self.world.repositories.values():
            if self.level(repository) >= Level.READ:
                yield from ((repository, issue) for issue in repository.issues.values())

    def pull(self, node: str) -> tuple[Repository, Issue, Pull]:
        """Find a pull request."""
        for repository, issue in self._issues():
            if issue.pull and decoded(node) == ("PR", issue.pull.id):
                return repository, issue, issue.pull
        raise unknown(node)

    def thread(self, node: str) -> tuple[Repository, Issue, ReviewComment]:
        """Find a review thread by its first comment."""
        for repository, issue in self._issues():
            for one in issue.pull.review_comments if issue.pull else []:
                if decoded(node) == ("PRRT", one.id):
                    return repository, issue, one
        raise unknown(node)

    def comment(self, node: str) -> tuple[Repository, Issue, Comment]:
        """Find a comment of a conversation."""
        for repository, issue in self._issues():
            for one in issue.comments:
                if decoded(node) == ("IC", one.id):
                    return repository, issue, one
        raise unknown(node)

    def repository(self, node: str) -> Repository:
        """Find a repository."""
        for repository in self.world.repositories.values():
            if self.level(repository) >= Level.READ and decoded(node) == ("R", repository.id):
                return repository
        raise unknown(node)


def decoded(node: str) -> tuple[str, int]:
    """Read a node id back into kind and number; an unreadable one is of no kind."""
    try:
        text = node.partition("_")[2]
        kind, _, number = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().partition(":")
        return kind, int(number)
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return "", 0


def unknown(node: str) -> Exception:
    """Say that no node has the id."""
    return refused("NOT_FOUND", f"Could not resolve to a node with the global id of '{node}'")

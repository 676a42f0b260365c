"""Node ids → what they name, for people who may see it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator
from typing import TypeVar

from bot.fake_github.accounts import Level, Token, User
from bot.fake_github.api import access
from bot.fake_github.conversation import Comment, Issue, Label, Milestone, Pull
from bot.fake_github.github_state import World
from bot.fake_github.graphql.paging import rejection
from bot.fake_github.repository_records import Repository

RecordT = TypeVar("RecordT", User, Label, Milestone)


class Nodes:
    """What a token can reach by node id. Raises GraphQL errors as GitHub words them."""

    def __init__(self, world: World, token: Token) -> None:
        self.world = world
        self.token = token

    def level(self, repository: Repository) -> Level:
        """Return the caller's access."""
        return access(self.token, repository)

    def kind(self, node: str) -> str:
        """Return the kind that a node id begins with, e.g. PR or IC; empty for an unreadable one."""
        return _decode(node)[0]

    def pull(self, node: str) -> tuple[Repository, Issue, Pull]:
        """Find a pull request."""
        for repository, issue in self._issues():
            if issue.pull and _decode(node) == ("PR", issue.pull.id):
                return repository, issue, issue.pull
        raise _not_found(node)

    def comment(self, node: str) -> Comment:
        """Find a comment of a conversation."""
        for _, issue in self._issues():
            for comment in issue.comments:
                if _decode(node) == ("IC", comment.id):
                    return comment
        raise _not_found(node)

    def user(self, node: str) -> User:
        """Find an account."""
        return self._find(node, "U", self.world.users.values())

    def label(self, repository: Repository, node: str) -> Label:
        """Find a label of a repository."""
        return self._find(node, "LA", repository.labels.values())

    def milestone(self, repository: Repository, node: str) -> Milestone:
        """Find a milestone of a repository."""
        return self._find(node, "MI", repository.milestones.values())

    def _find(self, node: str, kind: str, records: Iterable[RecordT]) -> RecordT:
        for record in records:
            if _decode(node) == (kind, record.id):
                return record
        raise _not_found(node)

    def _issues(self) -> Iterator[tuple[Repository, Issue]]:
        for repository in self.world.repositories.values():
            if self.level(repository) >= Level.READ:
                yield from ((repository, issue) for issue in repository.issues.values())


def _decode(node: str) -> tuple[str, int]:
    """Read a node id back into kind and number; an unreadable one is of no kind."""
    try:
        text = node.partition("_")[2]
        kind, _, number = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().partition(":")
        return kind, int(number)
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return "", 0


def _not_found(node: str) -> Exception:
    return rejection("NOT_FOUND", f"Could not resolve to a node with the global id of '{node}'")

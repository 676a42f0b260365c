"""What a listing told of the bot's own comments in one conversation, so that writing does not list it again.

Only what was seen counts: of a comment that the listing lacks nothing is known.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

from bot.github.conversation_queries import ListedComment
from bot.text.logins import same_login


@dataclass(slots=True)
class OwnComments:
    """The bot's own comments, oldest first, with their bodies; and its reactions to each comment. Both are by id."""

    number: int = 0
    bodies: dict[int, str] = field(default_factory=dict)
    reactions: dict[int, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, number: int, listed_comments: Iterable[ListedComment], login: str) -> Self:
        """Read them from the listing of a conversation."""
        listed_comments = tuple(listed_comments)
        return cls(
            number,
            {
                listed.comment.id: listed.comment.body
                for listed in listed_comments
                if same_login(listed.comment.author, login)
            },
            {listed.comment.id: listed.own_reactions for listed in listed_comments},
        )

    def find(self, number: int, marker: str) -> int | None:
        """Return the oldest comment that begins with a marker; None if none was seen."""
        if number != self.number:
            return None
        return next((comment for comment, body in self.bodies.items() if body.startswith(marker)), None)

    def note(self, number: int, comment: int, body: str) -> None:
        """Remember a comment as it was written."""
        if number == self.number:
            self.bodies[comment] = body

    def may_have_reacted(self, comment: int, reaction: str) -> bool:
        """Say whether the bot may have reacted so; true if the comment was not listed."""
        return comment not in self.reactions or reaction in self.reactions[comment]

    def note_reaction(self, comment: int, reaction: str, *, instead_of: str | None) -> None:
        """Remember that the bot reacted, and took another reaction back."""
        if comment in self.reactions:
            self.reactions[comment] = self.reactions[comment] - {instead_of} | {reaction}

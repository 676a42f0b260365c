"""Stores a request in the bot's own reply until it has ended, and recognises the bot's own comments.

Everybody with write access can edit these comments. With a signing key a record counts only if it is signed for the
reply that holds it. Without a key (a workflow run has only a token) a record says only that the request has not ended;
what was asked is read from the comment or label that asked.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from bot.models import Comment
from bot.pipeline.context import RepositoryContext
from bot.pipeline.reply_keys import comment_of
from bot.text.logins import is_shared, same_login
from bot.text.markers import (
    CommandRecord,
    RecordState,
    read_command_record,
    status_key,
    status_marker,
    write_command_record,
)

LONGEST = timedelta(hours=2)
"""A request without progress for this long has crashed; one with progress is handled by another process."""


@dataclass(frozen=True, slots=True)
class Place:
    """The reply that a record belongs to: its pull request, and its key there."""

    pull_request: int
    key: str


def answer_marker(place: Place, context: RepositoryContext) -> str:
    """Return the first line of an answer. It is signed if others write in the name of the bot's account."""
    if context.signing_key is None or not is_shared(context.github.login):
        return status_marker(place.key)
    return status_marker(place.key, context.signing_key.sign(*_place_texts(place, context)))


def own_answers(comments: Iterable[Comment], number: int, context: RepositoryContext) -> Mapping[str, Comment]:
    """Return the bot's own answers on a pull request by their keys. Whoever else writes a marker is not believed."""
    answers: dict[str, Comment] = {}
    for comment in comments:
        key = _own_key(comment, number, context)
        if key is not None:
            # The oldest counts: a copy that is posted later replaces nothing.
            answers.setdefault(key, comment)
    return answers


def _own_key(comment: Comment, number: int, context: RepositoryContext) -> str | None:
    marker = status_key(comment.body)
    if marker is None or not same_login(comment.author, context.github.login):
        return None
    key, signature = marker
    # An answer comes after its comment: nobody can put one there beforehand.
    if comment.id < (comment_of(key) or 0):
        return None
    if context.signing_key is not None and is_shared(context.github.login):
        return key if context.signing_key.verify(signature, *_place_texts(Place(number, key), context)) else None
    return key


def keep(body: str, state: RecordState, command: str, requester: str, place: Place, context: RepositoryContext) -> str:
    """Let the body of an answer keep the command that it answers."""
    line = CommandRecord(
        state=state, command=command, requester=requester, recorded_at=int(time.time()), run=context.run
    )
    if context.signing_key is not None:
        line = replace(line, signature=context.signing_key.sign(*_line_texts(line, place, context)))
    return write_command_record(body, line)


def is_genuine(line: CommandRecord, place: Place, context: RepositoryContext) -> bool:
    """Say whether the bot wrote this line into this answer; without a signing key nobody can tell, and it may be."""
    return context.signing_key is None or context.signing_key.verify(line.signature, *_line_texts(line, place, context))


def is_served_elsewhere(answer: Comment, context: RepositoryContext) -> bool:
    """Return whether another run of the CI works on the request and made progress lately."""
    line = read_command_record(answer.body)
    if (
        line is None
        or line.state is not RecordState.STARTED
        or not (line.run and context.run)
        or line.run == context.run
    ):
        return False
    return answer.changed_at >= datetime.now(UTC) - LONGEST


def _place_texts(place: Place, context: RepositoryContext) -> tuple[str, ...]:
    # The number stays when somebody renames the repository.
    return (str(context.originals.repository_id), str(place.pull_request), place.key)


def _line_texts(line: CommandRecord, place: Place, context: RepositoryContext) -> tuple[str, ...]:
    texts = (line.state.value, line.requester.casefold(), line.command, str(line.recorded_at), line.run)
    return (*_place_texts(place, context), *texts)

"""Finds out whether a request was cancelled since it was made. The comments on GitHub decide.

The comments are the only record, so a cancellation also holds for a request that waits in a queue, runs on another
machine, or starts again after a crash.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable

from bot.commands.parser import NAME, Command, parse_commands
from bot.commands.verbs import Verb
from bot.errors import CommandError, GitHubError
from bot.models import Cancelled, Comment
from bot.pipeline.authorization import is_authorized
from bot.pipeline.context import RepositoryContext
from bot.pipeline.request import BackportRequest
from bot.text.comment_text import may_start_line
from bot.text.markers import is_ours

log = logging.getLogger(__name__)


def find_cancellation(
    branch: str, request: BackportRequest, comments: Iterable[Comment], context: RepositoryContext
) -> Cancelled | None:
    """Return the outcome of a target branch whose request was cancelled meanwhile, or None.

    `comments` are the original's, as they are now. A comment that cancels, by a person who may, counts for every
    comment and every label that came before it.
    """
    for comment in comments:
        if _came_after(comment, request) and _cancels(comment, context):
            return Cancelled(target=branch, by=comment.author)
    return None


class CancellationWatch:
    """A StopWhen: while a candidate is being proven, asks now and then whether its request was cancelled."""

    def __init__(
        self, branch: str, request: BackportRequest, context: RepositoryContext, *, pause: float = 15.0
    ) -> None:
        self._branch, self._request, self._context = branch, request, context
        self._pause = pause
        self._next = time.monotonic() + pause
        self._stopped = False

    def __call__(self) -> bool:
        """Return whether to stop. An error of GitHub does not stop the proof."""
        if not self._stopped and time.monotonic() >= self._next:
            self._next = time.monotonic() + self._pause
            try:
                self._stopped = self._is_cancelled()
            except GitHubError as error:
                log.warning("%s", error)
        return self._stopped

    def _is_cancelled(self) -> bool:
        comments = self._context.originals.comments(self._request.original.number)
        return find_cancellation(self._branch, self._request, comments, self._context) is not None


def _came_after(comment: Comment, request: BackportRequest) -> bool:
    if request.comment_id is not None:
        # GitHub's numbers of comments grow with time.
        return comment.id > request.comment_id
    # What cancels is unedited, so it changed last when it was written.
    return request.labelled_at is not None and comment.changed_at > request.labelled_at


def _cancels(comment: Comment, context: RepositoryContext) -> bool:
    if not comment.person or comment.is_edited or is_ours(comment.body) or not may_start_line(comment.body, NAME):
        return False
    try:
        verbs = [command.verb for command in parse_commands(comment.body)]
    except CommandError:
        return False
    # Whether it was edited costs a GraphQL request, so its text is read first.
    if Verb.CANCEL not in verbs or context.originals.was_edited(comment):
        return False
    return is_authorized(Command(verb=Verb.CANCEL), comment.author, context)

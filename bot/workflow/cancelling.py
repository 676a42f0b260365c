"""Whether a request was cancelled since it was made: asked of GitHub, where the word stands.

Owns what counts as a cancellation. Nothing is kept in a process, so it holds for a request that waits in a queue, runs
on another machine, or starts again after a crash.
"""

from __future__ import annotations

from bot.commands import Command, Verb, parse_commands
from bot.errors import CommandError
from bot.model import Cancelled, Comment
from bot.report.markers import is_ours
from bot.workflow.allowed import may
from bot.workflow.workplace import Backport, Workplace


def cancelled(branch: str, backport: Backport, at: Workplace) -> Cancelled | None:
    """Return the ending of a target branch whose request somebody has cancelled meanwhile, or None.

    A later comment that cancels, by a person who may, counts for every earlier comment. A label is taken off instead.
    """
    if backport.comment_id is None:
        return None
    for comment in at.originals.comments(backport.original.number):
        if comment.id > backport.comment_id and _cancels(comment, at):
            return Cancelled(branch=branch, by=comment.author)
    return None


def _cancels(comment: Comment, at: Workplace) -> bool:
    if not comment.person or comment.edited or is_ours(comment.body):
        return False
    try:
        verbs = [command.verb for command in parse_commands(comment.body)]
    except CommandError:
        return False
    return Verb.CANCEL in verbs and may(Command(verb=Verb.CANCEL), comment.author, at)

"""`/backport cancel`: drops the requests that wait for the merge.

A request that is under way finds the comment itself (`bot.pipeline.cancellation`).
"""

from __future__ import annotations

from bot.handlers.deferred import has_record_in, read_record_command
from bot.pipeline.command_context import CommandSource, post_reply
from bot.pipeline.context import RepositoryContext
from bot.pipeline.request_storage import own_answers
from bot.report import replies
from bot.text.markers import RecordState, read_command_record


def handle_cancel(source: CommandSource, context: RepositoryContext) -> str:
    """Drop the deferred requests of a pull request, say so in the reply to each, and return the reply to this one."""
    targets = _cancel_deferred(source.pull_request, context)
    return replies.render_cancelled(targets, template=context.config.templates.answer)


def _cancel_deferred(number: int, context: RepositoryContext) -> tuple[str, ...]:
    """Return the targets of the requests that were dropped."""
    targets: dict[str, None] = {}
    template = context.config.templates.answer
    for key, answer in own_answers(context.github.comments(number), number, context).items():
        command = (
            read_record_command(read_command_record(answer.body))
            if has_record_in(answer, RecordState.REMEMBERED)
            else None
        )
        if command is not None:
            targets.update(dict.fromkeys(command.targets))
            post_reply(replies.render_forgotten(command, template=template), CommandSource(number, "", key), context)
    return tuple(targets)

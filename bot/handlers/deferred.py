"""Requests made before the merge: the bot defers them, runs them at the merge, and drops them if they are cancelled.

A record in the bot's own reply says that a request has not ended (`bot.pipeline.request_storage`); for a label
its presence is enough. The command and its author are read again from the comment or the label. There is no other
record, so no request is lost with a machine.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta

from bot.commands.label_targets import target_of_label
from bot.commands.parser import NAME, Command, parse_commands, parse_words
from bot.commands.targets import resolve_targets
from bot.commands.triggers import CommentTrigger
from bot.errors import CommandError, RequestRejected
from bot.handlers.preflight import preflight
from bot.handlers.read_comment import read_comment
from bot.models import Comment, Conversation, LabelEvent, PullRequest, Target
from bot.pipeline.authorization import Authorizer
from bot.pipeline.command_context import CommandContext, CommandSource, RefusedCommand, post_reply
from bot.pipeline.context import RepositoryContext
from bot.pipeline.reply_keys import comment_key, label_key
from bot.pipeline.request_storage import is_genuine, is_served_elsewhere, own_answers
from bot.pipeline.target_repository import target_branches
from bot.report import replies
from bot.report.preflight import finding
from bot.text.comment_text import may_start_line
from bot.text.markers import CommandRecord, RecordState, is_ours, read_command_record

_ANSWERED = timedelta(days=1)
"""How old a comment may be whose command cannot be read, and that is answered all the same."""

CommandGroup = tuple[CommandContext | RefusedCommand, ...]
"""The commands of one comment or one label that have not ended, in their order."""


def defer(request: CommandContext, context: RepositoryContext) -> None:
    """Reply to a request on an open pull request, and keep the request in the reply."""
    body = replies.render_remembered(
        request.command, _forecast_targets(request, context), template=context.config.templates.answer
    )
    post_reply(body, request.source, context, deferred_command=request.command)


def deferred_requests(conversation: Conversation, context: RepositoryContext) -> tuple[CommandGroup, ...]:
    """Return the requests of a merged pull request that have not ended, in their order.

    These were deferred, or were started and not ended, as after a crash, or never got a reply: webhooks get lost and
    come late. A deleted comment takes its request with it; an edited one is no command.
    """
    original, comments = conversation.pull_request, conversation.comments
    replies_by_key = own_answers(comments, original.number, context)
    comment_groups = (_comment_commands(comment, replies_by_key, original, context) for comment in comments)
    label_groups = (_label_command(label, replies_by_key, original, context) for label in original.labels)
    return tuple(group for group in (*comment_groups, *label_groups) if group)


def unanswered_requests(conversation: Conversation, context: RepositoryContext) -> tuple[CommandGroup, ...]:
    """Return those that never got a reply. On an open pull request the others stay deferred."""
    replies_by_key = own_answers(conversation.comments, conversation.pull_request.number, context)
    return tuple(
        group
        for group in deferred_requests(conversation, context)
        if not any(command.source.key in replies_by_key for command in group)
    )


def requests_started_since(conversation: Conversation, moment: datetime, context: RepositoryContext) -> Collection[str]:
    """Return the keys of the replies whose request has not ended and that were edited after that moment."""
    replies_by_key = own_answers(conversation.comments, conversation.pull_request.number, context)
    return {
        key
        for key, reply in replies_by_key.items()
        if has_record_in(reply, RecordState.STARTED) and reply.changed_at >= moment
    }


def without_replied(
    requests: list[CommandContext], conversation: Conversation, context: RepositoryContext
) -> list[CommandContext]:
    """Return the commands of one trigger without those that have their reply, or that another run works on."""
    original = conversation.pull_request
    replies_by_key = own_answers(conversation.comments, original.number, context)
    return [request for request in requests if not _has_reply(request, replies_by_key, original, context)]


def label_request(
    label: str, number: int, sender: str, context: RepositoryContext, *, label_event: LabelEvent | None = None
) -> CommandContext | None:
    """Read a label as a request of the person who added it; None if it names no target.

    GitHub is asked for the `label_event` if the caller does not have it.

    Raises:
        CommandError: the label names something that cannot be a branch.
    """
    target = target_of_label(label, context.config)
    if target is None:
        return None
    label_event = label_event or context.github.last_label_event(number, label)
    # The webhook may be quicker than the history that it tells of.
    source = CommandSource(
        number, sender, label_key(target), labelled_at=label_event.labelled_at if label_event else datetime.now(UTC)
    )
    return CommandContext(source, parse_words(["to", target]))


def _has_reply(
    request: CommandContext, replies_by_key: Mapping[str, Comment], original: PullRequest, context: RepositoryContext
) -> bool:
    reply = replies_by_key.get(request.source.key)
    if reply is None or _is_newer(request.source, reply):
        return False
    record = read_command_record(reply.body)
    if record is not None and record.state is RecordState.REMEMBERED:
        return not original.merged
    return record is None or is_served_elsewhere(reply, context)


def _is_newer(source: CommandSource, reply: Comment) -> bool:
    # A label that is put on again asks again; a comment is written once.
    return source.labelled_at is not None and source.labelled_at > reply.changed_at


def _comment_commands(
    comment: Comment, replies_by_key: Mapping[str, Comment], original: PullRequest, context: RepositoryContext
) -> CommandGroup:
    root = comment_key(comment.id)
    if not comment.person or is_ours(comment.body) or root in replies_by_key:
        return ()
    bodies = {key: reply for key, reply in replies_by_key.items() if key.startswith(f"{root}-")}
    records = {key: record for key, reply in bodies.items() if (record := read_command_record(reply.body)) is not None}
    commands = {f"{root}-{index}": command for index, command in enumerate(_read_commands(comment.body))}
    keys = [key for key in {**commands, **records} if key not in bodies or key in records]
    keys = [key for key in keys if key not in bodies or not is_served_elsewhere(bodies[key], context)]
    if not keys:
        return () if bodies else _unreadable(comment, original, context)
    if context.github.was_edited(comment):
        # Its first text is lost. Without a reply nobody waits for anything.
        return tuple(
            RefusedCommand(_source(comment, key, original), replies.edited_comment()) for key in keys if key in records
        )
    return tuple(
        _check_record(_source(comment, key, original), commands.get(key), records.get(key), context) for key in keys
    )


def _unreadable(comment: Comment, original: PullRequest, context: RepositoryContext) -> CommandGroup:
    """Return the refusal of a command that cannot be read. An old one may have been for another tool."""
    is_new = comment.changed_at >= datetime.now(UTC) - _ANSWERED
    if not is_new or not may_start_line(comment.body, NAME) or context.github.was_edited(comment):
        return ()
    trigger = CommentTrigger(
        repository=context.config.repository,
        pull_request=original.number,
        comment_id=comment.id,
        author=comment.author,
        body=comment.body,
    )
    try:
        read_comment(trigger, Authorizer(comment.author, context), context)
    except RequestRejected as error:
        return (RefusedCommand(_source(comment, comment_key(comment.id), original), error),)
    return ()


def _check_record(
    source: CommandSource, command: Command | None, record: CommandRecord | None, context: RepositoryContext
) -> CommandContext | RefusedCommand:
    """Return the command as it is written now, if it agrees with the record in the reply."""
    # Everybody with write access can edit the reply, so the record alone starts nothing.
    if command is None or (record is not None and not is_genuine(record, source.place, context)):
        return RefusedCommand(source, replies.not_genuine())
    if record is not None and context.signing_key is not None and read_record_command(record) != command:
        return RefusedCommand(source, replies.edited_comment())
    return CommandContext(source, command)


def _read_commands(body: str) -> Iterator[Command]:
    if not may_start_line(body, NAME):
        return
    try:
        yield from parse_commands(body)
    except CommandError:
        return


def read_record_command(record: CommandRecord | None) -> Command | None:
    """Return the command of a record; None if there is no record, or its command cannot be parsed."""
    return next(_read_commands(record.command), None) if record is not None else None


def _label_command(
    label: str, replies_by_key: Mapping[str, Comment], original: PullRequest, context: RepositoryContext
) -> CommandGroup:
    try:
        target = target_of_label(label, context.config)
        event = context.github.last_label_event(original.number, label) if target is not None else None
        request = label_request(label, original.number, event.by, context, label_event=event) if event else None
    except CommandError:
        return ()
    if request is None:
        return ()
    reply = replies_by_key.get(request.source.key)
    if reply is None or _is_newer(request.source, reply):
        return (request,)
    record = read_command_record(reply.body)
    if record is None or is_served_elsewhere(reply, context):
        return ()
    return (_check_record(request.source, request.command, record, context),)


def _source(comment: Comment, key: str, original: PullRequest) -> CommandSource:
    return CommandSource(original.number, comment.author, key, comment.id)


def has_record_in(reply: Comment, state: RecordState) -> bool:
    """Return whether a reply has a record in this state."""
    record = read_command_record(reply.body)
    return record is not None and record.state is state


def _forecast_targets(request: CommandContext, context: RepositoryContext) -> list[tuple[str, str]]:
    """Return for each target what a backport would come to by now, or that there is no such branch."""
    targets = resolve_targets(request.command.targets, target_branches(context), context.config)
    pull_request = context.github.pull_request(request.source.pull_request)
    # A forecast has only this repository's mirror.
    local_names = [name for name in targets.names if Target.parse(name).repository is None]
    findings = {forecast.branch: finding(forecast) for forecast in preflight(pull_request, local_names, context)}
    unknown = [(target.name, replies.unknown_yet(target.nearest)) for target in targets.unknown]
    return [*unknown, *((name, findings.get(name, replies.LOOKED_AT_LATER)) for name in targets.names)]

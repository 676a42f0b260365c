"""What was asked before the merge: kept until then, done at the merge, dropped when cancelled.

Owns what is due. That a request is not done yet stands in the bot's own answer to it
(`bot.pipeline.request_storage`), or a label stands for it. What it is, and whose, is read again from the comment or the
label itself. Nothing is kept anywhere else, so nothing is lost with a machine.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime

from bot.commands.events import target_of_label
from bot.commands.parser import NAME, Command, parse_commands, parse_words
from bot.commands.targets import resolve_targets
from bot.errors import CommandError
from bot.handlers.preflight import preflight
from bot.models import Comment, Labelling, PullRequest, Target
from bot.pipeline.context import RepositoryContext
from bot.pipeline.replies import CommandContext, CommandSource, RefusedCommand, post_reply
from bot.pipeline.reply_keys import comment_key, label_key
from bot.pipeline.repositories import target_branches
from bot.pipeline.request_storage import is_genuine, is_served_elsewhere, own_answers
from bot.report import replies
from bot.report.preflight import finding
from bot.text.comment_text import may_start_line
from bot.text.markers import CommandRecord, RecordState, is_ours, read_command_record

Due = tuple[CommandContext | RefusedCommand, ...]
"""What is due of one comment or one label, in the order asked."""


def defer(request: CommandContext, context: RepositoryContext) -> None:
    """Answer a request on an open pull request, and keep it in the answer."""
    said = replies.render_remembered(
        request.command, _forecast_targets(request, context), template=context.config.templates.answer
    )
    post_reply(said, request.source, context, deferring=request.command)


def deferred_requests(original: PullRequest, context: RepositoryContext) -> tuple[Due, ...]:
    """Return what is to be done on a merged pull request, one group for each comment or label, in the order asked.

    That is what was remembered, what was started and not ended, as after a crash, and what was never answered: webhooks
    get lost and come late. A comment that was deleted takes its request with it; one that was edited is no command.
    """
    comments = context.github.comments(original.number)
    ours = own_answers(comments, original.number, context)
    written = [_of_comment(comment, ours, original, context) for comment in comments]
    labelled = [_of_label(label, ours, original, context) for label in original.labels]
    return tuple(group for group in (*written, *labelled) if group)


def unanswered_requests(original: PullRequest, context: RepositoryContext) -> tuple[Due, ...]:
    """Return of what is due only that which got no answer at all: on an open pull request the rest is remembered."""
    ours = own_answers(context.github.comments(original.number), original.number, context)
    return tuple(
        group
        for group in deferred_requests(original, context)
        if not any(request.source.key in ours for request in group)
    )


def requests_started_since(number: int, moment: datetime, context: RepositoryContext) -> Collection[str]:
    """Return the keys of the answers that something was still being done about after that moment."""
    ours = own_answers(context.github.comments(number), number, context)
    return {key for key, answer in ours.items() if is_kept(answer, RecordState.STARTED) and answer.changed >= moment}


def without_answered(requests: list[CommandContext], context: RepositoryContext) -> list[CommandContext]:
    """Leave out of the requests of one trigger those that have their answer, or that another run works on."""
    if not requests:
        return []
    number = requests[0].source.pull_request
    ours = own_answers(context.github.comments(number), number, context)
    return [request for request in requests if not _has_its_answer(request, ours, context)]


def label_request(
    label: str, number: int, sender: str, context: RepositoryContext, *, put: Labelling | None = None
) -> CommandContext | None:
    """Read a label as a request of the person who put it there; None where it names no target.

    When it was `put` there is asked of GitHub where it is not known.

    Raises:
        CommandError: what stands for the target cannot be a branch.
    """
    target = target_of_label(label, context.config.trigger_label)
    if target is None:
        return None
    put = put or context.github.last_labelling(number, label)
    # The webhook may be quicker than the history that it tells of.
    source = CommandSource(number, sender, label_key(target), labelled_at=put.at if put else datetime.now(UTC))
    return CommandContext(source, parse_words(["to", target]))


def _has_its_answer(request: CommandContext, ours: Mapping[str, Comment], context: RepositoryContext) -> bool:
    answer = ours.get(request.source.key)
    if answer is None or _is_newer(request.source, answer):
        return False
    line = read_command_record(answer.body)
    if line is not None and line.state is RecordState.REMEMBERED:
        return not context.github.pull_request(request.source.pull_request).merged
    return line is None or is_served_elsewhere(answer, context)


def _is_newer(source: CommandSource, answer: Comment) -> bool:
    # A label that is put on again asks again; a comment is written once.
    return source.labelled_at is not None and source.labelled_at > answer.changed


def _of_comment(
    comment: Comment, ours: Mapping[str, Comment], original: PullRequest, context: RepositoryContext
) -> Due:
    root = comment_key(comment.id)
    if not comment.person or is_ours(comment.body) or root in ours:
        return ()
    answered = {key: answer for key, answer in ours.items() if key.startswith(f"{root}-")}
    lines = {key: line for key, answer in answered.items() if (line := read_command_record(answer.body)) is not None}
    source = {f"{root}-{index}": command for index, command in enumerate(_read(comment.body))}
    keys = [key for key in {**source, **lines} if key not in answered or key in lines]
    keys = [key for key in keys if key not in answered or not is_served_elsewhere(answered[key], context)]
    if not keys:
        return ()
    if context.github.was_edited(comment):
        # Nobody knows what it said when it was written; where nothing was answered, nobody waits for anything.
        return tuple(RefusedCommand(_source(comment, key, original), replies.edited()) for key in keys if key in lines)
    return tuple(_decide(_source(comment, key, original), source.get(key), lines.get(key), context) for key in keys)


def _decide(
    source: CommandSource, command: Command | None, line: CommandRecord | None, context: RepositoryContext
) -> CommandContext | RefusedCommand:
    """Return the request as it was written, if what the answer keeps of it can be believed."""
    if command is None or (line is not None and not is_genuine(line, source.place, context)):
        return RefusedCommand(source, replies.not_genuine())
    if line is not None and context.signing is not None and read_line(line) != command:
        return RefusedCommand(source, replies.edited())
    return CommandContext(source, command)


def _read(body: str) -> Iterator[Command]:
    if not may_start_line(body, NAME):
        return
    try:
        yield from parse_commands(body)
    except CommandError:
        return


def read_line(line: CommandRecord | None) -> Command | None:
    """Return the command that an answer keeps; None where it keeps none, or one that cannot be read."""
    return next(_read(line.command), None) if line is not None else None


def _of_label(label: str, ours: Mapping[str, Comment], original: PullRequest, context: RepositoryContext) -> Due:
    target = target_of_label(label, context.config.trigger_label)
    put = context.github.last_labelling(original.number, label) if target is not None else None
    try:
        request = label_request(label, original.number, put.by, context, put=put) if put else None
    except CommandError:
        return ()
    if request is None:
        return ()
    answer = ours.get(request.source.key)
    if answer is None or _is_newer(request.source, answer):
        return (request,)
    line = read_command_record(answer.body)
    if line is None or is_served_elsewhere(answer, context):
        return ()
    return (_decide(request.source, request.command, line, context),)


def _source(comment: Comment, key: str, original: PullRequest) -> CommandSource:
    return CommandSource(original.number, comment.author, key, comment.id)


def is_kept(answer: Comment, kept: RecordState) -> bool:
    """Say whether an answer keeps a command in this way."""
    line = read_command_record(answer.body)
    return line is not None and line.state is kept


def _forecast_targets(request: CommandContext, context: RepositoryContext) -> list[tuple[str, str]]:
    """Say of each target what a backport would come to by now, or that there is no such branch."""
    resolved = resolve_targets(request.command.targets, target_branches(context), context.config)
    pull_request = context.github.pull_request(request.source.pull_request)
    here = [target for target in resolved.branches if Target.parse(target).repository is None]
    found = {each.branch: finding(each) for each in preflight(pull_request, here, context)}
    unknown = [(each.name, replies.unknown_yet(each.nearest)) for each in resolved.unknown]
    return [*unknown, *((target, found.get(target, replies.LOOKED_AT_LATER)) for target in resolved.branches)]

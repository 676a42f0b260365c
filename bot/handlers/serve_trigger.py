"""Serves a comment, a label or a merge: with a reaction, one reply for each command, and the results.

`_dispatch` names the handler of each command. `bot.report` words the replies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import assert_never

from bot.commands.parser import NAME, Command, holds_command, parse_words
from bot.commands.permissions import required_permission
from bot.commands.triggers import (
    AnyTrigger,
    ChangeTrigger,
    CommentTrigger,
    DispatchTrigger,
    LabelTrigger,
    MergeTrigger,
    Trigger,
)
from bot.commands.verbs import Verb
from bot.errors import TEMPORARY, BackportError, FetchFailed, NotYetKnown, RequestRejected
from bot.git.connection import is_denied
from bot.handlers.backport import RunTargets, handle_backport, run_targets
from bot.handlers.cancel import handle_cancel
from bot.handlers.deferred import deferred_requests, label_request, without_replied
from bot.handlers.help import handle_help
from bot.handlers.read_comment import read_comment
from bot.handlers.request_summary import RequestSummary, post_outcome_reaction
from bot.handlers.status import handle_status
from bot.models import PullRequest, TargetOutcome
from bot.pipeline.authorization import Authorizer
from bot.pipeline.command_context import CommandContext, CommandSource, RefusedCommand, post_reply, react
from bot.pipeline.conflict_drafts import recheck
from bot.pipeline.context import RepositoryContext
from bot.pipeline.reply_keys import comment_key, label_key, run_key
from bot.pipeline.unexpected_errors import as_backport_error
from bot.report import replies
from bot.text.comment_text import may_start_line


def answer(trigger: Trigger, context: RepositoryContext) -> tuple[TargetOutcome, ...]:
    """Do what a trigger asks for and return each target branch's outcome.

    Raises:
        RateLimited, Unavailable, BadCredentials, StoreUnavailable: the trigger can be handled again later.
    """
    return serve(trigger, context, run_targets).results


def serve(trigger: AnyTrigger, context: RepositoryContext, run: RunTargets) -> RequestSummary:
    """Handle a trigger, leaving the work on target branches to `run`.

    A comment without a command and a label that names no target are left alone. A request before the merge is deferred
    until the merge. Handling the same trigger again edits the same replies and opens nothing twice.

    Raises:
        RateLimited, Unavailable, BadCredentials, StoreUnavailable: the trigger can be handled again later.
    """
    if isinstance(trigger, MergeTrigger):
        groups = deferred_requests(context.github.conversation(trigger.pull_request), context)
        return sum((serve_group(group, context, run) for group in groups), RequestSummary())
    if isinstance(trigger, ChangeTrigger):
        recheck(trigger.pull_request, context)
        return RequestSummary()
    if isinstance(trigger, CommentTrigger) and not may_start_line(trigger.body, NAME):
        return RequestSummary()
    source = _source(trigger, context)
    authorizer = Authorizer(source.requester, context)
    try:
        requests = _requests(trigger, source, authorizer, context)
    except RequestRejected as error:
        return _refuse(source, error, context)
    if not requests:
        return RequestSummary()
    _acknowledge(source, context)
    conversation = context.github.conversation(source.pull_request)
    open_requests = without_replied(requests, conversation, context)
    return _serve_in_order(open_requests, _JustRead(authorizer, conversation.pull_request), context, run)


def refuse(trigger: AnyTrigger, error: BackportError, context: RepositoryContext) -> None:
    """Reply with an error that stops every request, if the comment holds a command."""
    if not isinstance(trigger, CommentTrigger):
        return
    if holds_command(trigger.body):
        _refuse(_source(trigger, context), error, context)


def _refuse(source: CommandSource, error: BackportError, context: RepositoryContext) -> RequestSummary:
    summary = _post_error(error, source, context)
    post_outcome_reaction(summary, source.comment_id, context)
    return summary


def serve_group(
    requests: Sequence[CommandContext | RefusedCommand], context: RepositoryContext, run: RunTargets
) -> RequestSummary:
    """Handle the commands of one comment or one label: react with 👀, reply to each, react with the outcome."""
    if requests:
        _acknowledge(requests[0].source, context)
    return _serve_in_order(requests, None, context, run)


@dataclass(frozen=True, slots=True)
class _JustRead:
    """What GitHub said a moment ago of the person who asks and of the pull request; it is not for later commands."""

    authorizer: Authorizer
    original: PullRequest


def _acknowledge(source: CommandSource, context: RepositoryContext) -> None:
    # The work may take an hour, and the requester should see at once that the comment was read.
    react("eyes", source, context)


def _serve_in_order(
    requests: Sequence[CommandContext | RefusedCommand],
    just_read: _JustRead | None,
    context: RepositoryContext,
    run: RunTargets,
) -> RequestSummary:
    if not requests:
        return RequestSummary()
    first, *others = requests
    summary = _handle(first, just_read, context, run)
    summary = sum((_handle(command, None, context, run) for command in others), summary)
    post_outcome_reaction(summary, first.source.comment_id, context)
    return summary


def _source(trigger: CommentTrigger | LabelTrigger | DispatchTrigger, context: RepositoryContext) -> CommandSource:
    match trigger:
        case CommentTrigger():
            return CommandSource(
                trigger.pull_request, trigger.author, comment_key(trigger.comment_id), trigger.comment_id
            )
        case LabelTrigger():
            return CommandSource(trigger.pull_request, trigger.sender, label_key(trigger.label))
        case DispatchTrigger():
            return CommandSource(
                trigger.pull_request,
                trigger.sender,
                run_key(context.run),
                labelled_at=datetime.now(UTC),
                deferrable=False,
            )
        case _:
            assert_never(trigger)


def _requests(
    trigger: CommentTrigger | LabelTrigger | DispatchTrigger,
    source: CommandSource,
    authorizer: Authorizer,
    context: RepositoryContext,
) -> list[CommandContext]:
    if isinstance(trigger, DispatchTrigger):
        # Before the words are read: an account without the permission is told nothing else.
        _check_permission(Command(verb=Verb.BACKPORT), trigger.sender, authorizer, context)
        return [CommandContext(source, parse_words(["to", *trigger.words] if trigger.words else []))]
    if isinstance(trigger, LabelTrigger):
        request = label_request(trigger.label, trigger.pull_request, trigger.sender, context)
        return [request] if request else []
    commands = read_comment(trigger, authorizer, context)
    return [CommandContext(replace(source, key=f"{source.key}-{i}"), command) for i, command in enumerate(commands)]


def _handle(
    command: CommandContext | RefusedCommand, just_read: _JustRead | None, context: RepositoryContext, run: RunTargets
) -> RequestSummary:
    """Handle one command; a refusal is answered."""
    source = command.source
    try:
        if isinstance(command, RefusedCommand):
            raise command.error
        authorizer = just_read.authorizer if just_read else Authorizer(source.requester, context)
        _check_permission(command.command, source.requester, authorizer, context)
        return _dispatch(command, just_read.original if just_read else None, context, run)
    except (RequestRejected, NotYetKnown) as error:
        # The service takes the delivery again. A CI run ends here, so its requester is asked to comment again.
        if isinstance(error, NotYetKnown) and context.retries_later:
            raise
        return _post_error(error, source, context)
    except TEMPORARY:
        raise
    except Exception as error:
        if isinstance(error, FetchFailed) and context.retries_later and not is_denied(error.stderr):
            raise
        text = str(command.command) if isinstance(command, CommandContext) else ""
        return _post_error(as_backport_error(error, "this request", retry=text), source, context)


def _dispatch(
    command: CommandContext, original: PullRequest | None, context: RepositoryContext, run: RunTargets
) -> RequestSummary:
    match command.command.verb:
        case Verb.BACKPORT:
            original = original or context.github.pull_request(command.source.pull_request)
            return handle_backport(command, original, context, run)
        case Verb.STATUS:
            reply = handle_status(command.source, context)
        case Verb.CANCEL:
            reply = handle_cancel(command.source, context)
        case Verb.HELP:
            reply = handle_help(context)
        case verb:
            assert_never(verb)
    post_reply(reply, command.source, context)
    return RequestSummary()


def _post_error(error: BackportError, source: CommandSource, context: RepositoryContext) -> RequestSummary:
    # The log of a run has it, too: whoever started the run by hand looks there.
    context.progress(f"#{source.pull_request}: {error.message} {error.hint}")
    post_reply(replies.render_error(error, template=context.config.templates.answer), source, context)
    return RequestSummary(refused=frozenset({source.comment_id}))


def _check_permission(command: Command, login: str, authorizer: Authorizer, context: RepositoryContext) -> None:
    if not authorizer.allows(command):
        level = required_permission(command, context.config.permissions).value
        raise replies.not_authorized(login, _command_text(command), level)


def _command_text(command: Command) -> str:
    if command.verb is not Verb.BACKPORT:
        return f"{NAME} {command.verb.value}"
    return NAME if command.options.prove else f"{NAME} --no-prove"

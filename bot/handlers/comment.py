"""A comment, a label or a merge → what the requester sees: a reaction, one answer for each command, and the results.

Owns who is answered and in which order the outside effects of one request happen. Everything said is worded in
`bot.report`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bot.commands.events import ChangeTrigger, CommentTrigger, LabelTrigger, MergeTrigger, Trigger
from bot.commands.parser import NAME, Command, holds_command
from bot.commands.permissions import required_permission
from bot.commands.targets import UnknownTarget
from bot.commands.verbs import Verb
from bot.errors import BackportError, NotYetKnown, RateLimited, RequestRejected, Unavailable
from bot.handlers.deferred import cancel_deferred, defer, deferred_requests, label_request, without_answered
from bot.handlers.read_comment import none_there, read_comment
from bot.handlers.resolve_targets import resolve_command_targets, unknown_target_error
from bot.handlers.target_states import states_of_targets
from bot.models import Candidate, Failed, Status, TargetOutcome
from bot.pipeline import unexpected_errors
from bot.pipeline.authorization import is_authorized
from bot.pipeline.conflict_drafts import recheck
from bot.pipeline.context import Backport, RepositoryContext
from bot.pipeline.learn_backports import learn_backports, serving_order, sibling
from bot.pipeline.original import read_backport
from bot.pipeline.replies import CommandContext, CommandSource, RefusedCommand, post_reply, react
from bot.pipeline.reply_keys import comment_key, label_key
from bot.pipeline.run import backport_to
from bot.pipeline.status_comment import StatusComment
from bot.report import replies
from bot.text.comment_text import may_start_line

_GOOD_ENDINGS = {Status.OPENED, Status.NOT_AFFECTED, Status.ALREADY_APPLIED, Status.WOULD_OPEN}


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSummary:
    """What serving came to: each target branch's ending, what was refused, and what is still to come.

    `refused`: the comments that asked for something refused; None stands for labels. `under_way`: branches end
    elsewhere. `remembered`: the merge is waited for.
    """

    results: tuple[TargetOutcome, ...] = ()
    refused: frozenset[int | None] = frozenset()
    under_way: bool = False
    deferred: bool = False

    def __add__(self, other: RequestSummary) -> RequestSummary:
        return RequestSummary(
            results=self.results + other.results,
            refused=self.refused | other.refused,
            under_way=self.under_way or other.under_way,
            deferred=self.deferred or other.deferred,
        )


RunTargets = Callable[[Sequence[str], Backport, StatusComment, RepositoryContext], None]
"""Works on the target branches of one request and shows them in its comment. Branches that it leaves end elsewhere."""


def answer(trigger: Trigger, context: RepositoryContext) -> tuple[TargetOutcome, ...]:
    """Serve what a trigger asks for, from start to end, and return how each target branch ended.

    Raises:
        RateLimited, Unavailable: GitHub does not answer; the trigger can be served again later.
    """
    return serve(trigger, context, run_targets).results


def serve(trigger: Trigger, context: RepositoryContext, carry: RunTargets) -> RequestSummary:
    """Answer a trigger, leaving the work on target branches to `carry`.

    A comment without a command and a label that names no target are left alone. Before the merge a request is
    remembered; the merge serves what is due then. Serving the same trigger again edits the same answers and opens
    nothing twice.

    Raises:
        RateLimited, Unavailable: GitHub does not answer; the trigger can be served again later.
    """
    if isinstance(trigger, MergeTrigger):
        groups = deferred_requests(context.github.pull_request(trigger.pull_request), context)
        return sum((serve_group(group, context, carry) for group in groups), RequestSummary())
    if isinstance(trigger, ChangeTrigger):
        recheck(trigger.pull_request, context)
        return RequestSummary()
    if isinstance(trigger, CommentTrigger) and not may_start_line(trigger.body, NAME):
        return RequestSummary()
    source = _source(trigger)
    try:
        requests = without_answered(_requests(trigger, source, context), context)
    except RequestRejected as error:
        return _refuse(source, error, context)
    return serve_group(requests, context, carry)


def refuse(trigger: Trigger, error: BackportError, context: RepositoryContext) -> None:
    """Answer a comment that holds a command with what stops every request; whoever did not ask hears nothing."""
    if not isinstance(trigger, CommentTrigger):
        return
    if holds_command(trigger.body):
        _refuse(_source(trigger), error, context)


def _refuse(source: CommandSource, error: BackportError, context: RepositoryContext) -> RequestSummary:
    post_reply(replies.render_error(error, template=context.config.templates.answer), source, context)
    served = RequestSummary(refused=frozenset({source.comment_id}))
    post_outcome_reaction(served, source.comment_id, context)
    return served


def serve_group(
    requests: Sequence[CommandContext | RefusedCommand], context: RepositoryContext, carry: RunTargets
) -> RequestSummary:
    """Serve the commands of one comment, or of one label: 👀 first, then the answers, then how it went."""
    if not requests:
        return RequestSummary()
    source = requests[0].source
    react("eyes", source, context)
    served = sum((_serve(request, context, carry) for request in requests), RequestSummary())
    post_outcome_reaction(served, source.comment_id, context)
    return served


def post_outcome_reaction(served: RequestSummary, comment_id: int | None, context: RepositoryContext) -> None:
    """Show the requester how it all ended, by a reaction to the comment that asked; nothing while more is to come.

    A request that is served again, after a failure, keeps the sign of its last ending alone.
    """
    if comment_id is None or served.under_way:
        return
    if served.refused or not all(each.status in _GOOD_ENDINGS for each in served.results):
        context.github.react(comment_id, "confused", instead_of="rocket")
    elif not served.deferred:
        context.github.react(comment_id, "rocket", instead_of="confused")


def _source(trigger: CommentTrigger | LabelTrigger) -> CommandSource:
    if isinstance(trigger, CommentTrigger):
        return CommandSource(trigger.pull_request, trigger.author, comment_key(trigger.comment_id), trigger.comment_id)
    return CommandSource(trigger.pull_request, trigger.sender, label_key(trigger.label))


def _requests(
    trigger: CommentTrigger | LabelTrigger, source: CommandSource, context: RepositoryContext
) -> list[CommandContext]:
    if isinstance(trigger, LabelTrigger):
        request = label_request(trigger.label, trigger.pull_request, trigger.sender, context)
        return [request] if request else []
    commands = read_comment(trigger, context)
    return [CommandContext(replace(source, key=f"{source.key}-{i}"), command) for i, command in enumerate(commands)]


def _serve(request: CommandContext | RefusedCommand, context: RepositoryContext, carry: RunTargets) -> RequestSummary:
    """Run one command; a refusal is answered."""
    source = request.source
    try:
        if isinstance(request, RefusedCommand):
            raise request.error
        command = request.command
        _check_permission(command, source.requester, context)
        if command.verb is Verb.BACKPORT:
            return _backport(request, context, carry)
        post_reply(_plain_answer(command, source, context), source, context)
    except (RequestRejected, NotYetKnown) as error:
        if isinstance(error, NotYetKnown) and context.comes_back:
            raise
        post_reply(replies.render_error(error, template=context.config.templates.answer), source, context)
        return RequestSummary(refused=frozenset({source.comment_id}))
    except (RateLimited, Unavailable):
        raise
    except Exception as error:
        shown = unexpected_errors.as_error(error, "this request", retry=str(command))
        post_reply(replies.render_error(shown, template=context.config.templates.answer), source, context)
        return RequestSummary(refused=frozenset({source.comment_id}))
    return RequestSummary()


def _check_permission(command: Command, login: str, context: RepositoryContext) -> None:
    if not is_authorized(command, login, context):
        raise replies.not_authorized(
            login, _typed(command), required_permission(command, context.config.permissions).value
        )


def _typed(command: Command) -> str:
    if command.verb is not Verb.BACKPORT:
        return f"{NAME} {command.verb.value}"
    return NAME if command.options.prove else f"{NAME} --no-prove"


def _plain_answer(command: Command, source: CommandSource, context: RepositoryContext) -> str:
    template = context.config.templates.answer
    if command.verb is Verb.HELP:
        return replies.render_help(branches=context.config.branches, template=template)
    if command.verb is Verb.CANCEL:
        return replies.render_cancelled(cancel_deferred(source.pull_request, context), template=template)
    standing, waiting = states_of_targets(source.pull_request, context)
    return replies.render_status_answer(standing, deferred=waiting, template=template)


def _backport(request: CommandContext, context: RepositoryContext, carry: RunTargets) -> RequestSummary:
    command, source = request.command, request.source
    original = context.github.pull_request(source.pull_request)
    if not original.merged and not command.commits:
        if original.state == "closed":
            raise replies.not_merged(original.number, closed=True)
        defer(request, context)
        return RequestSummary(deferred=True)
    backport = read_backport(request, original, context)
    targets = resolve_command_targets(command, backport, context)
    if not targets.branches and not targets.unknown:
        post_reply(replies.render_nothing_to_do(command, template=context.config.templates.answer), source, context)
        return RequestSummary()
    missing = [_not_there(unknown, context) for unknown in targets.unknown]
    if missing and not targets.branches:
        error = none_there(targets.unknown, command, context)
        post_reply(replies.render_error(error, template=context.config.templates.answer), source, context)
        return RequestSummary(results=tuple(missing))
    names = (*(result.branch for result in missing), *targets.branches)
    comment = StatusComment(source.key, backport, names, context, command=str(command))
    for result in missing:
        comment.end(result)
    try:
        carry(targets.branches, backport, comment, context)
    except (RateLimited, Unavailable):
        raise  # the trigger is served again, and the comment with it
    except Exception as error:
        comment.end_rest(error)
    return RequestSummary(results=comment.results, under_way=comment.under_way)


def _not_there(unknown: UnknownTarget, context: RepositoryContext) -> Failed:
    error = unknown_target_error(unknown, context)
    return Failed(branch=unknown.name, message=error.message, hint=error.hint)


def run_targets(
    branches: Sequence[str], backport: Backport, comment: StatusComment, context: RepositoryContext
) -> None:
    """Serve the branches of a request one after the other, each with what those before it came to."""
    learn_backports(context.pick, backport.commits, branches)
    siblings: list[Candidate] = []
    for branch in serving_order(branches, backport.patch):
        comment.begin(branch)
        result = backport_to(branch, replace(backport, siblings=tuple(siblings)), context)
        comment.end(result)
        made = sibling(result)
        siblings += [made] if made else []

"""`/backport TARGET…`: reads the request, resolves its targets, and shows their progress in one comment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from bot.commands.targets import UnknownTarget
from bot.errors import RateLimited, Unavailable
from bot.handlers.deferred import defer
from bot.handlers.read_comment import none_there
from bot.handlers.request_summary import RequestSummary
from bot.handlers.resolve_targets import resolve_command_targets, unknown_target_error
from bot.models import Failed, PullRequest, TargetOutcome
from bot.pipeline.command_context import CommandContext, post_reply
from bot.pipeline.context import RepositoryContext
from bot.pipeline.learn_backports import learn_backports
from bot.pipeline.read_request import read_request
from bot.pipeline.request import BackportRequest
from bot.pipeline.result_store import MemoryStore
from bot.pipeline.run import ByHand, RequestRun, serving_order
from bot.pipeline.status_comment import StatusComment
from bot.report import replies

RunTargets = Callable[[Sequence[str], BackportRequest, StatusComment, RepositoryContext], None]
"""Works on the target branches of one request and shows them in its comment. Another process ends those it leaves."""


def handle_backport(
    command: CommandContext, original: PullRequest, context: RepositoryContext, run: RunTargets
) -> RequestSummary:
    """Answer a request for backports of `original`, leaving the work on target branches to `run`.

    Before the merge the request is deferred, unless it names the commits.

    Raises:
        RequestRejected: the request cannot be served as it is; nothing was started.
        NotYetKnown: GitHub has not caught up with the merge.
        RateLimited, Unavailable: GitHub does not answer; the trigger can be handled again later.
    """
    source = command.source
    if not original.merged and not command.command.commits:
        if original.state == "closed" or not source.deferrable:
            raise replies.not_merged(original.number, closed=original.state == "closed")
        defer(command, context)
        return RequestSummary(deferred=True)
    request = read_request(command, original, context)
    targets = resolve_command_targets(command.command, context.pick.patch_for(original), context)
    template = context.config.templates.answer
    if not targets.names and not targets.unknown:
        post_reply(replies.render_nothing_to_do(command.command, template=template), source, context)
        return RequestSummary()
    failures = tuple(unknown_target_failure(unknown, context) for unknown in targets.unknown)
    if failures and not targets.names:
        error = none_there(targets.unknown, command.command, context)
        post_reply(replies.render_error(error, template=template), source, context)
        return RequestSummary(results=failures)
    # Targets that do not exist are shown with the others, so that one comment has all of the answer.
    comment = StatusComment(request, (*(outcome.target for outcome in failures), *targets.names), context)
    for outcome in failures:
        comment.end(outcome)
    try:
        run(targets.names, request, comment, context)
    except (RateLimited, Unavailable):
        raise  # the trigger is handled again, and the comment with it
    except Exception as error:
        comment.end_rest(error)
    return RequestSummary(results=comment.results, under_way=comment.under_way)


class TargetView(Protocol):
    """Shows how far each target branch is."""

    def begin(self, target: str, /) -> None:
        """Show that a target branch is being worked on."""

    def end(self, result: TargetOutcome, /) -> None:
        """Show a target branch's ending."""


def run_targets(
    names: Sequence[str],
    request: BackportRequest,
    view: TargetView,
    context: RepositoryContext,
    *,
    by_hand: ByHand | None = None,
) -> None:
    """Take all steps for each target branch, one branch after the other. `by_hand` has what a person resolved."""
    # Before the first pick, so that it can use what people did on other branches.
    learn_backports(context.pick, request.commits, names)
    run = RequestRun(request, MemoryStore(), by_hand=by_hand)
    for target in serving_order(names, context.pick.patch_for(request.original)):
        view.begin(str(target))
        view.end(run.run(target, context))


def unknown_target_failure(unknown: UnknownTarget, context: RepositoryContext) -> Failed:
    """Return the outcome of a target that does not exist."""
    error = unknown_target_error(unknown, context)
    return Failed(target=unknown.name, message=error.message, hint=error.hint)

"""`/backport status`: shows the state of every target branch of an original, from status comments and pull requests.

A pull request is looked up as it is now. If there is none, the newest status comment says how the branch ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from bot.commands.parser import Command
from bot.commands.targets import resolve_targets
from bot.commands.verbs import Verb
from bot.errors import TargetBranchNotFound
from bot.handlers.deferred import read_record_command
from bot.models import Comment, PullRequest, Target, TargetOutcome
from bot.pipeline.branch_naming import possible_names
from bot.pipeline.command_context import CommandSource
from bot.pipeline.context import RepositoryContext
from bot.pipeline.existing_backports import find_backport
from bot.pipeline.request_storage import own_answers
from bot.pipeline.target_repository import resolve_repository, target_branches
from bot.report import replies
from bot.report.replies import CommentedState
from bot.text.markers import RecordState, read_branch_states, read_command_record


def handle_status(source: CommandSource, context: RepositoryContext) -> str:
    """Return the reply."""
    states, deferred_targets = states_of_targets(source.pull_request, context)
    return replies.render_status_answer(states, deferred=deferred_targets, template=context.config.templates.answer)


def states_of_targets(
    number: int, context: RepositoryContext
) -> tuple[list[TargetOutcome | CommentedState], list[str]]:
    """Return how each target branch stands, and the targets of the requests that wait for the merge."""
    conversation = context.github.conversation(number)
    original = conversation.pull_request
    comments = own_answers(conversation.comments, number, context).values()
    comment_state = _commented_states(comments, original)
    stable = resolve_targets(["all"], target_branches(context), context.config).names
    rows = [
        _target_state(target, comment_state.get(target), original, context)
        for target in dict.fromkeys([*comment_state, *stable])
    ]
    deferred_targets = [] if original.merged else _deferred_targets(comments)
    return [row for row in rows if row is not None], deferred_targets


def _commented_states(comments: Iterable[Comment], original: PullRequest) -> Mapping[str, CommentedState]:
    """Return what the newest status comment about a branch tells of it."""
    return {
        branch: CommentedState(branch=branch, state=state, url=f"{original.url}#issuecomment-{comment.id}")
        for comment in comments
        for branch, state in read_branch_states(comment.body).items()
    }


def _target_state(
    target: str, comment_state: CommentedState | None, original: PullRequest, context: RepositoryContext
) -> TargetOutcome | CommentedState | None:
    try:
        repository = resolve_repository(Target.parse(target), context)
    except TargetBranchNotFound:
        return comment_state
    branch = Target.parse(target).branch
    pull_requests = repository.github.backport_pull_requests(possible_names(branch, original, repository), branch)
    result = find_backport(branch, original, pull_requests, Command(verb=Verb.BACKPORT), repository)
    # A draft that holds a conflict is open, and the comment tells what is the matter with it.
    return (
        comment_state
        if result is None or (comment_state is not None and comment_state.conflict)
        else replace(result, target=target)
    )


def _deferred_targets(comments: Iterable[Comment]) -> list[str]:
    targets: dict[str, None] = {}
    for comment in comments:
        line = read_command_record(comment.body)
        command = read_record_command(line) if line is not None and line.state is RecordState.REMEMBERED else None
        targets.update(dict.fromkeys(command.targets if command else ()))
    return list(targets)

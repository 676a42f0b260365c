"""What was asked before the merge: kept until then, done at the merge, dropped when cancelled.

Owns where it is kept: in the bot's own answers on the pull request, each holding its command in a hidden line, and in
the labels. Nothing is kept anywhere else, so nothing is lost with a machine, and what a person edits into an old
comment later changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime

from bot.branch_names import split_target
from bot.commands import Command, parse_commands, parse_words
from bot.errors import CommandError
from bot.model import Comment, Labelling, PullRequest
from bot.report import answers
from bot.report.markers import Kept, is_ours, kept_command, status_key
from bot.report.preflight import finding
from bot.targets import resolve_targets
from bot.triggers import target_of_label
from bot.workflow.asking import Asked, Request, comment_key, label_key, say
from bot.workflow.elsewhere import target_branches
from bot.workflow.preflight import preflight
from bot.workflow.workplace import Workplace


def remember(request: Request, at: Workplace) -> None:
    """Answer a request on an open pull request, and keep it in the answer."""
    said = answers.render_remembered(request.command, _outlook(request, at), template=at.config.templates.answer)
    say(said, request.asked, at, remembering=request.command)


def due(original: PullRequest, at: Workplace) -> tuple[tuple[Request, ...], ...]:
    """Return what is to be done on a merged pull request, one group for each comment or label, in the order asked.

    That is what was remembered, what was started and not ended, as after a crash, and what was never answered: webhooks
    get lost and come late. A comment that was deleted takes its request with it.
    """
    comments = at.github.comments(original.number)
    ours = _answers(comments, at)
    written = [_of_comment(each, ours, original) for each in comments if each.person and not is_ours(each.body)]
    labelled = [_of_label(label, ours, original, at) for label in original.labels]
    return tuple(group for group in (*written, *labelled) if group)


def unanswered(original: PullRequest, at: Workplace) -> tuple[tuple[Request, ...], ...]:
    """Return of what is due only that which got no answer at all: on an open pull request the rest is remembered."""
    ours = _answers(at.github.comments(original.number), at)
    return tuple(group for group in due(original, at) if not any(request.asked.key in ours for request in group))


def started_since(number: int, moment: datetime, at: Workplace) -> Collection[str]:
    """Return the keys of the answers that something was still being done about after that moment."""
    ours = _answers(at.github.comments(number), at)
    return {key for key, each in ours.items() if _is_kept(each, Kept.STARTED) and each.changed >= moment}


def forget(number: int, at: Workplace) -> tuple[str, ...]:
    """Drop what is remembered on a pull request and say so in each answer; returns the targets that were asked for."""
    dropped: dict[str, None] = {}
    for key, each in _answers(at.github.comments(number), at).items():
        command = _kept(each) if _is_kept(each, Kept.REMEMBERED) else None
        if command is not None:
            dropped.update(dict.fromkeys(command.targets))
            say(answers.render_forgotten(command, template=at.config.templates.answer), Asked(number, "", key), at)
    return tuple(dropped)


def label_request(
    label: str, number: int, sender: str, at: Workplace, *, put: Labelling | None = None
) -> Request | None:
    """Read a label as a request of the person who put it there; None where it names no target.

    When it was `put` there is asked of GitHub where it is not known.

    Raises:
        CommandError: what stands for the target cannot be a branch.
    """
    target = target_of_label(label, at.config.trigger_label)
    if target is None:
        return None
    put = put or at.github.last_labelling(number, label)
    # The webhook may be quicker than the history that it tells of.
    asked = Asked(number, sender, label_key(target), labelled_at=put.at if put else datetime.now(UTC))
    return Request(asked, parse_words(["to", target]))


def _answers(comments: tuple[Comment, ...], at: Workplace) -> Mapping[str, Comment]:
    """Return our own answers by key. Whoever else writes a marker of ours is not believed."""
    own = [comment for comment in comments if comment.author.casefold() == at.github.login.casefold()]
    return {key: comment for comment in own if (key := status_key(comment.body)) is not None}


def _of_comment(comment: Comment, ours: Mapping[str, Comment], original: PullRequest) -> tuple[Request, ...]:
    root = comment_key(comment.id)
    answered = {key: each for key, each in ours.items() if key == root or key.startswith(f"{root}-")}
    if answered:
        kept = [(key, _kept(answered[key])) for key in sorted(answered)]
        return tuple(Request(_asked(comment, key, original), command) for key, command in kept if command)
    # Of an edited comment nobody knows what it said when it was written.
    return () if comment.edited else tuple(_never_answered(comment, root, original))


def _never_answered(comment: Comment, root: str, original: PullRequest) -> Iterator[Request]:
    try:
        commands = parse_commands(comment.body)
    except CommandError:
        return
    for index, command in enumerate(commands):
        yield Request(_asked(comment, f"{root}-{index}", original), command)


def _of_label(label: str, ours: Mapping[str, Comment], original: PullRequest, at: Workplace) -> tuple[Request, ...]:
    target = target_of_label(label, at.config.trigger_label)
    if target is None or (label_key(target) in ours and _kept(ours[label_key(target)]) is None):
        return ()
    put = at.github.last_labelling(original.number, label)
    try:
        request = label_request(label, original.number, put.by, at, put=put) if put else None
    except CommandError:
        return ()
    return (request,) if request else ()


def _asked(comment: Comment, key: str, original: PullRequest) -> Asked:
    return Asked(original.number, comment.author, key, comment.id)


def _is_kept(answer: Comment, kept: Kept) -> bool:
    found = kept_command(answer.body)
    return found is not None and found[0] is kept


def _kept(answer: Comment) -> Command | None:
    found = kept_command(answer.body)
    try:
        commands = parse_commands(found[1]) if found else ()
    except CommandError:
        return None
    return commands[0] if commands else None


def _outlook(request: Request, at: Workplace) -> list[tuple[str, str]]:
    """Say of each target what a backport would come to by now, or that there is no such branch."""
    resolved = resolve_targets(request.command.targets, target_branches(at), at.config)
    pull_request = at.github.pull_request(request.asked.pull_request)
    here = [target for target in resolved.branches if split_target(target)[0] is None]
    found = {each.branch: finding(each) for each in preflight(pull_request, here, at)}
    unknown = [(each.name, answers.unknown_yet(each.nearest)) for each in resolved.unknown]
    return [*unknown, *((target, found.get(target, answers.LOOKED_AT_LATER)) for target in resolved.branches)]

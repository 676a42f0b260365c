"""A comment → the commands in it, or two lines that say what is the matter, with the nearest names of this repository.

Owns that the permission is looked at before a comment is read, and that whoever has none hears that and nothing else.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import replace

from bot.commands.events import CommentTrigger
from bot.commands.parser import NAME, Command, holds_command, parse_commands
from bot.commands.targets import UnknownTarget, newest_first, stable_branches
from bot.commands.verbs import KEYWORDS, Verb
from bot.errors import CommandError
from bot.handlers.resolve_targets import unknown_target_error
from bot.pipeline.authorization import is_authorized, is_authorized_for_any
from bot.pipeline.context import RepositoryContext
from bot.pipeline.repositories import target_branches
from bot.report import replies

_OF_STRANGERS = 8192
"""Characters that are read of what somebody wrote who may ask for nothing."""
_NEAREST = 2


def read_comment(trigger: CommentTrigger, context: RepositoryContext) -> Sequence[Command]:
    """Read the commands of a comment.

    Raises:
        NotAuthorized: its author may ask for nothing here, or cannot be told how to ask.
        CommandError: a command cannot be read.
    """
    stranger = replies.not_authorized(trigger.author, NAME, context.config.permissions.backport.value)
    if not is_authorized_for_any([Command(verb=verb) for verb in Verb], trigger.author, context):
        if holds_command(trigger.body[:_OF_STRANGERS]):
            raise stranger
        return ()
    try:
        return parse_commands(trigger.body)
    except CommandError as error:
        if not is_authorized(Command(verb=Verb.BACKPORT), trigger.author, context):
            raise stranger from None
        raise _explained(error, context) from error


def none_there(unknown: Sequence[UnknownTarget], command: Command, context: RepositoryContext) -> CommandError:
    """Word that no target of a command is there; the commands that it may mean can be pasted."""
    errors = [unknown_target_error(target, context) for target in unknown]
    names = [_nearest(target.name, [*target.nearest, *_words(command)]) for target in unknown]
    meant: list[Command] = []
    if len(names) == 1:
        meant = [_as_asked(command, name) for name in names[0]]
    elif all(names):
        meant = [replace(command, targets=tuple(dict.fromkeys(near[0] for near in names)))]
    hint = replies.did_you_mean(meant) if meant else _stable(context) or errors[0].hint
    return CommandError(" ".join(error.message for error in errors), hint=hint)


def _explained(error: CommandError, context: RepositoryContext) -> CommandError:
    if error.word is None:
        return error
    near = _nearest(error.word, [*KEYWORDS, *newest_first(target_branches(context))]) if error.word else []
    hint = replies.did_you_mean([_as_asked(_BARE, name) for name in near]) if near else _stable(context)
    return CommandError(error.message, hint=hint or error.hint)


_BARE = Command(verb=Verb.BACKPORT)


def _words(command: Command) -> Sequence[str]:
    # With more than one word, or options, nobody meant `/backport status`.
    return KEYWORDS if command == replace(_BARE, targets=command.targets[:1]) else ()


def _as_asked(command: Command, name: str) -> Command:
    return Command(verb=Verb(name)) if name in KEYWORDS else replace(command, targets=(name,))


def _nearest(word: str, names: Sequence[str]) -> list[str]:
    return difflib.get_close_matches(word[:200].casefold(), names, n=_NEAREST, cutoff=0.5)


def _stable(context: RepositoryContext) -> str:
    return replies.stable_branches_here(stable_branches(context.mirror.branches(), context.config))

"""Reads the commands of a comment. An error takes two lines and names the nearest names of this repository.

The permission is checked before the comment is parsed. An author without permission gets that reply and no other.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import replace

from bot.commands.parser import NAME, Command, holds_command, parse_commands
from bot.commands.targets import UnknownTarget, newest_first, stable_branches
from bot.commands.triggers import CommentTrigger
from bot.commands.verbs import KEYWORDS, Verb
from bot.errors import CommandError
from bot.handlers.resolve_targets import unknown_target_error
from bot.pipeline.authorization import Authorizer
from bot.pipeline.context import RepositoryContext
from bot.pipeline.target_repository import target_branches
from bot.report import replies

_OF_STRANGERS = 8192
"""Characters that are read of a comment whose author has no permission."""
_NEAREST = 2


def read_comment(trigger: CommentTrigger, authorizer: Authorizer, context: RepositoryContext) -> Sequence[Command]:
    """Read the commands of a comment. `authorizer` decides for its author.

    Raises:
        NotAuthorized: its author may ask for nothing here, or cannot be told how to ask.
        CommandError: a command cannot be read.
    """
    stranger = replies.not_authorized(trigger.author, NAME, context.config.permissions.backport.value)
    if not authorizer.allows(*(Command(verb=verb) for verb in Verb)):
        if holds_command(trigger.body[:_OF_STRANGERS]):
            raise stranger
        return ()
    try:
        return parse_commands(trigger.body)
    except CommandError as error:
        if not authorizer.allows(Command(verb=Verb.BACKPORT)):
            raise stranger from None
        raise _with_suggestions(error, context) from error


def none_there(unknown: Sequence[UnknownTarget], command: Command, context: RepositoryContext) -> CommandError:
    """Word that no target of a command is there; the commands that it may mean can be pasted."""
    errors = [unknown_target_error(target, context) for target in unknown]
    names = [_nearest(target.name, [*target.nearest, *_words(command)]) for target in unknown]
    commands: list[Command] = []
    if len(names) == 1:
        commands = [_as_asked(command, name) for name in names[0]]
    elif all(names):
        commands = [replace(command, targets=tuple(dict.fromkeys(names[0] for names in names)))]
    hint = replies.did_you_mean(commands) if commands else _stable(context) or errors[0].hint
    return CommandError(" ".join(error.message for error in errors), hint=hint)


def _with_suggestions(error: CommandError, context: RepositoryContext) -> CommandError:
    if error.word is None:
        return error
    names = _nearest(error.word, [*KEYWORDS, *newest_first(target_branches(context))]) if error.word else []
    hint = replies.did_you_mean([_as_asked(_BARE, name) for name in names]) if names else _stable(context)
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

"""Parses the `/backport` lines of a comment.

The parser knows the grammar only. A target is a word that may name branches; `targets` resolves it.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from bot.commands.options import OPTIONS, Option
from bot.commands.verbs import KEYWORDS, Verb
from bot.errors import CommandError
from bot.models import BackportOptions, Target
from bot.text.branch_names import is_glob, name_problem, pattern_problem
from bot.text.comment_text import plain_text_lines
from bot.text.markdown import code
from bot.text.suggestions import suggest

MAX_COMMANDS = 10
MAX_TARGETS = 50
MAX_COMMITS = 50
MAX_LINE = 4096

NAME = "/backport"
ALL = "all"
AUTO = "auto"
COMMITS = "--commits"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A parsed `/backport` line. `targets` are branch names, globs, `all` or `auto`, in their order on the line.

    `commits` are the commits to backport instead of those of the merge; their names may be abbreviated.
    """

    verb: Verb
    targets: tuple[str, ...] = ()
    options: BackportOptions = field(default_factory=BackportOptions)
    commits: tuple[str, ...] = ()

    @property
    def auto(self) -> bool:
        """Whether the command means only the stable branches that are found affected."""
        return self.targets == (AUTO,)

    def onto(self, target: str, **changes: bool) -> Command:
        """Return the same request for one target branch, with these options changed."""
        options = replace(self.options, **changes)
        return replace(self, verb=Verb.BACKPORT, targets=(target,), options=options)

    def __str__(self) -> str:
        """Return the line as a person types it; the parser reads it as the same command."""
        return " ".join([NAME, *self._words()])

    def _words(self) -> Iterator[str]:
        if self.verb is not Verb.BACKPORT:
            yield self.verb.value
            return
        # A branch may bear the name of a verb; after "to" it is a branch.
        if self.targets[0].casefold() in ("to", *Verb):
            yield "to"
        yield from (f"`{target}`" if "," in target else target for target in self.targets)
        yield from (name for name, option in OPTIONS.items() if getattr(self.options, option.field) == option.value)
        yield from (COMMITS, *self.commits) if self.commits else ()


def parse_commands(body: str) -> tuple[Command, ...]:
    """Parse the commands of a comment.

    Raises:
        CommandError: a line cannot be parsed. None of the comment's commands should run then: a comment that is only
            half understood is worse than a reply.
    """
    lines = list(islice(_addressed_lines(body), MAX_COMMANDS + 1))
    if len(lines) > MAX_COMMANDS:
        raise CommandError(
            f"The comment holds more than {MAX_COMMANDS} commands. Nothing was started.",
            hint="Name several branches on one line: `/backport BRANCH BRANCH…`.",
        )
    return tuple(_parse_line(line) for line in lines)


def holds_command(body: str) -> bool:
    """Return whether a comment has a command, even one that cannot be parsed."""
    return next(_addressed_lines(body), None) is not None


def parse_words(words: Sequence[str]) -> Command:
    """Parse the words that follow `/backport`; raises CommandError."""
    match [word.strip("`").casefold() for word in words]:
        case []:
            raise CommandError("`/backport` names no target branch. Nothing was started.", hint=_EXAMPLE, word="")
        case [word, *surplus] if word in KEYWORDS:
            return _parse_keyword(Verb(word), surplus)
        case ["to", _, *_]:
            words = words[1:]
    return _parse_backport(words)


_COMMIT = re.compile(r"[0-9a-f]{7,40}")
_CODE_SPAN = re.compile("`[^`]+`")
_EXAMPLE = "Name one, e.g. `/backport release/v1.2`, or write `/backport help`."


def _addressed_lines(body: str) -> Iterator[str]:
    for line in plain_text_lines(body, word=NAME):
        if line.split(maxsplit=1)[0].casefold().rstrip(":,.") == NAME:
            yield line


def _parse_line(line: str) -> Command:
    name, *words = line.split()
    if name != NAME:
        raise CommandError(
            f"The command is written `{NAME}`, in lower case and followed by a space. Nothing was started.",
            hint=f"Did you mean {code(' '.join([NAME, *words]))}?" if len(line) <= MAX_LINE else _EXAMPLE,
        )
    if len(line) > MAX_LINE:
        raise CommandError(f"The command is longer than {MAX_LINE} characters. Nothing was started.", hint=_EXAMPLE)
    return parse_words(words)


def _parse_keyword(verb: Verb, surplus: Sequence[str]) -> Command:
    if surplus:
        raise CommandError(
            f"`/backport {verb}` takes no arguments: it is for all target branches. Nothing was started.",
            hint=f"Did you mean `/backport {verb}`?",
        )
    return Command(verb=verb)


def _parse_backport(words: Sequence[str]) -> Command:
    options = BackportOptions()
    targets: dict[str, None] = {}
    commits: tuple[str, ...] = ()
    queue = deque(words)
    while queue:
        word = queue.popleft()
        flag = _as_flag(word)
        if flag == COMMITS:
            commits += _take_commits(queue)
        elif flag is not None:
            option = _find_option(flag)
            options = replace(options, **{option.field: option.value})
        else:
            targets.update(dict.fromkeys(map(_parse_target, _split(word))))
    _check_targets(tuple(targets))
    return Command(verb=Verb.BACKPORT, targets=tuple(targets), options=options, commits=_check_commits(commits))


def _split(word: str) -> list[str]:
    # git allows a comma in a name: between backticks it separates nothing.
    if _CODE_SPAN.fullmatch(word):
        return [word]
    return [part for part in word.strip("`").split(",") if part.strip("`")]


def _take_commits(queue: deque[str]) -> tuple[str, ...]:
    """Take the words that follow `--commits` for as long as they can name a commit."""
    commits: list[str] = []
    while queue and (names := [name.strip("`") for name in queue[0].casefold().split(",") if name.strip("`")]):
        if not all(_COMMIT.fullmatch(name) for name in names):
            break
        commits += names
        queue.popleft()
    if not commits:
        raise CommandError(
            f"No commit follows `{COMMITS}`. Nothing was started.",
            hint=f"Name each by 7 to 40 hex digits, e.g. `/backport release/v1.2 {COMMITS} 1a2b3c4d5e6f`.",
        )
    return tuple(commits)


def _check_commits(commits: tuple[str, ...]) -> tuple[str, ...]:
    if len(commits) > MAX_COMMITS:
        raise CommandError(
            f"The command names {len(commits)} commits, more than {MAX_COMMITS}. Nothing was started.",
            hint="Backport the pull requests that merged them.",
        )
    return tuple(dict.fromkeys(commits))


def _as_flag(word: str) -> str | None:
    # Phones turn two dashes into one long one.
    if word[0] in "\N{EM DASH}\N{EN DASH}":
        return "--" + word[1:]
    return word if word.startswith("-") else None


def _find_option(flag: str) -> Option:
    if flag in OPTIONS:
        return OPTIONS[flag]
    raise CommandError(
        f"`/backport` has no option {code(flag)}. Nothing was started.",
        hint=suggest(flag, (*OPTIONS, COMMITS), listing="The options are"),
    )


def _parse_target(word: str) -> str:
    target = word.strip("`")
    branch = Target.parse(target).branch
    problem = pattern_problem(branch) if is_glob(branch) else name_problem(branch)
    if problem:
        raise CommandError(
            f"{code(target)} {problem}, so it cannot be a branch. Nothing was started.",
            hint="Check the branch's name; several branches are separated by spaces.",
            word=target,
        )
    return target


def _check_targets(targets: tuple[str, ...]) -> None:
    if not targets:
        raise CommandError(
            "`/backport` names no target branch, only options. Nothing was started.", hint=_EXAMPLE, word=""
        )
    if AUTO in targets and len(targets) > 1:
        raise CommandError(
            "`auto` means the stable branches that are found affected, so it takes no branches. Nothing was started.",
            hint="Write either `/backport auto` or the branches.",
        )
    if len(targets) > MAX_TARGETS:
        raise CommandError(
            f"The command names {len(targets)} target branches, more than {MAX_TARGETS}. Nothing was started.",
            hint="Use a glob such as `release/v0.5.*`, or several comments.",
        )

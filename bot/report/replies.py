"""Words the short replies to a requester: the help, a refusal, the states of the target branches.

The status comment is in `status_comment`. A reply here has no marker; the caller that posts it adds one. `template` is
the configured template, or None for ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.commands.options import OPTIONS
from bot.commands.parser import Command
from bot.commands.verbs import FORMS, Verb
from bot.errors import (
    BackportError,
    CommandError,
    NotAuthorized,
    PullRequestNotMerged,
    RequestRejected,
    TargetBranchNotFound,
)
from bot.models import TargetOutcome
from bot.report.outcomes import describe
from bot.text.branch_names import is_glob
from bot.text.markdown import code, link, prose, text
from bot.text.templates import render


def render_help(*, branches: Sequence[str] = (), template: str | None = None) -> str:
    """List the commands and options. `branches` are the patterns of the stable branches, which `all` means."""
    return _answer("Write one of these at the start of a line:", template, help=True, branches=branches)


def render_error(error: BackportError, *, template: str | None = None) -> str:
    """Word an error: fact, consequence and remedy. The remedy of a mistyped command has a line of its own."""
    separator = "\n" if isinstance(error, CommandError) else " "
    return _answer(f"{prose(error.message)}{separator}{prose(error.hint)}".strip(), template)


def not_authorized(requester: str, command: str, permission: str) -> NotAuthorized:
    """Return the refusal of a requester whose permission is too low. `command` is written as in a comment."""
    return NotAuthorized(
        f"Thank you, {code(requester)}, but {code(command)} needs the `{permission}` permission here. "
        "Nothing was started.",
        hint="A maintainer can post the same comment.",
    )


def not_merged(number: int, *, closed: bool = False) -> PullRequestNotMerged:
    """Return the refusal for a pull request that is open, or `closed` without a merge."""
    if closed:
        return PullRequestNotMerged(
            f"Pull request {number} was closed without being merged, so there is nothing to backport.",
            hint="Ask on the pull request that was merged instead.",
        )
    return PullRequestNotMerged(
        f"Pull request {number} is not merged yet, so there is nothing to backport. Nothing was started.",
        hint="Post the same comment again when it is merged.",
    )


def did_you_mean(commands: Sequence[Command]) -> str:
    """Return a hint that offers commands as they can be pasted."""
    return f"Did you mean {' or '.join(code(command) for command in commands)}?"


def stable_branches_here(branches: Sequence[str]) -> str:
    """Return a hint that names some stable branches; empty if there are none."""
    if not branches:
        return ""
    names = ", ".join(map(code, branches[:_MAX_NAMES]))
    surplus = len(branches) - _MAX_NAMES
    names += f" and {surplus} more" if surplus > 0 else ""
    subject = "The stable branch is" if len(branches) == 1 else "The stable branches are"
    return f"{subject} {names}. `/backport help` lists the commands."


_MAX_NAMES = 3


def edited_comment() -> RequestRejected:
    """Return the refusal of a deferred request whose comment was edited since."""
    return RequestRejected(
        "The comment with this command was edited afterwards, so the command was not run: an edited comment is no "
        "command.",
        hint="Write the command in a new comment.",
    )


def not_genuine() -> RequestRejected:
    """Return the refusal of a deferred request whose reply is no longer as the bot wrote it."""
    return RequestRejected(
        "This reply was edited, or the secret that signs it was changed, so its request was not processed.",
        hint="Write the command in a new comment, or put the label on again.",
    )


def unknown_branch(name: str, nearest: Sequence[str]) -> TargetBranchNotFound:
    """Return the refusal of a target that matches no branch, with the nearest names."""
    names = " or ".join(map(code, nearest))
    fact = f"No stable branch matches {code(name)}" if is_glob(name) else f"There is no branch {code(name)} here"
    return TargetBranchNotFound(
        f"{fact}, so nothing was opened for it.",
        hint=f"Did you mean {names}?" if names else "Check its name on the repository's branches page.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentedState:
    """The state of a target branch that a status comment shows: an icon and words, and the comment's URL."""

    branch: str
    state: str
    url: str

    @property
    def conflict(self) -> bool:
        """Whether the branch ended in a conflict."""
        return "conflict" in self.state


def render_status_answer(
    states: Sequence[TargetOutcome | CommentedState], *, deferred: Sequence[str] = (), template: str | None = None
) -> str:
    """Word the reply to `/backport status`: one line for each target branch.

    `deferred` are the targets of the requests that wait for the merge.
    """
    rows = [*map(_state_line, states), *(f"- ⏳ {code(target)}: remembered until the merge" for target in deferred)]
    lead = "The states of this pull request's backports:" if rows else _NO_REQUEST
    return _answer(lead, template, rows=rows)


def _state_line(row: TargetOutcome | CommentedState) -> str:
    if isinstance(row, CommentedState):
        icon, _, state = row.state.partition(" ")
        return f"- {text(icon)} {code(row.branch)}: {text(state)}, {link('see its status comment', row.url)}"
    ending = describe(row)
    return f"- {ending.icon} {code(ending.branch)}: {ending.state}{ending.pull_request and ', ' + ending.pull_request}"


def render_cancelled(branches: Sequence[str], *, template: str | None = None) -> str:
    """Word the reply to `/backport cancel`. `branches` are the targets of requests that waited for the merge."""
    names = ", ".join(map(code, branches))
    lead = f"Nothing will be done at the merge for {names}. " if names else ""
    return _answer(
        f"{lead}All requests above that have not ended are cancelled, and their status comments say so. "
        "Pull requests that are already open stay open.",
        template,
    )


def render_remembered(
    command: Command, preflight: Sequence[tuple[str, str]] = (), *, template: str | None = None
) -> str:
    """Word the reply to a request that waits for the merge. `preflight` pairs each branch with its forecast."""
    rows = [f"- {code(branch)}: {prose(finding)}" for branch, finding in preflight]
    names = ", ".join(map(code, command.targets))
    lead = f"Remembered: when this pull request is merged, it will be backported to {names}."
    return _answer(lead + (" If it were merged now:" if rows else ""), template, rows=rows)


def render_forgotten(command: Command, *, template: str | None = None) -> str:
    """Word the text that replaces the reply to a deferred request when it is cancelled."""
    return _answer(f"Cancelled before the merge: {code(command)} will not be done.", template)


def unknown_yet(nearest: Sequence[str]) -> str:
    """Word the finding for a target of a deferred request that matches no branch so far."""
    names = " or ".join(f"`{name}`" for name in nearest)
    return "there is no such branch so far." + (f" Did you mean {names}?" if names else "")


LOOKED_AT_LATER = "in another repository, so it is looked at when this is merged."
"""The finding for a target of a deferred request that the preflight cannot reach."""


def unknown_commit(name: str, branch: str) -> RequestRejected:
    """Return the refusal of a commit that is not on the default branch, or whose short name is ambiguous."""
    return RequestRejected(
        f"`{branch}` has no single commit {code(name)}, and only its commits can be backported. Nothing was started.",
        hint="Name a commit of that branch by all of its 40 digits.",
    )


def render_nothing_to_do(command: Command, *, template: str | None = None) -> str:
    """Word the reply to a command that is right and has nothing to do."""
    if command.verb is Verb.BACKPORT and command.auto:
        return _answer("No stable branch is found affected, so there is nothing to backport.", template)
    return _answer("No target branch is left. Nothing was started.", template)


_NO_REQUEST = "Nobody has requested a backport of this pull request yet."


def _answer(
    lead: str,
    template: str | None,
    *,
    help: bool = False,  # noqa: A002 - as the template calls it
    rows: Sequence[str] = (),
    branches: Sequence[str] = (),
) -> str:
    return render(
        "answer",
        template,
        lead=lead,
        rows=rows,
        help=help,
        forms=FORMS,
        options={name: option.says for name, option in OPTIONS.items()},
        branches=[code(branch) for branch in branches],
    )

"""Short answers to a comment: the help, a refusal, what is already there.

Owns everything said to a requester that is not the status comment. An answer carries no marker: which comment it is,
and how it is found again, is the business of whoever writes it. `template` is the configured text in place of ours.
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
    """List the commands and options; `branches` are the stable branch patterns, to say what `all` means."""
    return _answer("What I understand, at the start of a line:", template, help=True, branches=branches)


def render_error(error: BackportError, *, template: str | None = None) -> str:
    """Answer with fact, consequence and remedy; what somebody mistyped is told on one line and meant on the next."""
    between = "\n" if isinstance(error, CommandError) else " "
    return _answer(f"{prose(error.message)}{between}{prose(error.hint)}".strip(), template)


def not_authorized(requester: str, command: str, needed: str) -> NotAuthorized:
    """Return the one polite line for someone whose permission is too low. `command` is as one types it."""
    return NotAuthorized(
        f"Thank you, {code(requester)}, but {code(command)} needs the `{needed}` permission here. Nothing was started.",
        hint="A maintainer can comment the same.",
    )


def not_merged(number: int, *, closed: bool = False) -> PullRequestNotMerged:
    """Return the refusal for a pull request that is not merged."""
    if closed:
        return PullRequestNotMerged(
            f"Pull request {number} was closed without being merged, so there is nothing to backport.",
            hint="Ask on the pull request that was merged instead.",
        )
    return PullRequestNotMerged(
        f"Pull request {number} is not merged yet, so there is nothing to backport. Nothing was started.",
        hint="Comment the same when it is merged.",
    )


def did_you_mean(commands: Sequence[Command]) -> str:
    """Return a hint that offers commands as they can be pasted."""
    return f"Did you mean {' or '.join(code(command) for command in commands)}?"


def stable_branches_here(branches: Sequence[str]) -> str:
    """Return a hint that names some stable branches; empty where there are none."""
    if not branches:
        return ""
    named = ", ".join(map(code, branches[:_NAMED]))
    more = f" and {len(branches) - _NAMED} more" if len(branches) > _NAMED else ""
    subject = "The stable branch is" if len(branches) == 1 else "The stable branches are"
    return f"{subject} {named}{more}. `/backport help` says what can be asked."


_NAMED = 3


def edited() -> RequestRejected:
    """Return the refusal of a remembered request whose comment was edited since."""
    return RequestRejected(
        "The comment that asked for this was edited afterwards, so it was not done: an edited comment is no command.",
        hint="Write the command in a new comment.",
    )


def not_genuine() -> RequestRejected:
    """Return the refusal of a request whose answer does not say any more what the bot wrote."""
    return RequestRejected(
        "This answer was edited, or the secret that signs it was changed, so the request that it kept was not done.",
        hint="Write the command in a new comment, or put the label on again.",
    )


def unknown_branch(name: str, nearest: Sequence[str]) -> TargetBranchNotFound:
    """Return the refusal for a target that no branch answers to, with the nearest names."""
    near = " or ".join(code(each) for each in nearest)
    missing = f"No stable branch matches {code(name)}" if is_glob(name) else f"There is no branch {code(name)} here"
    return TargetBranchNotFound(
        f"{missing}, so nothing was opened for it.",
        hint=f"Did you mean {near}?" if near else "Check its name on the repository's branches page.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a status comment tells of a target branch, as an icon and words, and where the comment is."""

    branch: str
    state: str
    url: str

    @property
    def conflict(self) -> bool:
        """Whether the branch ended in a conflict."""
        return "conflict" in self.state


def render_status_answer(
    standing: Sequence[TargetOutcome | Told], *, waiting: Sequence[str] = (), template: str | None = None
) -> str:
    """Answer `/backport status`: one line for each target branch that anything is known of.

    `waiting` are the targets of the requests that are remembered until the merge.
    """
    rows = [*map(_standing, standing), *(f"- ⏳ {code(target)}: remembered until the merge" for target in waiting)]
    lead = "Where the backports of this pull request stand:" if rows else _NOTHING_ASKED
    return _answer(lead, template, rows=rows)


def _standing(row: TargetOutcome | Told) -> str:
    if isinstance(row, Told):
        icon, _, state = row.state.partition(" ")
        return f"- {text(icon)} {code(row.branch)}: {text(state)}, {link('see its status comment', row.url)}"
    ending = describe(row)
    return f"- {ending.icon} {code(ending.branch)}: {ending.state}{ending.pull_request and ', ' + ending.pull_request}"


def render_cancelled(branches: Sequence[str], *, template: str | None = None) -> str:
    """Answer `/backport cancel`. `branches` are the targets that waited for the merge."""
    named = ", ".join(map(code, branches))
    waited = f"Nothing will be done at the merge for {named}. " if named else ""
    return _answer(
        f"{waited}Whatever was asked above and has not ended is cancelled, and its status comment says so. "
        "Pull requests already open stay open.",
        template,
    )


def render_remembered(
    command: Command, preflight: Sequence[tuple[str, str]] = (), *, template: str | None = None
) -> str:
    """Answer a request on a pull request that is not merged: it is remembered. `preflight` is branch and finding."""
    rows = [f"- {code(branch)}: {prose(finding)}" for branch, finding in preflight]
    named = ", ".join(map(code, command.targets))
    lead = f"Remembered: when this pull request is merged, it is backported to {named}."
    return _answer(lead + (" As it stands now:" if rows else ""), template, rows=rows)


def render_forgotten(command: Command, *, template: str | None = None) -> str:
    """Put in the place of a remembered request that it was cancelled."""
    return _answer(f"Cancelled before the merge: {code(command)} will not be done.", template)


def unknown_yet(nearest: Sequence[str]) -> str:
    """Word what is the matter with a target of a remembered request that no branch answers to so far."""
    near = " or ".join(f"`{each}`" for each in nearest)
    return "there is no such branch so far." + (f" Did you mean {near}?" if near else "")


LOOKED_AT_LATER = "in another repository, so it is looked at when this is merged."
"""What a remembered request is told of a target that a preflight does not reach."""


def unknown_commit(name: str, branch: str) -> RequestRejected:
    """Return the refusal for a commit that is not on the default branch, or whose short name is not one commit's."""
    return RequestRejected(
        f"`{branch}` has no one commit {code(name)}, and only what is on it can be backported. Nothing was started.",
        hint="Name commits of that branch by all of their 40 digits.",
    )


def render_nothing_to_do(command: Command, *, template: str | None = None) -> str:
    """Answer a command that is understood and leads to nothing, and say why."""
    if command.verb is Verb.BACKPORT and command.auto:
        return _answer("No stable branch is found affected, so there is nothing to backport.", template)
    return _answer("No branch is left to backport to. Nothing was started.", template)


_NOTHING_ASKED = "Nobody asked for a backport of this pull request yet."


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

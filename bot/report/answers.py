"""Short answers to a comment: the help, a refusal, what is already there.

Owns everything said to a requester that is not the status comment. An answer carries no marker: which comment it is,
and how it is found again, is the business of whoever writes it. `template` is the configured text in place of ours.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.commands import FORMS, OPTIONS, Command, Verb
from bot.errors import (
    BackportError,
    CommandError,
    NotAuthorized,
    PullRequestNotMerged,
    RequestRejected,
    TargetBranchNotFound,
)
from bot.model import TargetResult
from bot.report.endings import describe
from bot.report.markdown import code, prose
from bot.report.templating import render


def render_help(*, branches: Sequence[str] = (), template: str | None = None) -> str:
    """List the commands and options; `branches` are the stable branch patterns, to say what `all` means."""
    return _answer("What I understand, at the start of a line:", template, help=True, branches=branches)


def render_error(error: BackportError, *, template: str | None = None) -> str:
    """Answer with fact, consequence and remedy; a command that could not be read is answered with the help as well."""
    said = f"{prose(error.message)} {prose(error.hint)}".strip()
    return _answer(said, template, help=isinstance(error, CommandError))


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


def unknown_branch(name: str, nearest: Sequence[str]) -> TargetBranchNotFound:
    """Return the refusal for a target that no branch answers to, with the nearest names."""
    near = " or ".join(code(each) for each in nearest)
    return TargetBranchNotFound(
        f"There is no branch {code(name)} here, so nothing was opened for it.",
        hint=f"Did you mean {near}?" if near else "Check its name on the repository's branches page.",
    )


def render_status_answer(
    results: Sequence[TargetResult], *, waiting: Sequence[str] = (), template: str | None = None
) -> str:
    """Answer `/backport status`: one line for each target branch that anything is known of."""
    rows = [
        f"- {ending.icon} {code(ending.branch)}: {ending.state}{ending.pull_request and ', ' + ending.pull_request}"
        for ending in map(describe, results)
    ]
    rows += [f"- ⏳ {code(branch)}: waiting" for branch in waiting]
    lead = "Where the backports of this pull request stand:" if rows else _NOTHING_ASKED
    return _answer(lead, template, rows=rows)


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

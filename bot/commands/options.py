"""The options of a `/backport` line and the forms that it can take, each with what the help says of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Option:
    """One switch of a `/backport` line: the field of BackportOptions it sets, to what, and what the help says of it."""

    field: str
    value: bool
    says: str


OPTIONS = {
    "--dry-run": Option("dry_run", True, "say what would be done; push and open nothing"),
    "--with-companions": Option("with_companions", True, "bring the fixes that belong with this one as well"),
    "--with-prerequisites": Option(
        "with_prerequisites", True, "where it conflicts, bring the earlier pull requests that make it apply"
    ),
    "--draft": Option("draft", True, "open the backport pull requests as drafts"),
    "--no-prove": Option("prove", False, "skip the regression suite; the pull request says that it is unproven"),
    "--redo": Option("redo", True, "make the backport branch anew; never over a commit that a person made"),
}

FORMS = {
    "/backport BRANCH…": "bring this pull request to these branches; `release/v0.5.*` names several stable ones",
    "/backport all": "bring it to every stable branch",
    "/backport auto": "bring it to every stable branch that is found affected",
    "/backport BRANCH… --commits SHA…": "bring these commits, if the bot cannot tell which ones were merged",
    "/backport status": "say where each target branch stands",
    "/backport cancel": "stop what is running or waiting for this pull request",
    "/backport help": "show this",
}

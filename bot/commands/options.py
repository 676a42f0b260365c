"""The options of a `/backport` line, each with its help text."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Option:
    """One switch of a `/backport` line: the field of BackportOptions that it sets, the value, and its help text."""

    field: str
    value: bool
    says: str


OPTIONS = {
    "--dry-run": Option("dry_run", True, "show what would be done, without a push or a pull request"),
    "--with-companions": Option("with_companions", True, "also bring the fixes that belong with this one"),
    "--with-prerequisites": Option(
        "with_prerequisites", True, "if it conflicts, also bring the earlier pull requests that make it apply"
    ),
    "--draft": Option("draft", True, "open the backport pull requests as drafts"),
    "--no-prove": Option("prove", False, "skip the regression suite; the pull request says that it is unproven"),
    "--redo": Option("redo", True, "recreate the backport branch, unless a person has committed to it"),
}

"""Describes a conflict in Markdown: each unmerged file, and the earlier commits that would make the pick apply.

Foreign text in the Markdown is inert.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from bot.models import Certainty, ConflictFile, ConflictKind, RelatedCommit
from bot.report.candidates import describe_commit
from bot.text.markdown import code, count


def describe_conflict_file(file: ConflictFile) -> str:
    """Say why git could not merge one path."""
    regions = f", {count(file.regions, 'region')}" if file.regions else ""
    sides = (_changed_by(file, "main", on_target=False), _changed_by(file, "the branch", on_target=True))
    return f"{code(file.path)}: {_reason(file.kind)}{regions}" + "".join(filter(None, sides))


def _reason(kind: ConflictKind) -> str:
    match kind:
        case ConflictKind.CONTENT:
            reason = "both sides changed the same lines"
        case ConflictKind.MODIFY_DELETE:
            reason = "changed on one side and not there on the other"
        case ConflictKind.ADD_ADD:
            reason = "added on both sides with different content"
        case ConflictKind.SUBMODULE:
            reason = "a submodule that both sides moved"
        case ConflictKind.BINARY:
            reason = "a binary file that both sides changed"
        case ConflictKind.OTHER:
            reason = "cannot be merged by lines, such as a link or a file that the other side has as a link"
        case _:
            assert_never(kind)
    return reason


def _changed_by(file: ConflictFile, side: str, *, on_target: bool) -> str:
    commits = [describe_commit(commit) for commit in file.changed_by if commit.on_target is on_target]
    return f"; on {side} changed by {', '.join(commits)}" if commits else ""


def after_prerequisites(prerequisites: Sequence[RelatedCommit], certainty: Certainty | None) -> str:
    """Word the result of a trial pick after earlier commits of main. It promises no more than the trial showed.

    `certainty` is how sure the resolution of the conflicts is that are left after them; None if none is left.
    """
    commits = ", ".join(map(describe_commit, prerequisites))
    number = count(len(prerequisites), "earlier commit")
    partial = any(commit.paths for commit in prerequisites)
    result = "It applies, with only a part of what they change," if partial else _AFTER[certainty]
    return f"{result} after {number} of main: {commits}."


_AFTER = {
    None: "It applies",
    Certainty.CERTAIN: "It does not apply as it is, but what conflicts can be resolved",
    Certainty.PROPOSED: "It does not apply as it is, but there is a proposal for what still conflicts",
}

"""What is the matter with a conflict → the words for it: each unmerged file, and what would make it apply.

The words are Markdown in which foreign text is inert.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.models import Certainty, ConflictFile, ConflictKind, RelatedCommit
from bot.report.candidates import describe_commit
from bot.text.markdown import code, count


def describe_conflict_file(file: ConflictFile) -> str:
    """Say what is the matter with one unmerged path."""
    said = {
        ConflictKind.CONTENT: "both sides changed the same lines",
        ConflictKind.MODIFY_DELETE: "changed on one side and not there on the other",
        ConflictKind.ADD_ADD: "added on both sides with different content",
        ConflictKind.SUBMODULE: "a submodule that both sides moved",
        ConflictKind.BINARY: "a binary file that both sides changed",
        ConflictKind.OTHER: "cannot be merged by lines, such as a link or a file that the other side has as a link",
    }[file.kind]
    regions = f", {count(file.regions, 'region')}" if file.regions else ""
    sides = (_changed_by(file, "main", on_target=False), _changed_by(file, "the branch", on_target=True))
    return f"{code(file.path)}: {said}{regions}" + "".join(filter(None, sides))


def _changed_by(file: ConflictFile, side: str, *, on_target: bool) -> str:
    commits = [describe_commit(each) for each in file.changed_by if each.on_target is on_target]
    return f"; on {side} changed by {', '.join(commits)}" if commits else ""


def after_prerequisites(prerequisites: Sequence[RelatedCommit], rest: Certainty | None) -> str:
    """Say what a trial came to after earlier commits of main, in a sentence that promises no more than that."""
    needed = ", ".join(describe_commit(each) for each in prerequisites)
    many = count(len(prerequisites), "earlier commit")
    said = "It applies, with only a part of what they change," if _in_part(prerequisites) else _AFTER[rest]
    return f"{said} after {many} of main: {needed}."


def _in_part(prerequisites: Sequence[RelatedCommit]) -> bool:
    return any(each.paths for each in prerequisites)


_AFTER = {
    None: "It applies",
    Certainty.CERTAIN: "It does not apply as it is, but what conflicts can be resolved",
    Certainty.PROPOSED: "It does not apply as it is, but there is a proposal for what still conflicts",
}

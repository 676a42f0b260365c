"""Says on a backport pull request which of the target branch's own workflows start on it, and which do not."""

from __future__ import annotations

from collections.abc import Sequence

from bot.models import BranchChecks, WorkflowStart
from bot.text.markdown import code, prose, text

_MAX_LISTED = 20
_MAX_BRANCHES = 3


def render_checks(
    checks: BranchChecks, *, branch: str, proven: bool, draft: bool = False, draft_note: str = ""
) -> list[str]:
    """Return the sentences, as Markdown. There are none if nothing is known.

    `draft_note` is the configuration's sentence about drafts.
    """
    sentences = [_own_token()] if checks.own_token and checks.workflows else _lists(checks, branch)
    starts = any(workflow.starts for workflow in checks.workflows) and not checks.own_token
    if sentences and not starts and (checks.complete or checks.own_token):
        reason = "the proof above is the only test of this change" if proven else "nothing tests this change"
        sentences.append(f"So before the merge {reason}.")
    if draft and draft_note:
        sentences.append(prose(draft_note))
    return sentences


def _own_token() -> str:
    return (
        "None of this branch's workflows starts here, because the token of a workflow run opened this pull request. "
        "A person can close and reopen it: then they start as for any other."
    )


def _lists(checks: BranchChecks, branch: str) -> list[str]:
    run = [workflow for workflow in checks.workflows if workflow.starts]
    other_workflows = [workflow for workflow in checks.workflows if not workflow.starts]
    sentences = []
    if run:
        sentences.append(f"By the workflow files of {code(branch)} these start here: {_names(run)}.")
    if other_workflows:
        lead = "These do not" if run else f"By the workflow files of {code(branch)} these do not start here"
        sentences.append(f"{lead}: {_names(other_workflows)}.")
    return sentences


def _names(workflows: Sequence[WorkflowStart]) -> str:
    names = [_name(workflow) for workflow in workflows[:_MAX_LISTED]]
    surplus = len(workflows) - _MAX_LISTED
    return ", ".join([*names, *([f"and {surplus} more"] if surplus > 0 else [])])


def _name(workflow: WorkflowStart) -> str:
    details = [text(workflow.name, 60)] if workflow.name else []
    if workflow.only_for:
        branches = ", ".join(code(branch, 60) for branch in workflow.only_for[:_MAX_BRANCHES])
        more = ", …" if len(workflow.only_for) > _MAX_BRANCHES else ""
        details.append(f"for {branches}{more}")
    elif not workflow.starts:
        details.append("for other files")
    suffix = f" ({'; '.join(details)})" if details else ""
    return f"{code(workflow.file, 100)}{suffix}"

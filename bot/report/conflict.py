"""The draft that holds a conflict: its body, its check run, and what is said when it is marked ready too early."""

from __future__ import annotations

from collections.abc import Sequence

from bot.models import Candidate, CheckRunText, Conflict, ConflictFile, Match, PullRequest, TargetPlan
from bot.report.check_run import MAX_SUMMARY
from bot.report.conflict_text import describe_conflict_file
from bot.report.manual_steps import resolve_recipe
from bot.report.pull_request import MAX_BODY
from bot.text.markdown import code, count, shorten
from bot.text.markers import BackportKey, conflict_marker, pull_request_marker
from bot.text.templates import render

CHECK = "Conflicts resolved"
_LISTED = 20


def render_conflict_body(
    original: PullRequest,
    plan: TargetPlan,
    conflict: Conflict,
    marked: Candidate,
    *,
    repository: str,
    requester: str,
    remote: str = "origin",
    template: str | None = None,
) -> str:
    """Render the body of a draft with conflict markers; hidden lines at its end find it again and say what it is.

    `remote` is where the draft's branch is, as the reader's clone knows it.
    """
    body = render(
        "conflict",
        template,
        original=original,
        requester=requester,
        branch=plan.branch,
        commits=marked.commits,
        conflict=conflict,
        files=[_described(file, marked) for file in conflict.files[:_LISTED]],
        more=max(0, len(conflict.files) - _LISTED),
        recipe=resolve_recipe(plan.backport_branch, [_held_in(file, marked) for file in conflict.files], remote=remote),
        check=CHECK,
    )
    key = BackportKey(repository=repository, commit=plan.commits[-1], target=plan.branch)
    return f"{shorten(body, MAX_BODY)}\n{conflict_marker()}\n{pull_request_marker(key)}\n"


def _held_in(file: ConflictFile, marked: Candidate) -> str:
    """Return the file that holds a conflict's markers: itself, or where it has no lines the one beside it."""
    return file.beside if file.beside in marked.files else file.path


def _described(file: ConflictFile, marked: Candidate) -> str:
    held_in = _held_in(file, marked)
    said = describe_conflict_file(file)
    return said if held_in == file.path else f"{said}; {code(held_in)} says what each side has"


def render_conflict_check(left: Sequence[Match]) -> CheckRunText:
    """Word the check run that is red until no marker is left."""
    if not left:
        said = "No changed file holds a conflict marker. What was resolved by hand, if anything, was not proven."
        return CheckRunText(name=CHECK, conclusion="success", title="no conflict marker", summary=said)
    files = dict.fromkeys(place.file for place in left)
    places = [f"- {code(f'{place.file}:{place.line}')}" for place in left[:_LISTED]]
    more = len(left) - _LISTED
    rest = [f"- … and {count(more, 'more place')}"] if more > 0 else []
    lead = "Resolve them on this branch and push; this check is then updated by itself."
    return CheckRunText(
        name=CHECK,
        conclusion="failure",
        title=f"{count(len(files), 'file')} with conflict markers",
        summary=shorten("\n".join([lead, "", *places, *rest]), MAX_SUMMARY),
    )


def render_sent_back(left: Sequence[Match], *, is_draft: bool = True) -> str:
    """Say why a pull request that holds markers is a draft again, or has a red check where it cannot be one."""
    files = ", ".join(code(name) for name in list(dict.fromkeys(place.file for place in left))[:_LISTED])
    if not is_draft:
        return (
            f"Conflict markers are left in {files}, so this must not be merged as it is. GitHub does not let it be a "
            "draft; its check stays red. Resolve them and push.\n"
        )
    return (
        f"Conflict markers are left in {files}, so this is a draft again and must not be merged as it is. "
        "Resolve them, push, then mark it ready.\n"
    )

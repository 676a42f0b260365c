"""Words the draft that holds a conflict: its body, its check run, and the reply to one marked ready too early."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from bot.models import Candidate, CheckRunText, Conflict, ConflictFile, Match, PullRequest, TargetPlan
from bot.report.check_run import MAX_SUMMARY
from bot.report.conflict_text import describe_conflict_file
from bot.report.manual_steps import resolve_recipe
from bot.report.original_description import DescriptionQuote, render_with_description
from bot.text.markdown import code, count, shorten
from bot.text.markers import BackportKey, conflict_marker, pull_request_marker
from bot.text.templates import render

CHECK = "Conflicts resolved"
_MAX_LISTED = 20
_NO_QUOTE = DescriptionQuote()


def render_conflict_body(  # noqa: PLR0913 - a body has this many sources, and the last three are optional
    original: PullRequest,
    plan: TargetPlan,
    conflict: Conflict,
    draft: Candidate,
    *,
    repository: str,
    requester: str,
    remote: str = "origin",
    draft_note: str = "",
    description: DescriptionQuote = _NO_QUOTE,
    template: str | None = None,
) -> str:
    """Render the body of a draft with conflict markers. Hidden lines at its end identify it later.

    `remote` is where the draft's branch is, as the reader's clone knows it. `draft_note` is the configuration's
    sentence about drafts, `description` says how the original's description is quoted.
    """
    render_text = partial(
        render,
        "conflict",
        template,
        original=original,
        requester=requester,
        branch=plan.branch,
        commits=draft.commits,
        conflict=conflict,
        files=[_describe(file, draft) for file in conflict.files[:_MAX_LISTED]],
        more=max(0, len(conflict.files) - _MAX_LISTED),
        recipe=resolve_recipe(
            plan.backport_branch, [_marked_file(file, draft) for file in conflict.files], remote=remote
        ),
        check=CHECK,
        draft_note=draft_note,
    )
    body = render_with_description(render_text, original, description)
    key = BackportKey(repository=repository, commit=plan.commits[-1], target=plan.branch)
    return f"{body}\n{conflict_marker()}\n{pull_request_marker(key)}\n"


def _marked_file(file: ConflictFile, draft: Candidate) -> str:
    """Return the file that holds a conflict's markers: itself or, if it has no lines, the file beside it."""
    return file.beside if file.beside in draft.files else file.path


def _describe(file: ConflictFile, draft: Candidate) -> str:
    marked_file = _marked_file(file, draft)
    description = describe_conflict_file(file)
    return description if marked_file == file.path else f"{description}; {code(marked_file)} says what each side has"


def render_conflict_check(markers: Sequence[Match]) -> CheckRunText:
    """Word the check run that stays red while `markers` are left."""
    if not markers:
        summary = "No changed file holds a conflict marker. Anything that was resolved by hand is not proven."
        return CheckRunText(name=CHECK, conclusion="success", title="no conflict marker", summary=summary)
    files = dict.fromkeys(place.file for place in markers)
    places = [f"- {code(f'{place.file}:{place.line}')}" for place in markers[:_MAX_LISTED]]
    surplus = len(markers) - _MAX_LISTED
    places += [f"- … and {count(surplus, 'more place')}"] if surplus > 0 else []
    lead = "Resolve them on this branch and push; this check then updates itself."
    return CheckRunText(
        name=CHECK,
        conclusion="failure",
        title=f"{count(len(files), 'file')} with conflict markers",
        summary=shorten("\n".join([lead, "", *places]), MAX_SUMMARY),
    )


def render_sent_back(markers: Sequence[Match], *, is_draft: bool = True) -> str:
    """Explain why a pull request with markers is a draft again or, if GitHub allows no draft, has a red check."""
    files = ", ".join(code(name) for name in list(dict.fromkeys(place.file for place in markers))[:_MAX_LISTED])
    if not is_draft:
        return (
            f"Conflict markers are left in {files}, so this must not be merged as it is. GitHub does not let it be a "
            "draft; its check stays red. Resolve them and push.\n"
        )
    return (
        f"Conflict markers are left in {files}, so this is a draft again and must not be merged as it is. "
        "Resolve them, push, then mark it ready.\n"
    )

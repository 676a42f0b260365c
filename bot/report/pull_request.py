"""Renders the title and the body of a backport pull request.

A reviewer reads there how the candidate was made, what was proven on which device, and which questions the original's
review left open.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import assert_never

from bot.models import (
    Candidate,
    Match,
    MergeMethod,
    Method,
    PullRequest,
    ReviewThread,
    TargetPlan,
    Verdict,
    VerdictOutcome,
)
from bot.report.buffers import render_bars
from bot.report.candidates import describe_commit
from bot.report.device_rows import decisive_device, device_rows
from bot.report.manual_steps import recipe
from bot.report.original_description import DescriptionQuote, render_with_description
from bot.report.resolutions import resolution_rows
from bot.report.verdict import (
    device_of,
    device_text,
    evidence,
    groups,
    headline,
    isolation_text,
    known_groups,
    meaning,
    overflow,
)
from bot.text.branch_names import slug
from bot.text.closing_keywords import neutralize_keywords
from bot.text.markdown import shorten, visible
from bot.text.markers import BackportKey, pull_request_marker
from bot.text.templates import render

DEFAULT_TITLE = "[{target}] {title} (backport #{number})"
MAX_TITLE = 256
"""Characters GitHub takes in a title."""
_MAX_RANGE_DIFF = 20_000
_NO_QUOTE = DescriptionQuote()


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchNotes:
    """What a carried patch says besides its change. `companions` are one line each: a name and why it belongs here."""

    name: str
    title: str
    url: str
    risks: tuple[str, ...] = ()
    open_questions: tuple[str, ...] = ()
    follow_ups: tuple[Match, ...] = ()
    companions: tuple[str, ...] = ()


def render_title(original: PullRequest, target: str, *, template: str = DEFAULT_TITLE) -> str:
    """Fill a title template. If the result is too long for GitHub, only the original's title is cut.

    `Fixes #1` in the original's title stays readable and closes no issue: a title becomes the subject of the merge.
    """
    title = neutralize_keywords(visible(original.title))
    frame = _fill(template, target=target, number=str(original.number), title="")
    return shorten(_fill(template, target=target, number=str(original.number), title=_cut(title, frame)), MAX_TITLE)


def render_body(  # noqa: PLR0913 - a body has this many sources, and all but three are optional
    original: PullRequest,
    candidate: Candidate,
    verdict: Verdict | None,
    *,
    repository: str,
    requester: str,
    remote: str = "origin",
    plan: TargetPlan | None = None,
    undone: str = "",
    notes: PatchNotes | None = None,
    threads: Sequence[ReviewThread] = (),
    range_diff: str = "",
    checks: Sequence[str] = (),
    description: DescriptionQuote = _NO_QUOTE,
    template: str | None = None,
    files: Mapping[str, bytes | None] = MappingProxyType({}),
    web_url: str = "",
) -> str:
    """Render the body: what was proven, what to review, how it was applied, details.

    Its last line is the hidden marker that identifies the pull request later. `remote` is the remote of the reader's
    clone that has the target branch. Without a `plan`, the original's merge commit counts as the picked one. `undone`
    is a sentence that says that the original was reverted since. `checks` are sentences, in Markdown, about the
    branch's own workflows. `description` says how the original's is quoted. `files` and `web_url` are those of
    `resolution_rows`.
    """
    commits = plan.commits if plan else (original.merge_commit or candidate.commit,)
    key = BackportKey(repository=repository, commit=commits[-1], target=candidate.branch)
    merged_by = plan.merge_method if plan else MergeMethod.SQUASH
    by_hand = recipe(
        branch=candidate.branch,
        backport_branch=plan.backport_branch if plan else f"backport/{original.number}-to-{slug(candidate.branch)}",
        commits=(*(commit.sha for commit in candidate.prerequisites), *commits),
        # git takes a mainline for an ordinary commit too, and a prerequisite may be a merge.
        merge_method=MergeMethod.MERGE if candidate.prerequisites else merged_by,
        parts={commit.sha: commit.paths for commit in candidate.prerequisites if commit.paths},
        remote=remote,
    )
    render_text = partial(
        render,
        "pull_request",
        template,
        original=original,
        candidate=candidate,
        requester=requester,
        undone=undone,
        verdict=verdict and _proof(verdict),
        commits=commits,
        prerequisites=[describe_commit(commit) for commit in candidate.prerequisites],
        resolutions=resolution_rows(candidate, files, web_url),
        applied_with=_applied_with(candidate.method),
        notes=notes,
        threads=threads,
        carried=candidate.method is Method.CARRIED_PATCH,
        checks=checks,
        range_diff=shorten(neutralize_keywords(range_diff), _MAX_RANGE_DIFF),
        recipe=by_hand,
    )
    body = render_with_description(render_text, original, description)
    return f"{body}\n{pull_request_marker(key)}\n"


def _applied_with(method: Method) -> str:
    match method:
        case Method.CHERRY_PICK | Method.CARRIED_PATCH:
            return ""
        case Method.SIBLING:
            return ", as it was backported to another branch, because the original itself conflicts"
        case Method.RESOLVED:
            return ", with the conflicts resolved"
        case _:
            assert_never(method)


def _proof(verdict: Verdict) -> dict[str, object]:
    return {
        "outcome": verdict.outcome.value,
        "proven": verdict.proven,
        "meaning": meaning(verdict.outcome),
        "reason": verdict.reason,
        "headline": headline(verdict),
        "without_tests": verdict.outcome is VerdictOutcome.NO_TESTS,
        "ran": bool(verdict.base.cases or verdict.candidate.cases or verdict.devices),
        "overflow": overflow(verdict),
        "devices": device_rows(verdict),
        "decisive": decisive_device(verdict),
        "device": device_text(device_of(verdict)),
        "isolation": isolation_text(verdict.isolation),
        "seconds": round(verdict.base.seconds + verdict.candidate.seconds),
        "groups": groups(verdict),
        "known": known_groups(verdict),
        "notes": verdict.notes,
        "evidence": evidence(verdict),
        "bars": render_bars(verdict),
    }


def _fill(template: str, **values: str) -> str:
    # One pass: a title that holds `{target}` or `$&` is text like any other.
    return re.sub(r"\{([a-z_]+)\}", lambda match: values.get(match.group(1), match.group()), template)


def _cut(title: str, frame: str) -> str:
    return shorten(title, max(20, MAX_TITLE - len(frame)))

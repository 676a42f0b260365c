"""Renders the status comment, which shows the state of each target branch and is edited with each change.

`outcomes` words each target branch. This module lays the branches out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urljoin

from bot.commands.parser import Command
from bot.commands.verbs import Verb
from bot.models import (
    BackportOptions,
    Conflicted,
    Match,
    MergeMethod,
    NotAffected,
    NotProven,
    PullRequest,
    Sha,
    Target,
    TargetOutcome,
)
from bot.report.conflict_text import describe_conflict_file
from bot.report.device_rows import device_rows
from bot.report.manual_steps import Recipe, compare_page, recipe, taking_back
from bot.report.outcome_summary import summary
from bot.report.outcomes import COMMANDS_BELOW, Ending, describe
from bot.report.verdict import case_title, device_of, device_text, failing_cases, first_line, groups, known_groups
from bot.text.markdown import code_cell
from bot.text.templates import render

MAX_COMMENT = 65_000
"""Characters; GitHub refuses more than 65,536."""
MAX_LISTED = 20
"""Files, places and cases that one fold lists. It only counts the rest."""


class Phase(StrEnum):
    """The step that a target branch is in."""

    PLANNED = "planned"
    CHECKING = "checking"
    PICKING = "picking"
    PROVING = "proving"
    PUBLISHING = "opening"


@dataclass(frozen=True, slots=True)
class TargetProgress:
    """A target branch under way. `target` is its name in the request; `detail` is one line about it."""

    target: str
    phase: Phase = Phase.PLANNED
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusView:
    """All that a status comment shows. `marker` is its first line, by which the bot finds it later.

    `name_branch` returns the name of a target's backport branch. `requested_commits` are those that the requester
    named. `note` is one line of our own Markdown, under the table.
    """

    marker: str
    original: PullRequest
    requester: str
    targets: Sequence[TargetProgress | TargetOutcome]
    commits: Sequence[Sha] = ()
    merge_method: MergeMethod = MergeMethod.SQUASH
    name_branch: Callable[[str], str] = "backport/{}".format
    options: BackportOptions = field(default_factory=BackportOptions)
    requested_commits: Sequence[str] = ()
    note: str = ""

    @property
    def request(self) -> Command:
        """The command of the request, without target branches."""
        return Command(verb=Verb.BACKPORT, options=self.options, commits=tuple(self.requested_commits))


NO_PATCH_FOR_COMPANIONS = (
    "`--with-companions` brings nothing along here: only a carried patch names its companions, and there is none for "
    "this pull request."
)
NO_COMPANIONS = "`--with-companions` brings nothing along here: the carried patch of this pull request names none."


def render_status(view: StatusView, *, template: str | None = None) -> str:
    """Render the status comment. The folds are left out if they would make it too long for GitHub."""
    for details in (True, False):
        body = render("status", template, **_values(view, details=details))
        if len(body) < MAX_COMMENT:
            break
    return f"{view.marker}\n{body[:MAX_COMMENT]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Detail:
    """What one target branch's fold shows besides its outcome."""

    ending: Ending
    evidence: Sequence[Match] = ()
    files: Sequence[str] = ()
    rungs: Sequence[object] = ()
    cases: Sequence[tuple[str, str]] = ()
    more: int = 0
    groups: Sequence[object] = ()
    devices: Sequence[object] = ()
    known: Sequence[object] = ()
    device: str = ""
    recipe: Recipe | None = None


def _values(view: StatusView, *, details: bool) -> dict[str, object]:
    results = [target for target in view.targets if not isinstance(target, TargetProgress)]
    rows = [
        _under_way(target) if isinstance(target, TargetProgress) else describe(target, view.request)
        for target in view.targets
    ]
    return {
        "original": view.original,
        "requester": view.requester,
        "options": view.options,
        "note": view.note,
        "rows": rows,
        "running": len(view.targets) - len(results),
        "summary": summary(results),
        "details": [_detail(target, view) for target in results] if details else [],
    }


def _under_way(target: TargetProgress) -> Ending:
    detail = f": {code_cell(target.detail, 80)}" if target.detail else ""
    return Ending(branch=target.target, icon="⏳", state=target.phase.value + detail)


def _detail(result: TargetOutcome, view: StatusView) -> _Detail:
    ending = describe(result, view.request, by_hand=COMMANDS_BELOW)
    match result:
        case NotAffected():
            return _Detail(ending=ending, evidence=result.check.evidence)
        case Conflicted():
            return _conflict_detail(ending, result, view)
        case NotProven():
            failures = failing_cases(result.verdict)
            return _Detail(
                ending=ending,
                rungs=result.candidate.rungs,
                cases=[(case_title(case.name), first_line(case.message)) for case in failures[:MAX_LISTED]],
                more=max(0, len(failures) - MAX_LISTED),
                groups=groups(result.verdict),
                devices=device_rows(result.verdict),
                known=known_groups(result.verdict),
                device=device_text(device_of(result.verdict)),
            )
        case _:
            return _Detail(ending=ending)


def _conflict_detail(ending: Ending, result: Conflicted, view: StatusView) -> _Detail:
    conflict = result.conflict
    target = Target.parse(result.target)
    backport_branch = view.name_branch(result.target)
    home = view.original.url.rpartition("/pull/")[0]
    page = urljoin(view.original.url, f"/{target.repository}") if target.repository else home
    name = f"{home.split('/', 3)[-1]}#{view.original.number}" if target.repository else f"#{view.original.number}"
    return _Detail(
        ending=ending,
        files=[describe_conflict_file(file) for file in conflict.files[:MAX_LISTED]],
        more=max(0, len(conflict.files) - MAX_LISTED),
        rungs=conflict.rungs,
        recipe=None
        if result.draft is not None
        else taking_back(
            recipe(
                branch=target.branch,
                remote=f"{page}.git" if target.repository else "origin",
                backport_branch=backport_branch,
                commits=view.commits or (conflict.commit,),
                merge_method=view.merge_method,
                files=[file.path for file in conflict.files],
                compare=compare_page(page, target.branch, backport_branch, body=f"Backport of {name}"),
            ),
            backport_branch,
            conflict.left_out,
        ),
    )

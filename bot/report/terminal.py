"""Renders text and Rich tables for a terminal: the results of check, apply and prove, the table of a run, errors.

Text from a tree or a comment is stripped of all that a terminal would act on.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import assert_never

from rich.box import SIMPLE_HEAD
from rich.padding import PaddingDimensions
from rich.table import Table
from rich.text import Text

from bot.errors import BackportError
from bot.models import (
    Affectedness,
    AlreadyApplied,
    Cancelled,
    CaseOutcome,
    Conflicted,
    DetectResult,
    Failed,
    NotAffected,
    NothingLeft,
    NotProven,
    Opened,
    SuiteRun,
    TargetOutcome,
    Verdict,
    WouldOpen,
)
from bot.report.candidates import how_applied
from bot.report.device_rows import DeviceRow, device_rows
from bot.report.outcomes import COMMANDS_ELSEWHERE, describe
from bot.report.verdict import (
    base_failed,
    candidate_failed,
    case_title,
    device_of,
    device_text,
    failing_cases,
    first_line,
    groups,
    isolation_text,
    known_groups,
    meaning,
    verdict_line,
)
from bot.text.markdown import count, shorten, visible

MAX_LISTED = 20


def _plain_table(title: str, padding: PaddingDimensions) -> Table:
    """Return a table with a line under its headings and no other lines: those take the width that words need."""
    named = Text(plain(title)) if title else None
    return Table(title=named, title_justify="left", box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=padding)


def number_table(title: str, first: str, headings: Sequence[str]) -> Table:
    """Return an empty table of a name and a number for each heading. Nine columns fit into 80 characters."""
    table = _plain_table(title, padding=0)
    table.add_column(first, overflow="fold", min_width=min(len(first), 12))
    for heading in headings:
        table.add_column(heading, justify="right", min_width=max(map(len, heading.split())))
    return table


def render_error(error: BackportError) -> str:
    """Word an error: what happened, and on the next line what to do about it."""
    return f"{plain(error.message)}\n{plain(error.hint)}".strip()


def render_check(report: DetectResult) -> str:
    """Word the result of a carried patch's rules on a tree, with the places that they matched."""
    lines = [f"{report.patch}: {report.status.value}. {plain(report.reason)}"]
    lines += [_place(match.file, match.line, match.rule, match.detail) for match in report.evidence[:MAX_LISTED]]
    if len(report.evidence) > MAX_LISTED:
        lines.append(f"  … and {count(len(report.evidence) - MAX_LISTED, 'more place')}")
    if report.status is Affectedness.UNKNOWN:
        lines.append("The rules do not recognise this code. The regression suite can decide: backport-bot prove TREE.")
    return "\n".join(lines)


def render_applied(patch: str, files: Sequence[str], *, dry_run: bool = False) -> str:
    """List the files that a carried patch changed in a tree, or would change in a dry run."""
    if not files:
        return f"{patch}: nothing to change, the fix is there already."
    verb = "would change" if dry_run else "changed"
    return "\n".join([f"{patch}: {verb} {count(len(files), 'file')}", *_indent(files)])


def render_step_failure(*, patch: str, step: str, file: str, expected: str, actual: str) -> str:
    """Word which step of a carried patch did not find what it expects; nothing was written."""
    return "\n".join(
        [
            f"{patch}: step {plain(step)} does not fit {plain(file)}. Nothing was written.",
            f"  expected  {plain(expected)}",
            f"  found     {plain(actual)}",
            f"See whether the tree is affected at all: backport-bot check TREE --patch {patch}.",
        ]
    )


def render_verdict(verdict: Verdict) -> str:
    """Word a verdict: outcome, numbers, groups, known failures, and the cases that still fail."""
    lines = [
        verdict_line(verdict),
        f"{meaning(verdict.outcome)} {plain(verdict.reason)}",
        f"on {plain(device_text(device_of(verdict)))}",
        *filter(None, [isolation_text(verdict.isolation)]),
        *map(_device_line, device_rows(verdict)),
    ]
    lines += [plain(note) for note in verdict.notes]
    for group in groups(verdict):
        past = f", past the end {group.before} → {_or_unknown(group.after)}" if group.before is not None else ""
        failures = f"{group.base_failed} failed before, {group.candidate_failed} after"
        lines.append(f"  {plain(group.name)}: {count(group.cases, 'case')}, {failures}{past}")
    for failure in known_groups(verdict):
        state = "failing still" if failure.still_fails else "passing: the declaration is out of date"
        cases = count(len(failure.cases), "case")
        lines.append(f"  known failure {plain(failure.name)} ({cases}, {state}): {plain(failure.reason)}")
    failing_now = failing_cases(verdict)
    lines += [
        f"  fails: {plain(case_title(case.name))}: {plain(first_line(case.message))}"
        for case in failing_now[:MAX_LISTED]
    ]
    if len(failing_now) > MAX_LISTED:
        lines.append(f"  … and {count(len(failing_now) - MAX_LISTED, 'more failing case')}")
    return "\n".join(lines)


def _device_line(row: DeviceRow) -> str:
    runs = f"base run {row.base}, candidate run {row.candidate}"
    return f"  {plain(f'{row.name}: {row.outcome} on {row.used}: {runs}; image {row.image}; {row.minutes} minutes')}"


# Six columns fit into 80 characters, if the name of the branch and the words are not longer than usual.
_COLUMNS: tuple[tuple[str, int | None], ...] = (
    ("target branch", None),
    ("affected?", 9),
    ("how applied", 14),
    ("base run", 10),
    ("candidate run", 10),
    ("pull request", 11),
)


def results_table(results: Sequence[TargetOutcome], *, title: str | None = None) -> Table:
    """Lay out the outcomes: target branch · affected? · how applied · base run · candidate run · pull request.

    The cells are short. `render_explanations` has the sentences to print under the table.
    """
    rows = [tuple(map(plain, _row(result))) for result in results]
    table = _plain_table(title or "", padding=(0, 1, 0, 0))
    for (heading, width), *cells in zip(_COLUMNS, *rows, strict=True):
        longest = max(len(word) for text in (heading, *cells) for word in text.split())
        table.add_column(heading, overflow="fold", max_width=width and max(width, longest))  # Rich breaks longer words
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def render_explanations(results: Sequence[TargetOutcome], *, by_hand: str = COMMANDS_ELSEWHERE) -> str:
    """Word for each branch what the table does not show: the pull request's URL, or why there is none.

    `by_hand` says how a conflict is finished by hand.
    """
    lines = []
    for result in results:
        ending = describe(result, by_hand=by_hand)
        parts = [result.pull_request.url] if isinstance(result, Opened) else []
        parts += [ending.fact, ending.consequence, ending.remedy]
        lines.append(f"{plain(result.target)}: {plain(' '.join(filter(None, parts)))}")
    return "\n".join(lines)


def plain(value: object, limit: int = 2000) -> str:
    """Return one line without control characters and escape sequences, at most `limit` characters long."""
    line = "".join(c for c in visible(value) if unicodedata.category(c)[0] != "C" or c == "\u200d")
    return shorten(line, limit)


def _row(result: TargetOutcome) -> tuple[str, str, str, str, str, str]:  # noqa: PLR0911 - one for each outcome
    match result:
        case Opened(created=False):
            return result.target, "", "", "", "", f"#{result.pull_request.number}, already open"
        case Opened() | WouldOpen() | NotProven():
            method = how_applied(result.candidate) if result.candidate else ""
            return result.target, _affected_cell(result.verdict), method, *_runs(result.verdict), _pull_request(result)
        case NotAffected():
            return result.target, "no", "", "", "", "none needed"
        case NothingLeft():
            return result.target, "", "all left out", "", "", "none needed"
        case AlreadyApplied():
            return result.target, "not any more", "already applied", "", "", "none needed"
        case Failed() | Cancelled():
            return result.target, "", "", "", "", f"none: {result.status.value}"
        case Conflicted():
            method = f"conflict in {count(len(result.conflict.files), 'file')}"
            return result.target, "", method, "", "", "none: conflict"
        case _:
            assert_never(result)


def _affected_cell(verdict: Verdict | None) -> str:
    if verdict is None or base_failed(verdict) is None:
        return ""
    return "yes" if base_failed(verdict) else "not shown"


def _runs(verdict: Verdict | None) -> tuple[str, str]:
    if verdict is None:
        return "not run", "not run"
    known_names = frozenset(failure.case for failure in verdict.known_failures)
    base, candidate = base_failed(verdict), candidate_failed(verdict)
    return _run(verdict.base, base, known_names), _run(verdict.candidate, candidate, known_names)


def _run(run: SuiteRun, failures: int | None, known_names: frozenset[str]) -> str:
    if failures is None:
        return f"not usable: {run.problem}" if run.problem else "not run"
    known_failures = sum(case.name in known_names and case.outcome is CaseOutcome.FAILED for case in run.cases)
    return f"{failures} of {len(run.cases)} failed" + (f", {known_failures} known" if known_failures else "")


def _pull_request(result: Opened | WouldOpen | NotProven) -> str:
    match result:
        case Opened():
            return f"#{result.pull_request.number}{' (draft)' if result.pull_request.draft else ''}"
        case WouldOpen():
            return "would be opened"
        case _:
            return f"none: {result.verdict.outcome.value}"


def _place(file: str, line: int, rule: str, detail: str) -> str:
    place = f"{file}:{line}" if line else file
    return f"  {plain(place)}  {plain(rule)}" + (f": {plain(detail)}" if detail else "")


def _indent(lines: Sequence[str]) -> list[str]:
    return [f"  {plain(line)}" for line in lines]


def _or_unknown(figure: int | None) -> str:
    return "?" if figure is None else str(figure)

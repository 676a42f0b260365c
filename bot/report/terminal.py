"""What a person reads in a terminal: check, apply and prove results, the table of a run, errors.

Owns plain text and Rich tables. Escapes what a terminal would act on: nothing from a tree or a comment reaches it raw.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from bot.errors import BackportError
from bot.models import (
    Affectedness,
    AlreadyApplied,
    Cancelled,
    CaseOutcome,
    DetectResult,
    Failed,
    NotAffected,
    NotProven,
    Opened,
    SuiteRun,
    TargetOutcome,
    Verdict,
    WouldOpen,
)
from bot.report.candidates import how_applied
from bot.report.outcomes import describe
from bot.report.verdict import (
    base_failed,
    candidate_failed,
    case_title,
    device_of,
    device_text,
    failing_cases,
    first_line,
    groups,
    headline,
    isolation_text,
    known_groups,
    meaning,
)
from bot.text.markdown import count, shorten, visible

LISTED = 20


def render_error(error: BackportError) -> str:
    """Say what happened and what to do about it, on a line each."""
    return f"{plain(error.message)}\n{plain(error.hint)}".strip()


def render_check(report: DetectResult) -> str:
    """Say what a carried patch's rules found in a tree, and where."""
    lines = [f"{report.patch}: {report.status.value}. {plain(report.reason)}"]
    lines += [_place(each.file, each.line, each.rule, each.detail) for each in report.evidence[:LISTED]]
    if len(report.evidence) > LISTED:
        lines.append(f"  … and {count(len(report.evidence) - LISTED, 'more place')}")
    if report.status is Affectedness.UNKNOWN:
        lines.append("The rules do not know this code. The regression suite can tell: backport-bot prove TREE.")
    return "\n".join(lines)


def render_applied(patch: str, changed: Sequence[str], *, written: bool = True) -> str:
    """Say what a carried patch changed in a tree."""
    if not changed:
        return f"{patch}: nothing to change, the fix is there already."
    verb = "changed" if written else "would change"
    return "\n".join([f"{patch}: {verb} {count(len(changed), 'file')}", *_indented(changed)])


def render_step_failure(*, patch: str, step: str, file: str, expected: str, found: str) -> str:
    """Say which step of a carried patch did not find what it expects; nothing was written."""
    return "\n".join(
        [
            f"{patch}: step {plain(step)} does not fit {plain(file)}. Nothing was written.",
            f"  expected  {plain(expected)}",
            f"  found     {plain(found)}",
            f"See whether the tree is affected at all: backport-bot check TREE --patch {patch}.",
        ]
    )


def render_verdict(verdict: Verdict) -> str:
    """Say what base run and candidate run came to: outcome, numbers, groups, known failures, what still fails."""
    lines = [
        f"{verdict.outcome.value}: {headline(verdict)}",
        f"{meaning(verdict.outcome)} {plain(verdict.reason)}",
        f"on {plain(device_text(device_of(verdict)))}",
        *filter(None, [isolation_text(verdict.isolation)]),
    ]
    lines += [plain(note) for note in verdict.notes]
    for each in groups(verdict):
        past = f", past the end {each.before} → {_or_unknown(each.after)}" if each.before is not None else ""
        failing = f"{each.base_failed} failed before, {each.candidate_failed} after"
        lines.append(f"  {plain(each.name)}: {count(each.cases, 'case')}, {failing}{past}")
    for known in known_groups(verdict):
        state = "failing still" if known.still_fails else "passing: the declaration is out of date"
        cases = count(len(known.cases), "case")
        lines.append(f"  known failure {plain(known.name)} ({cases}, {state}): {plain(known.reason)}")
    failing_now = failing_cases(verdict)
    lines += [
        f"  fails: {plain(case_title(case.name))}: {plain(first_line(case.message))}" for case in failing_now[:LISTED]
    ]
    if len(failing_now) > LISTED:
        lines.append(f"  … and {count(len(failing_now) - LISTED, 'more failing case')}")
    return "\n".join(lines)


def results_table(results: Sequence[TargetOutcome], *, title: str | None = None) -> Table:
    """Lay out the endings: target branch · affected? · how applied · base run · candidate run · pull request.

    Sentences stand in `render_explanations`, to be printed under the table: a cell is read at a glance.
    """
    table = Table(title=title and Text(title), title_justify="left", expand=False)
    for heading in ("target branch", "affected?", "how applied", "base run", "candidate run", "pull request"):
        table.add_column(heading, overflow="fold", no_wrap=heading == "target branch")
    for result in results:
        table.add_row(*(Text(plain(cell)) for cell in _row(result)))
    return table


def render_explanations(results: Sequence[TargetOutcome]) -> str:
    """Say for each branch what there is to say beyond the table: the pull request's address, or why there is none."""
    lines = []
    for result in results:
        ending = describe(result)
        said = [result.pull_request.url] if isinstance(result, Opened) else []
        said += [ending.fact, ending.consequence, ending.remedy]
        lines.append(f"{plain(result.branch)}: {plain(' '.join(filter(None, said)))}")
    return "\n".join(lines)


def plain(value: object, limit: int = 2000) -> str:
    """Return one line that a terminal only shows: no control characters, no escape sequences."""
    kept = "".join(c for c in visible(value) if unicodedata.category(c)[0] != "C" or c == "\u200d")
    return shorten(kept, limit)


def _row(result: TargetOutcome) -> tuple[str, str, str, str, str, str]:
    match result:
        case Opened(created=False):
            return result.branch, "", "", "", "", f"#{result.pull_request.number}, already open"
        case Opened() | WouldOpen() | NotProven():
            how = how_applied(result.candidate) if result.candidate else ""
            return result.branch, _affected(result.verdict), how, *_runs(result.verdict), _pull_request(result)
        case NotAffected():
            return result.branch, "no", "", "", "", "none needed"
        case AlreadyApplied():
            return result.branch, "not any more", "already applied", "", "", "none needed"
        case Failed() | Cancelled():
            return result.branch, "", "", "", "", f"none: {result.status.value}"
        case _:
            return (
                result.branch,
                "",
                f"conflict in {count(len(result.conflict.files), 'file')}",
                "",
                "",
                "none: conflict",
            )


def _affected(verdict: Verdict | None) -> str:
    if verdict is None or base_failed(verdict) is None:
        return ""
    return "yes" if base_failed(verdict) else "not shown"


def _runs(verdict: Verdict | None) -> tuple[str, str]:
    if verdict is None:
        return "not run", "not run"
    known = frozenset(each.case for each in verdict.known_failures)
    base, candidate = base_failed(verdict), candidate_failed(verdict)
    return _run(verdict.base, base, known), _run(verdict.candidate, candidate, known)


def _run(run: SuiteRun, failed: int | None, known: frozenset[str]) -> str:
    if failed is None:
        return f"not usable: {run.problem}" if run.problem else "not run"
    declared = sum(case.name in known and case.outcome is CaseOutcome.FAILED for case in run.cases)
    return f"{failed} of {len(run.cases)} failed" + (f", {declared} known" if declared else "")


def _pull_request(result: Opened | WouldOpen | NotProven) -> str:
    match result:
        case Opened():
            return f"#{result.pull_request.number}{' (draft)' if result.pull_request.draft else ''}"
        case WouldOpen():
            return "would be opened"
        case _:
            return f"none: {result.verdict.outcome.value}"


def _place(file: str, line: int, rule: str, detail: str) -> str:
    at = f"{file}:{line}" if line else file
    return f"  {plain(at)}  {plain(rule)}" + (f": {plain(detail)}" if detail else "")


def _indented(lines: Sequence[str]) -> list[str]:
    return [f"  {plain(line)}" for line in lines]


def _or_unknown(figure: int | None) -> str:
    return "?" if figure is None else str(figure)

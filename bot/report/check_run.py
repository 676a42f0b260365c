"""Words the check runs: one on the original for each target branch, and the proof on a backport pull request.

A check run has a title, a summary and a conclusion. The conclusion is neutral, never red, if the author of the original
is not to blame.
"""

from __future__ import annotations

from typing import assert_never

from bot.models import CheckRunText, NotProven, Status, TargetOutcome, Verdict, VerdictOutcome
from bot.report.buffers import render_bars
from bot.report.device_rows import device_rows
from bot.report.outcomes import describe
from bot.report.verdict import (
    device_of,
    device_text,
    evidence,
    groups,
    headline,
    isolation_text,
    known_groups,
    meaning,
    verdict_line,
)
from bot.text.markdown import code, prose, shorten, visible
from bot.text.templates import render

MAX_SUMMARY = 65_000
"""Characters; GitHub refuses more than 65,535."""
MAX_TITLE = 255
PROOF = "backport proof"


def _target_conclusion(status: Status) -> str:
    match status:
        case Status.OPENED | Status.WOULD_OPEN | Status.ALREADY_APPLIED:
            return "success"
        case Status.NOT_AFFECTED | Status.NOTHING_LEFT | Status.CONFLICT | Status.NOT_PROVEN:
            return "neutral"
        case Status.FAILED:
            return "failure"
        case Status.CANCELLED:
            return "cancelled"
        case _:
            assert_never(status)


def _proof_conclusion(outcome: VerdictOutcome) -> str:
    match outcome:
        case VerdictOutcome.PROVEN:
            return "success"
        case VerdictOutcome.NOT_REPRODUCED | VerdictOutcome.INCONCLUSIVE | VerdictOutcome.NO_TESTS:
            return "neutral"
        case VerdictOutcome.INCOMPLETE | VerdictOutcome.REGRESSED:
            return "failure"
        case _:
            assert_never(outcome)


def target_check_name(target: str) -> str:
    """Return the name of the check run on the original for a target branch."""
    return shorten(f"backport to {visible(target)}", MAX_TITLE)


def render_target_check(result: TargetOutcome, *, template: str | None = None) -> CheckRunText:
    """Word the check run on the original pull request for one target branch."""
    ending = describe(result)
    verdict = result.verdict if isinstance(result, NotProven) else None
    sentences = " ".join(part for part in (ending.fact, ending.consequence, ending.remedy) if part)
    return CheckRunText(
        name=target_check_name(result.target),
        conclusion=_target_conclusion(result.status),
        title=shorten(ending.state + (f": {_runs(verdict)}" if verdict else ""), MAX_TITLE),
        summary=_summary(
            sentences or f"{ending.state}: {ending.pull_request or code(result.target)}", verdict, template
        ),
    )


def _runs(verdict: Verdict) -> str:
    return verdict_line(verdict) if verdict.outcome is VerdictOutcome.NO_TESTS else headline(verdict)


def render_proof_check(verdict: Verdict | None, *, template: str | None = None) -> CheckRunText:
    """Word the check run on a backport pull request: the proof of its commit, or that there is none."""
    if verdict is None:
        summary = "The regression suite was not run, as requested. Review this as an unproven change."
        return CheckRunText(name=PROOF, conclusion="neutral", title="unproven", summary=summary)
    return CheckRunText(
        name=PROOF,
        conclusion=_proof_conclusion(verdict.outcome),
        title=shorten(verdict_line(verdict), MAX_TITLE),
        summary=_summary(" ".join(filter(None, _lead(verdict))), verdict, template),
    )


def _lead(verdict: Verdict) -> tuple[str, ...]:
    without_tests = verdict.outcome is VerdictOutcome.NO_TESTS
    return meaning(verdict.outcome), prose(verdict.reason) if without_tests else "", evidence(verdict)


def _summary(lead: str, verdict: Verdict | None, template: str | None) -> str:
    summary = render(
        "check_run",
        template,
        said=lead,
        device=device_text(device_of(verdict)) if verdict else "",
        isolation=isolation_text(verdict.isolation) if verdict else "",
        devices=device_rows(verdict) if verdict else (),
        groups=groups(verdict) if verdict else (),
        known=known_groups(verdict) if verdict else (),
        bars=render_bars(verdict) if verdict else "",
    )
    return shorten(summary, MAX_SUMMARY)

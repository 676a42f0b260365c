"""The check runs: on the original, one for each target branch; on a backport pull request, its proof.

Owns title, summary and conclusion. A branch that is no fault of the author's is neutral, never red.
"""

from __future__ import annotations

from bot.models import CheckRunText, NotProven, Status, TargetOutcome, Verdict, VerdictOutcome
from bot.report.buffers import render_bars
from bot.report.outcomes import describe
from bot.report.verdict import device_of, device_text, evidence, groups, headline, isolation_text, known_groups, meaning
from bot.text.markdown import code, shorten, visible
from bot.text.templates import render

MAX_SUMMARY = 65_000
"""Characters; GitHub refuses more than 65,535."""
MAX_TITLE = 255
PROOF = "backport proof"

_CONCLUSIONS = {
    Status.OPENED: "success",
    Status.WOULD_OPEN: "success",
    Status.ALREADY_APPLIED: "success",
    Status.NOT_AFFECTED: "neutral",
    Status.CONFLICT: "neutral",
    Status.NOT_PROVEN: "neutral",
    Status.FAILED: "failure",
    Status.CANCELLED: "cancelled",
}
_VERDICTS = {
    VerdictOutcome.PROVEN: "success",
    VerdictOutcome.NOT_REPRODUCED: "neutral",
    VerdictOutcome.INCOMPLETE: "failure",
    VerdictOutcome.REGRESSED: "failure",
    VerdictOutcome.INCONCLUSIVE: "neutral",
}


def render_target_check(result: TargetOutcome, *, template: str | None = None) -> CheckRunText:
    """Word the check run on the original pull request for one target branch."""
    ending = describe(result)
    verdict = result.verdict if isinstance(result, NotProven) else None
    said = " ".join(part for part in (ending.fact, ending.consequence, ending.remedy) if part)
    return CheckRunText(
        name=shorten(f"backport to {visible(result.branch)}", MAX_TITLE),
        conclusion=_CONCLUSIONS[result.status],
        title=shorten(ending.state + (f": {headline(verdict)}" if verdict else ""), MAX_TITLE),
        summary=_summary(said or f"{ending.state}: {ending.pull_request or code(result.branch)}", verdict, template),
    )


def render_proof_check(verdict: Verdict | None, *, template: str | None = None) -> CheckRunText:
    """Word the check run on a backport pull request: what was proven on its very commit, or that nothing was."""
    if verdict is None:
        said = "The regression suite was not run, as asked for. Review this as an unproven change."
        return CheckRunText(name=PROOF, conclusion="neutral", title="unproven", summary=said)
    return CheckRunText(
        name=PROOF,
        conclusion=_VERDICTS[verdict.outcome],
        title=shorten(f"{verdict.outcome.value}: {headline(verdict)}", MAX_TITLE),
        summary=_summary(" ".join(filter(None, (meaning(verdict.outcome), evidence(verdict)))), verdict, template),
    )


def _summary(said: str, verdict: Verdict | None, template: str | None) -> str:
    rendered = render(
        "check_run",
        template,
        said=said,
        device=device_text(device_of(verdict)) if verdict else "",
        isolation=isolation_text(verdict.isolation) if verdict else "",
        groups=groups(verdict) if verdict else (),
        known=known_groups(verdict) if verdict else (),
        bars=render_bars(verdict) if verdict else "",
    )
    return shorten(rendered, MAX_SUMMARY)

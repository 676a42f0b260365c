"""The verdict of a proof in which no suite ran to its end."""

from __future__ import annotations

from bot.models import SuiteRun, Verdict, VerdictOutcome


def inconclusive(
    reason: str,
    *,
    problem: str = "",
    commits: tuple[str, str] = ("", ""),
    notes: tuple[str, ...] = (),
    evidence_url: str = "",
) -> Verdict:
    """Return an inconclusive verdict without cases. `problem` is shown for both runs; it is `reason` by default.

    `commits` are those of base and candidate, or empty if they are not known.
    """
    base, candidate = (
        SuiteRun(tree=tree, cases=(), device=None, seconds=0.0, commit=commit, problem=problem or reason)
        for tree, commit in zip(("base", "candidate"), commits, strict=True)
    )
    return Verdict(
        outcome=VerdictOutcome.INCONCLUSIVE,
        reason=reason,
        base=base,
        candidate=candidate,
        notes=notes,
        evidence_url=evidence_url,
    )

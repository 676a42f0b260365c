"""Renders a verdict as one HTML page, which is kept beside the reports of its runs.

The page has no script and loads nothing. Foreign text is escaped.
"""

from __future__ import annotations

from markupsafe import Markup

from bot.models import CaseResult, Verdict
from bot.report.device_rows import device_rows
from bot.report.html_pages import render_template
from bot.report.verdict import (
    case_title,
    device_of,
    device_text,
    first_line,
    groups,
    isolation_text,
    known_groups,
    meaning,
    verdict_line,
)


def render_page(verdict: Verdict, *, picture: str = "") -> str:
    """Render the page. `picture` is an SVG document that the bot drew."""
    return render_template("verdict.html.j2", **verdict_values(verdict, picture=picture))


def verdict_values(verdict: Verdict, *, picture: str = "") -> dict[str, object]:
    """Return what the template `verdict_body.html.j2` shows."""
    return {
        "verdict": verdict,
        "line": verdict_line(verdict),
        "meaning": meaning(verdict.outcome),
        "device": device_text(device_of(verdict)),
        "isolation": isolation_text(verdict.isolation),
        "groups": groups(verdict),
        "devices": device_rows(verdict),
        "known": known_groups(verdict),
        "covered": verdict.candidate.covered,
        "cases": _cases(verdict),
        "picture": Markup(picture),  # noqa: S704 - drawn by us, with every text in it escaped
    }


def _cases(verdict: Verdict) -> list[dict[str, str]]:
    """Return a row for each case with the results of both runs, in the order of the base run."""
    base = {case.name: case for case in verdict.base.cases}
    candidate = {case.name: case for case in verdict.candidate.cases}
    return [_row(name, base.get(name), candidate.get(name)) for name in base | candidate]


def _row(name: str, before: CaseResult | None, after: CaseResult | None) -> dict[str, str]:
    messages = [first_line(case.message) for case in (before, after) if case and case.message]
    return {
        "name": case_title(name),
        "before": before.outcome.value if before else "not there",
        "after": after.outcome.value if after else "not there",
        "past_before": before.figures.get("past_end", "") if before else "",
        "past_after": after.figures.get("past_end", "") if after else "",
        "said": messages[-1] if messages else "",
    }

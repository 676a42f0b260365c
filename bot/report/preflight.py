"""The words for a preflight: on the check run, in an answer, in a terminal and as data.

Owns that a forecast never turns anything red: it speaks of branches that nobody has asked for.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.models import CheckRunText, Outlook, TargetForecast
from bot.report.conflict_text import after_prerequisites, describe_conflict_file
from bot.report.json_data import Json, outlook_after
from bot.report.terminal import plain
from bot.text.markdown import code, code_cell, count, prose, shorten

NAME = "Backport preflight"
_MAX_SUMMARY = 65_000
_LISTED = 20

_WORDS = {
    Outlook.CLEAN: ("✅", "clean"),
    Outlook.RESOLVABLE: ("☑️", "resolvable"),
    Outlook.CONFLICT: ("❌", "conflict"),
    Outlook.NOT_AFFECTED: ("⚪", "not affected"),
    Outlook.ALREADY_APPLIED: ("✔️", "already there"),
    Outlook.UNKNOWN: ("❔", "unknown"),
}


def finding(forecast: TargetForecast) -> str:
    """Say in a line what a branch would come to, in prose whose code spans are meant."""
    needs = f" {count(len(forecast.findings), 'place')} may need what the branch lacks." if forecast.findings else ""
    return f"{_WORDS[forecast.outlook][1]}. {forecast.reason}{needs}"


def render_preflight_check(forecasts: Sequence[TargetForecast]) -> CheckRunText:
    """Word the check run on the head of a pull request; it is neutral whatever it says."""
    rows = ["| stable branch | outlook | |", "|---|---|---|", *map(_row, forecasts)]
    lead = "If this were merged now, a backport would come to this. Nothing is asked for and nothing was pushed."
    details = [_details(each) for each in forecasts if each.files or each.findings]
    return CheckRunText(
        name=NAME,
        conclusion="neutral",
        title=headline(forecasts),
        summary=shorten("\n\n".join([lead, "\n".join(rows), *details]), _MAX_SUMMARY),
    )


def headline(forecasts: Sequence[TargetForecast]) -> str:
    """Count the outlooks, e.g. "2 clean, 1 conflict"."""
    counted = ((sum(each.outlook is outlook for each in forecasts), words) for outlook, (_, words) in _WORDS.items())
    return ", ".join(f"{number} {words}" for number, words in counted if number) or "there is no stable branch"


def _row(forecast: TargetForecast) -> str:
    icon, words = _WORDS[forecast.outlook]
    return f"| {code_cell(forecast.branch)} | {icon} {words} | {prose(forecast.reason)} |"


def _details(forecast: TargetForecast) -> str:
    lines = [f"{code(forecast.branch)}:", ""]
    lines += [f"- {describe_conflict_file(file)}" for file in forecast.files[:_LISTED]]
    lines += [f"- {code(f'{each.file}:{each.line}')}: {prose(each.detail)}" for each in forecast.findings[:_LISTED]]
    if forecast.prerequisites:
        lines += ["", after_prerequisites(forecast.prerequisites, forecast.rest)]
    return "\n".join(lines)


def render_preflight(forecasts: Sequence[TargetForecast]) -> str:
    """Say in a terminal what each branch would come to."""
    width = max((len(each.branch) for each in forecasts), default=0)
    lines = [f"{plain(each.branch):{width}}  {plain(finding(each))}" for each in forecasts]
    return "\n".join([*lines, headline(forecasts)])


def forecasts_to_json(forecasts: Sequence[TargetForecast]) -> list[Json]:
    """Return the forecasts as data for scripts."""
    return [
        {
            "branch": each.branch,
            "outlook": each.outlook.value,
            "reason": each.reason,
            "files": [{"path": file.path, "kind": file.kind.value, "regions": file.regions} for file in each.files],
            "findings": [
                {"file": place.file, "line": place.line, "rule": place.rule, "detail": place.detail}
                for place in each.findings
            ],
            "prerequisites": [
                {"sha": commit.sha, "subject": commit.subject, "paths": list(commit.paths) or None}
                for commit in each.prerequisites
            ],
            "after_prerequisites": outlook_after(each.prerequisites, each.rest),
        }
        for each in forecasts
    ]

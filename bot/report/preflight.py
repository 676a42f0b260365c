"""Words a preflight for the check run, for a reply and for a terminal, and converts it to JSON.

A forecast is about branches without a request. So it never turns a check red.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import assert_never

from bot.models import CheckRunText, Outlook, TargetForecast
from bot.report.conflict_text import after_prerequisites, describe_conflict_file
from bot.report.json_data import Json, outlook_after
from bot.report.terminal import plain
from bot.text.markdown import code, code_cell, count, prose, shorten

NAME = "Backport preflight"
_MAX_SUMMARY = 65_000
_MAX_LISTED = 20


def _words(outlook: Outlook) -> tuple[str, str]:
    """Return an outlook's icon and name."""
    match outlook:
        case Outlook.CLEAN:
            words = "✅", "clean"
        case Outlook.RESOLVABLE:
            words = "☑️", "resolvable"
        case Outlook.CONFLICT:
            words = "❌", "conflict"
        case Outlook.NOT_AFFECTED:
            words = "⚪", "not affected"
        case Outlook.ALREADY_APPLIED:
            words = "✔️", "already there"
        case Outlook.NOTHING_LEFT:
            words = "⚪", "nothing left to bring"
        case Outlook.UNKNOWN:
            words = "❔", "unknown"
        case _:
            assert_never(outlook)
    return words


def finding(forecast: TargetForecast) -> str:
    """Word one branch's forecast on a line. Backticks in it are code spans."""
    needs = f" {count(len(forecast.findings), 'place')} may need what the branch lacks." if forecast.findings else ""
    return f"{_words(forecast.outlook)[1]}. {forecast.reason}{needs}"


def render_preflight_check(forecasts: Sequence[TargetForecast]) -> CheckRunText:
    """Word the check run on the head of a pull request; it is always neutral."""
    rows = ["| stable branch | outlook | |", "|---|---|---|", *map(_row, forecasts)]
    lead = "This is the forecast if this were merged now. Nothing is requested and nothing was pushed."
    details = [_details(forecast) for forecast in forecasts if forecast.files or forecast.findings]
    return CheckRunText(
        name=NAME,
        conclusion="neutral",
        title=headline(forecasts),
        summary=shorten("\n\n".join([lead, "\n".join(rows), *details]), _MAX_SUMMARY),
    )


def headline(forecasts: Sequence[TargetForecast]) -> str:
    """Count the outlooks, e.g. "2 clean, 1 conflict"."""
    numbers = Counter(forecast.outlook for forecast in forecasts)
    counts = (f"{numbers[outlook]} {_words(outlook)[1]}" for outlook in Outlook if numbers[outlook])
    return ", ".join(counts) or "there is no stable branch"


def _row(forecast: TargetForecast) -> str:
    icon, words = _words(forecast.outlook)
    return f"| {code_cell(forecast.branch)} | {icon} {words} | {prose(forecast.reason)} |"


def _details(forecast: TargetForecast) -> str:
    lines = [f"{code(forecast.branch)}:", ""]
    lines += [f"- {describe_conflict_file(file)}" for file in forecast.files[:_MAX_LISTED]]
    lines += [
        f"- {code(f'{place.file}:{place.line}')}: {prose(place.detail)}" for place in forecast.findings[:_MAX_LISTED]
    ]
    if forecast.prerequisites:
        lines += ["", after_prerequisites(forecast.prerequisites, forecast.rest)]
    return "\n".join(lines)


def render_preflight(forecasts: Sequence[TargetForecast]) -> str:
    """Word the forecasts for a terminal, one branch a line."""
    width = max((len(forecast.branch) for forecast in forecasts), default=0)
    lines = [f"{plain(forecast.branch):{width}}  {plain(finding(forecast))}" for forecast in forecasts]
    return "\n".join([*lines, headline(forecasts)])


def forecasts_to_json(forecasts: Sequence[TargetForecast]) -> list[Json]:
    """Return the forecasts as data for scripts."""
    return [
        {
            "branch": forecast.branch,
            "outlook": forecast.outlook.value,
            "reason": forecast.reason,
            "files": [{"path": file.path, "kind": file.kind.value, "regions": file.regions} for file in forecast.files],
            "findings": [
                {"file": place.file, "line": place.line, "rule": place.rule, "detail": place.detail}
                for place in forecast.findings
            ],
            "prerequisites": [
                {"sha": commit.sha, "subject": commit.subject, "paths": list(commit.paths) or None}
                for commit in forecast.prerequisites
            ],
            "after_prerequisites": outlook_after(forecast.prerequisites, forecast.rest),
            "left_out": list(forecast.left_out),
        }
        for forecast in forecasts
    ]

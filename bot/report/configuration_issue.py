"""Words the issue that tells maintainers of a configuration that cannot be used."""

from __future__ import annotations

from bot.errors import BackportError
from bot.report.replies import render_error

MARKER = "<!-- backport-bot:configuration -->"
"""The first line, by which the issue is found again."""


def render_configuration_issue(error: BackportError | None) -> tuple[str, str]:
    """Return title and body; without an error, of the issue about one that is mended."""
    if error is None:
        return (
            "backport.yaml can be used again",
            f"{MARKER}\nWhat was wrong with `backport.yaml` is mended. Requests are served.",
        )
    consequence = (
        "Until then no request in this repository is served; each is answered with this. Requests that were made "
        "before wait. This issue is closed when the file on the default branch can be used."
    )
    return "backport.yaml cannot be used", f"{MARKER}\n{render_error(error)}\n\n{consequence}"

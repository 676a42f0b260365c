"""What a verdict says of the suite that a change brings, besides how its cases ended."""

from __future__ import annotations

from collections.abc import Sequence

from bot.models import CommandSuite, VerdictOutcome, suite_title

LISTED_CASES = 3
"""How many cases or files a sentence names before it only counts them."""


def about_manifests(suite: CommandSuite, outcome: VerdictOutcome) -> str:
    """Say which files of the change, besides the tests, the base run had as well."""
    text = f"Both runs had {listed(suite.manifests)} as the change has it, so they differ in the other files alone."
    if outcome is not VerdictOutcome.NOT_REPRODUCED:
        return text
    return f"{text} If that is the fix, these tests cannot show it: look at it, and use `--no-prove`."


def steering_doubt(suite: CommandSuite) -> str:
    """Say that the change can influence what its tests report, or nothing."""
    if not suite.steering:
        return ""
    return (
        f"The change's own tests pass, but it also changes {listed(suite.steering)}, which says what a test "
        "run collects and reports: they do not prove it by themselves. Look at these files."
    )


def without_report(suite: CommandSuite) -> str:
    """Say how little is known of a command without a report."""
    return (
        f"`{suite_title(suite.name)}` leaves no report: its exit code is all that is known, and not whether a test "
        "ran. Let its command write a report to `{junit}`."
    )


def listed(files: Sequence[str]) -> str:
    """Name the first files of a list, and how many more there are."""
    more = f" and {len(files) - LISTED_CASES} more files" if len(files) > LISTED_CASES else ""
    return ", ".join(files[:LISTED_CASES]) + more

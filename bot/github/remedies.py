"""Finds the remedy for a refusal of GitHub, by the field and code that it names or else by its words.

The fields and codes are those of https://docs.github.com/rest/using-the-rest-api/troubleshooting.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


@dataclass(frozen=True, slots=True)
class FieldError:
    """One entry of `errors` in GitHub's answer. A key that GitHub leaves out is empty."""

    resource: str = ""
    field: str = ""
    code: str = ""
    message: str = ""

    def __str__(self) -> str:
        place = ".".join(part for part in (self.resource, self.field) if part)
        problem = f"{place} is {self.code.replace('_', ' ')}" if place and self.code else place or self.code
        return self.message or problem


def parse_errors(data: object) -> tuple[FieldError, ...]:
    """Read the `errors` of an answer. REST names resource, field and code or gives a text; GraphQL names a `type`."""
    entries = data.get("errors") if isinstance(data, Mapping) else None
    return tuple(map(_parse, entries)) if isinstance(entries, list) else ()


def _parse(error: object) -> FieldError:
    if not isinstance(error, Mapping):
        return FieldError(message=str(error))
    kind = error.get("code") or error.get("type") or ""
    return FieldError(
        resource=str(error.get("resource") or ""),
        field=str(error.get("field") or ""),
        code=str(kind),
        message=str(error.get("message") or ""),
    )


def is_early(status: int, message: str, errors: Sequence[FieldError]) -> bool:
    """Say whether GitHub refused only because it does not know yet what was just pushed or merged."""
    if status != 422:
        return False
    unknown = any((error.resource, error.field, error.code) in _UNKNOWN_BRANCH for error in errors)
    return unknown or _EARLY.search(message) is not None


def lacks_drafts(message: str) -> bool:
    """Say whether GitHub refused a draft because the plan of the repository has none."""
    return _NO_DRAFTS.search(message) is not None


_NO_DRAFTS = re.compile(r"draft pull requests? (?:are|is) not supported", re.IGNORECASE)
_UNKNOWN_BRANCH = {("PullRequest", "head", "invalid"), ("PullRequest", "base", "invalid")}
# https://github.com/cli/cli/issues/2691 and others: how it words a branch or commit that its API does not see yet.
_EARLY = re.compile(r"No commit found for SHA|(?:Head|Base) sha can't be blank|Head ref must be a branch")


def remedy_for(status: int, message: str, errors: Sequence[FieldError]) -> str:
    """Return the remedy for an answer, as a sentence."""
    for error in errors:
        remedy = _BY_FIELD.get((error.field, error.code))
        if remedy:
            return remedy
    remedy = next((remedy for pattern, remedy in _BY_WORDS if pattern.search(message)), None)
    return remedy or _BY_STATUS.get(status, "See GitHub's answer.")


def clock_remedy(date: str) -> str:
    """Return what to do about a clock that differs from GitHub's, by the date of its answer; empty if it is right.

    An App signs in with the time of this machine, and GitHub allows for a minute:
    https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app
    """
    try:
        seconds = (datetime.now(UTC) - parsedate_to_datetime(date)).total_seconds()
    except (TypeError, ValueError):
        return ""
    if abs(seconds) < _CLOCK_SECONDS:
        return ""
    direction = "ahead of" if seconds > 0 else "behind"
    return f"This machine's clock is {abs(seconds) / 60:.0f} minutes {direction} GitHub's. Set it, e.g. by NTP."


_CLOCK_SECONDS = 50.0
_BY_FIELD = {
    ("head", "invalid"): "See whether the pushed branch is there, then ask again.",
    ("base", "invalid"): "See whether the target branch is still there, then ask again.",
    ("body", "too_long"): "Shorten the template of the text in `templates`.",
    ("title", "too_long"): "Shorten `title` in `backport.yaml`.",
}


def _remedy(pattern: str, remedy: str) -> tuple[re.Pattern[str], str]:
    return re.compile(pattern, re.IGNORECASE), remedy


_BY_WORDS = (
    _remedy(
        _NO_DRAFTS.pattern,
        "The plan of this repository has no draft pull requests (a private one needs a paid plan), and a "
        "backport that is not certain or not proven is only opened as a draft. `publish.drafts: preferred` opens it as "
        "an ordinary pull request there.",
    ),
    _remedy(
        r"auto.?merge is not allowed",
        "A maintainer can switch it on (Settings → General → Allow auto-merge), or set `publish.auto_merge: off`.",
    ),
    _remedy(
        r"in (?:clean|unstable) status|protected branch rules not configured",
        "GitHub enables auto-merge only if the target branch requires a check or a review that is still missing: "
        "require one, or merge it by hand.",
    ),
    _remedy(
        r"merge method|(?:squash|rebase) merges? (?:is|are) not allowed|merge commits are not allowed",
        "Set `publish.auto_merge` to a merge method that the repository allows.",
    ),
    _remedy(
        r"not permitted to create or approve pull requests",
        "A maintainer can allow it: Settings → Actions → General → Allow GitHub Actions to create and approve pull "
        "requests. Or give the bot a GitHub App.",
    ),
    _remedy(
        r"no commits between",
        "The target branch seems to have this change already: look at it, then ask again.",
    ),
    _remedy(r"archived", "The repository is archived and can only be read. A maintainer can unarchive it."),
    _remedy(r"SAML|single sign-on", "Authorise the bot's token for the organisation's single sign-on."),
    _remedy(r"IP allow list", "Add the address that the bot runs at to the organisation's IP allow list."),
    _remedy(
        r"resource not accessible by|must have (?:push|admin) access|must be a collaborator",
        "Give the bot these permissions on the repository: contents: write, pull requests: write, issues: write, "
        "checks: write. A workflow needs them in its `permissions:`.",
    ),
    _remedy(r"bad credentials", "The token is not valid, or has expired: give the bot a new one."),
    _remedy(
        r"issues (?:are|has been) disabled", "A maintainer can switch issues on, or set `sync.tracking_issue: false`."
    ),
)
_BY_STATUS = {
    401: "The token is not valid, or has expired: give the bot a new one.",
    403: "Check that the token is valid and has these repository permissions: contents: write, pull requests: write, "
    "issues: write, checks: write.",
    404: "Check the name, and that the token may see it.",
    410: "It was deleted, or is switched off in the repository's settings.",
    422: "GitHub refused the request's content: its words say which part.",
}

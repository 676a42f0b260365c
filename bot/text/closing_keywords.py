"""Neutralizes words in a message on which GitHub and CI services act: those that close issues and those that skip CI.

The original has closed its issues already. A copy of its text on a release branch must not close them again, nor the
issue of the same number in another repository. A copied request to skip CI would keep required checks of the backport
from starting.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# https://docs.github.com/en/issues/tracking-your-work-with-issues/linking-a-pull-request-to-an-issue. The blanks around
# the colon are two alternatives: as one pattern, `\s*:?\s+`, many blanks would cost time quadratic in their number.
# A digit may stand before the word: the bracket of an earlier reference comes in between. Markdown's own characters
# between word and reference, as in `Fixes **#1**` or `Fixes \#1`, are not seen by a reader, nor by GitHub.
_MARKUP = r"[*_~`\\\[]{0,9}"
_CLOSING = re.compile(
    rf"(?<![A-Za-z])(close[sd]?|fix(?:e[sd])?|resolve[sd]?)({_MARKUP}(?:\s*:\s*|\s+){_MARKUP})"
    r"((?:[\w.-]{1,100}/[\w.-]{1,100})?#\d+|GH-\d+|https?://[^\s<>()]+)",
    re.IGNORECASE,
)
_ISSUE = re.compile(
    r"(?:(?:([\w.-]+/[\w.-]+)?#|GH-|https?://[^/]+/([\w.-]+/[\w.-]+)/issues/))(\d+)(?![\w/])", re.IGNORECASE
)
# https://docs.github.com/en/actions/managing-workflow-runs/skipping-workflow-runs, and the same in the words of Travis,
# AppVeyor, CircleCI, Cirrus, Azure and GitLab: `[skip NAME]` and `[NAME skip]`.
_NAME = r"[a-z]{2,20}(?:[ _-][a-z]{2,20})?"
_SKIP_IN_BRACKETS = re.compile(
    rf"\[[ \t]{{0,9}}(skip[ _-]{_NAME}|no[ _-](?:ci|actions|checks)|{_NAME}[ _-]skip)[ \t]{{0,9}}\]", re.IGNORECASE
)
_SKIP_AS_TRAILER = re.compile(r"^[ \t]{0,9}skip-checks[ \t]{0,9}:[ \t]{0,9}true\b", re.IGNORECASE | re.MULTILINE)
_SKIP_ON_AZURE = re.compile(r"\*{3}(NO_CI)\*{3}", re.IGNORECASE)


def neutralize_keywords(text: str) -> str:
    """Return a text in which such words stay readable and have no effect.

    `Fixes #1` becomes `Fixes (#1)`, `[skip ci]` becomes `(skip ci)`. The trailer `skip-checks: true` gets another key,
    so the block around it stays a block of trailers. The function is idempotent.
    """
    return _neutralize_skips(_CLOSING.sub(r"\1\2(\3)", text))


def closed_issues(text: str) -> Iterator[str]:
    """Yield what a text closes, as `#12` or `owner/name#12`."""
    for match in _CLOSING.finditer(text):
        issue = _ISSUE.match(match[3])
        if issue is not None and not text[max(0, match.start() - 1) : match.start()].isalnum():
            yield f"{issue[1] or issue[2] or ''}#{issue[3]}"


def skips_ci(text: str) -> bool:
    """Return whether a text asks GitHub or another service to start no checks."""
    return _neutralize_skips(text) != text


def _neutralize_skips(text: str) -> str:
    text = _SKIP_IN_BRACKETS.sub(r"(\1)", text)
    return _SKIP_ON_AZURE.sub(r"(\1)", _SKIP_AS_TRAILER.sub("Original-skipped-checks: true", text))

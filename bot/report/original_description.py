"""Brings the original's description and the issues that it closed into the body of its backport."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from bot.models import PullRequest
from bot.text.markdown import shorten
from bot.text.quoted_markdown import linked_issues, quote_markdown

_MAX_BODY = 65_000
"""Characters; GitHub refuses more than 65,536."""
_MAX_DESCRIPTION = 20_000


@dataclass(frozen=True, slots=True)
class DescriptionQuote:
    """How a body quotes the original's description. In another repository (not `at_home`) `#12` is another issue."""

    style: Literal["folded", "full", "none"] = "none"
    at_home: bool = True


def render_with_description(render: Callable[..., str], original: PullRequest, quote: DescriptionQuote) -> str:
    """Render a body with the values `description`, `folded` and `linked_issues`, and cut it to what GitHub takes.

    The description gets the room that the rest leaves, so that it costs nothing else.
    """
    if quote.style == "none":
        return shorten(render(description="", folded=False, linked_issues=[]), _MAX_BODY)
    home = "" if quote.at_home else _repository_of(original)
    issues = [issue if "/" in issue else f"{home}{issue}" for issue in linked_issues(original.body)]
    body = render(description="", folded=False, linked_issues=issues)
    # The heading around the description takes some characters, too.
    room = min(_MAX_DESCRIPTION, _MAX_BODY - len(body) - 200)
    description = quote_markdown(original.body, room, references=quote.at_home) if room > 0 else ""
    if description:
        body = render(description=description, folded=quote.style == "folded", linked_issues=issues)
    return shorten(body, _MAX_BODY)


def _repository_of(original: PullRequest) -> str:
    """Return owner/name from the address of a pull request, …/owner/name/pull/7."""
    return "/".join(urlsplit(original.url).path.strip("/").split("/")[-4:-2])

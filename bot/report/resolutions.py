"""Lays out the resolved conflicts of a candidate for a reviewer: the lines, a link, both sides and the result."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from bot.models import Candidate, Certainty, Resolution

_MAX_RESOLUTIONS = 10


def resolution_rows(candidate: Candidate, files: Mapping[str, bytes | None], web_url: str) -> list[dict[str, object]]:
    """Return what a template shows of the first ten resolutions, proposals first.

    `files` holds the resolved files as the candidate has them, and `web_url` is the page of the repository that it is
    pushed to. Without them a row has no lines or no link.
    """
    proposals_first = sorted(candidate.resolutions, key=lambda part: part.certainty is not Certainty.PROPOSED)
    return [
        _row(part, files.get(part.path), f"{web_url}/blob/{candidate.commit}" if web_url else "")
        for part in proposals_first[:_MAX_RESOLUTIONS]
    ]


def _row(resolution: Resolution, content: bytes | None, tree_url: str) -> dict[str, object]:
    sides = (
        ("Before the original", resolution.base),
        ("On the branch", resolution.ours),
        ("In the original", resolution.theirs),
        ("The result", resolution.result),
    )
    lines = _lines(resolution.result, content)
    anchor = f"#L{lines[0]}-L{lines[1]}" if lines else ""
    return {
        "path": resolution.path,
        "lines": "-".join(map(str, dict.fromkeys(lines))),
        "url": f"{tree_url}/{quote(resolution.path)}{anchor}" if tree_url and resolution.result is not None else "",
        "rung": resolution.rung,
        "certainty": resolution.certainty.value,
        "how": resolution.how,
        "sides": [(title, _text(side)) for title, side in sides],
    }


def _lines(result: bytes | None, content: bytes | None) -> tuple[int, int] | tuple[()]:
    """Return the first and last line of the result in its file; nothing if the text is there twice or not as it was."""
    if not result or content is None or content.count(result) != 1:
        return ()
    first = content.count(b"\n", 0, content.index(result)) + 1
    return first, first + result.rstrip(b"\n").count(b"\n")


def _text(side: bytes | None) -> str:
    return "(there is no such file)" if side is None else side.decode(errors="replace").rstrip("\n") or "(nothing)"

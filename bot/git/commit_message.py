"""Commit messages of backports: the original's, with the line that names it.

Trailers only count in a message's last paragraph (https://git-scm.com/docs/git-interpret-trailers). So our line goes
before them, and credit (Co-authored-by, Signed-off-by) stays where GitHub and git look for it.

A line `(cherry picked from commit …)` in the original's message is its author's claim. A copy would read as the bot's:
it becomes `Original-picked-from: …`, which no tool takes for a pick and which is still a trailer, so that the block
around it stays one. All lines of the first form in a message that the bot wrote are therefore the bot's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from bot.models import Sha
from bot.text.closing_keywords import neutralize_keywords, skips_ci

_TRAILER = re.compile(r"[A-Za-z0-9-]+[ \t]*:[ \t]*\S")
# git takes these as a sign that the paragraph was made by tools, and then tolerates other lines in it.
_TOOL_LINES = ("Signed-off-by: ", "(cherry picked from commit ")
_PICKED_FROM = re.compile(r"^\(cherry picked from commit ([0-9a-fA-F]{7,64})\)[ \t\r]*$", re.MULTILINE)
# As people write it: in another case, with a hyphen, without the word "commit", in a sentence.
PICKED_WORDS = r"\b(?:cherry[- ]?pick(?:ed)?|back-?port(?:ed)?) (?:from|of) (?:commit )?"
_ANY_PICKED_LINE = re.compile(
    rf"^[ \t]{{0,9}}\(?{PICKED_WORDS}([0-9a-f]{{7,64}})\)?\.?[ \t]*$", re.IGNORECASE | re.MULTILINE
)
_ANY_PICKED = re.compile(rf"{PICKED_WORDS}(?=`?[0-9a-f]{{7,64}}\b)", re.IGNORECASE)
# git's own sentence, and as people write it of several: "This reverts commits A, B and C." What a reverted merge was
# merged into ("reversing changes made to …") is not reverted.
_REVERT = re.compile(
    r"\bThis (?:reverts|backs out) (?:the following )?commits?:?"
    r"((?:[\s,*&-]{1,9}(?:and )?(?:commit )?[0-9a-f]{7,64}\b)+)",
    re.IGNORECASE,
)
_NAME = re.compile(r"\b[0-9a-f]{7,64}\b", re.IGNORECASE)
_SKIPS = "The original's message asks CI to skip it. Here that is made harmless, so that checks run."


def backport_message(message: str, originals: Iterable[Sha], notes: Iterable[str] = ()) -> str:
    """Return the original's message with notes and one `(cherry picked from commit …)` line for each original.

    Words in it that would close an issue or keep checks from running are made harmless, its own claims to be a pick are
    renamed, and line ends become git's.
    """
    body, trailers = _split_trailers(without_picked_from(neutralize_keywords(_with_plain_ends(message).rstrip())))
    lines = [f"(cherry picked from commit {original})" for original in originals]
    skips = [_SKIPS] if skips_ci(message) else []
    paragraphs = [body, *skips, *notes, "\n".join(lines), trailers]
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph) + "\n"


def with_trailer(message: str, key: str, value: str) -> str:
    """Return a message with one more trailer at its end; an existing one is not repeated."""
    trailers, line = _split_trailers(message.rstrip())[1].split("\n"), f"{key}: {value}"
    if line in trailers:
        return message
    # A paragraph of `(cherry picked …)` lines alone is no block to join: they stay outside.
    gap = "\n" if any(map(_TRAILER.match, trailers)) else "\n\n"
    return f"{message.rstrip()}{gap}{line}\n"


def picked_from(message: str) -> tuple[str, ...]:
    """Return the commits that a message names as picked, in lower case. Quoted or indented lines do not count."""
    return tuple(map(str.lower, _PICKED_FROM.findall(message))) if "cherry picked" in message else ()


def without_picked_from(message: str) -> str:
    """Return a message whose own claims to be a pick cannot be taken for those of its copy."""
    return _ANY_PICKED.sub("picked by its author from ", _ANY_PICKED_LINE.sub(r"Original-picked-from: \1", message))


def reverted_commits(message: str) -> tuple[str, ...]:
    """Return the commits that a message says it reverts, in lower case."""
    return tuple(name.lower() for names in _REVERT.findall(message) for name in _NAME.findall(names))


def _with_plain_ends(message: str) -> str:
    return message.replace("\r\n", "\n").replace("\r", "\n")


def _split_trailers(message: str) -> tuple[str, str]:
    """Split off the trailer block by the rule of `git interpret-trailers`; the first paragraph never is one."""
    body, gap, last = _last_paragraph(message)
    if not gap or not _is_trailer_block(last.split("\n")):
        return message, ""
    return body.rstrip(), last


def _last_paragraph(message: str) -> tuple[str, bool, str]:
    matches = list(re.finditer(r"\n[ \t]*\n", message))
    if not matches:
        return message, False, ""
    return message[: matches[-1].start()], True, message[matches[-1].end() :]


def _is_trailer_block(lines: list[str]) -> bool:
    trailers = other_lines = 0
    from_tools = False
    for line in lines:
        if line.startswith(_TOOL_LINES):
            from_tools, trailers = True, trailers + 1
        elif _TRAILER.match(line):
            trailers += 1
        elif not (line[:1] in " \t" and trailers):  # an indented line continues the trailer above it
            other_lines += 1
    return trailers > 0 and (other_lines == 0 or (from_tools and trailers * 3 >= other_lines))

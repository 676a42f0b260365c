"""Reading and copying a commit message costs no more than its length, whatever a stranger puts into it.

make bench
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.git.commit_message import backport_message, with_trailer, without_picked_from
from bot.git.process import Git
from bot.history.landing_evidence import _title_words
from bot.history.message_references import numbers_in, numbers_in_branch, own_number, parse_references
from bot.models import Sha
from bot.text.closing_keywords import neutralize_keywords, skips_ci
from bot.text.quoted_markdown import linked_issues, quote_markdown
from tests.bench.growth import assert_linear

LARGEST = 1 << 16
"""Characters: what GitHub takes in a comment or a description."""
SHA = "0123456789abcdef" * 2 + "01234567"
PIECES = [
    *(" ", "\n", "\t", "\r\n", " \n", "\n" + " " * 50, "(", "[", "#", "@", "a", "1", "a-", "a/", "a/a#", ": "),
    *("fix ", "fix: ", "Fixes:", "fix a/", "fix " + "a" * 40 + " ", "close:#", "resolve https://", "fix-fix", "GH-"),
    *("backport ", "backport of ", "backport-", "cherry-pick", "PR #1 and ", "#1 and ", "#1,", "Backport #1\n", "PR "),
    *("(cherry picked from commit ", f"cherry picked from {SHA} ", f"(cherry picked from commit {SHA})\n", "(#1)"),
    *(
        "This reverts commit ",
        f"This reverts commit {SHA}",
        f"{SHA}, ",
        f"{SHA} and ",
        "Revert ",
        'Revert "',
        "Reverts #",
    ),
    *("[skip ci", "[skip ", "skip-checks:", "***", "[ci ", "bp-of", "-of", "bp/1.", "1.", "-bp-", "cherry-pick-", "> "),
    *(
        "Signed-off-by: a\n",
        "a: b\n",
        "(#1) ",
        "[PR #1/",
        "as merged into ",
        "://",
        "a://",
        "gh",
        "ghp_",
        "Authorization: ",
    ),
    *("<!-- ", "--> ", "&#1", "&amp", "fix *", "fix\\", "fix [", "@a", "<a"),
]
PIECES += [
    "[Cherry-pick to ",
    "[backport a",
    "Source PR: ",
    "Source PR: #1 ",
    "\nMain commit: `",
    "bp/a/",
    "/backports/",
    "a/pr-",
]
PIECES += [
    " - [",
    "\n - [a](https://a/",
    "will backport the following commits\n - [a](https://a/",
    "cherry-pick/0123456-",
]
BEGINNINGS = ["fix", "backport of ", f"This reverts commits {SHA}", "Fix [skip ", "https://", "Revert ", "bp"]


def repeated(beginning: str, piece: str) -> Callable[[int], str]:
    """Return what makes a text of a length: the beginning, the piece over and over, and an end that fits nothing."""
    return lambda size: f"{beginning}{piece * (size // len(piece))}\x00x"


def read(text: str) -> None:
    """Read a message in every way that there is."""
    parse_references(text)
    own_number(text)
    numbers_in(text)
    _title_words(text)
    numbers_in_branch(f"Merge pull request #1 from {text}")


def write(text: str) -> None:
    """Copy a message in every way that there is."""
    neutralize_keywords(text)
    skips_ci(text)
    without_picked_from(text)
    quote_markdown(text, LARGEST)
    linked_issues(text)
    with_trailer(backport_message(text, [Sha(SHA)]), "Signed-off-by", "A <a@example.org>")


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("work", [read, write, Git(directory=Path("/")).scrub], ids=["read", "write", "scrub"])
def test_the_cost_of_a_message_grows_with_its_length(work: Callable[[str], object], piece: str) -> None:
    assert_linear(work, repeated("Title\n\n", piece), first=1 << 13, largest=LARGEST)


@pytest.mark.parametrize("piece", [" ", "\n", "a", "a-", "a/", "#1", "1", "-of", " and ", "(", "["])
@pytest.mark.parametrize("beginning", BEGINNINGS)
@pytest.mark.parametrize("work", [read, write])
def test_the_cost_of_what_follows_a_word_grows_with_its_length(
    work: Callable[[str], object], beginning: str, piece: str
) -> None:
    assert_linear(work, repeated(beginning, piece), first=1 << 13, largest=LARGEST)

"""Reading a comment costs no more than its length, whatever a stranger puts into it.

make bench
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest

from bot.commands.parser import parse_commands
from bot.errors import CommandError
from bot.text.branch_names import pattern_problem
from bot.text.comment_text import MAX_BODY, may_start_line
from bot.text.markdown_spans import hidden_spans
from bot.text.markers import parse_pull_request_marker, read_command_record, status_key
from tests.bench.growth import assert_linear

PIECES = [
    *("[", "![", "[a](", "[a](<", "](a \"'", "](\n", "[]", "`a", "`` `", "*a ", "a**b_c", "_*"),
    *("<", "<a ", "<a b='", "<a b='c' ", "<!--", "<![CDATA[", "<?", "<!A", "<q ", "<blockquote>", "</pre", "&#1", "\\"),
    *("> a\n", "- ", "1. a\n", "[a]: b\n", '[a]: b\n"\n\n', "a\n-\n", "\n", "\t", " ", "a  \n", "```\n\n", "<div>\n"),
]


def read(body: str) -> None:
    """Read the commands of a comment; a refusal is a reading, too."""
    with contextlib.suppress(CommandError):
        parse_commands(body)


def repeated(beginning: str, piece: str) -> Callable[[int], str]:
    """Return what makes a text of a length: the beginning, and the piece over and over."""
    return lambda size: beginning + piece * (size // len(piece))


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("beginning", ["/backport x\n\n", "/backport x\n" * 9], ids=["apart", "in the paragraph"])
def test_the_cost_of_a_comment_grows_with_its_length(beginning: str, piece: str) -> None:
    assert_linear(read, repeated(beginning, piece), first=MAX_BODY // 8, largest=MAX_BODY // 8)


@pytest.mark.parametrize("piece", PIECES)
def test_the_cost_of_a_paragraph_grows_with_its_length_beyond_what_github_takes(piece: str) -> None:
    assert_linear(lambda text: list(hidden_spans(text)), repeated("", piece), first=1 << 13, largest=1 << 18)


@pytest.mark.parametrize("piece", ["/backport\n", " \n", "\n", "/"])
def test_the_first_look_at_a_comment_grows_with_its_length(piece: str) -> None:
    assert_linear(lambda body: may_start_line(body, "/backport"), repeated("", piece), largest=MAX_BODY // 2)


@pytest.mark.parametrize("piece", ["[", "[a", "*[", "]"])
def test_the_cost_of_a_pattern_grows_with_its_length(piece: str) -> None:
    assert_linear(pattern_problem, repeated("", piece), largest=1 << 16)


@pytest.mark.parametrize(
    "piece", ["<!-- backport-bot:pull-request repository=", "<!-- backport-bot:status:", " -->", "\n"]
)
@pytest.mark.parametrize("reader", [parse_pull_request_marker, read_command_record, status_key])
def test_the_cost_of_looking_for_a_marker_grows_with_the_text(reader: Callable[[str], object], piece: str) -> None:
    assert_linear(reader, repeated("<!-- backport-bot:status:x", piece), largest=1 << 18)

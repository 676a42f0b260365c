"""A description that is quoted stays readable, and neither closes, mentions, marks nor reaches out of its quote."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot.models import Sha
from bot.text.markers import BackportKey, conflict_marker, pull_request_marker, status_marker
from bot.text.quoted_markdown import linked_issues, quote_markdown

GFM = MarkdownIt("gfm-like", {"linkify": False, "html": True})
KEY = BackportKey(repository="a/b", commit=Sha("0" * 40), target="release/1")
# What GitHub acts on in the text that a reader sees.
CLOSING = re.compile(
    r"\b(close[sd]?|fix(es|ed)?|resolve[sd]?)\s*:?\s+(([\w.-]+/[\w.-]+)?#\d|GH-\d|https?://)", re.IGNORECASE
)
MENTION = re.compile(r"(?<![A-Za-z0-9_`])@[A-Za-z0-9]")
PIECES = [
    *("Fixes #1", "fixes: acme/widget#2", "CLOSED GH-3", "resolve https://github.com/a/b/issues/4", "Fixes **#5**"),
    *(
        "Fixes \\#6",
        "**Fixes** #7",
        "Fixes [#8](https://x)",
        "Fixes&nbsp;#9",
        "F&#105;xes #1",
        "Fixes &#35;1",
        "_Fixes_ #1",
    ),
    *("Fixes\n#1", "@mia", "&#64;mia", "&commat;mia", "\\@mia", "@acme/team", "@&#109;ia", "(@mia)", "a@b.example"),
    *(
        "<b>",
        "</blockquote>",
        "</details>",
        "<details open>",
        "<!--",
        "-->",
        "<![CDATA[",
        "<?x",
        "<script>",
        "<img src=x>",
    ),
    *(pull_request_marker(KEY), conflict_marker(), status_marker("7"), f"\n{conflict_marker()}\n"),
    *(
        "```",
        "~~~\n",
        "    indented",
        "\n\n",
        "\r",
        "\r\n",
        "\u2028",
        "\x00",
        "\u202e",
        "- ",
        "1. ",
        "# ",
        "| a |",
        "> ",
        "`",
    ),
    *("[skip ci]", "***NO_CI***", " ", "word", "<https://x.example>", "[a]: http://x", "![p](http://x)", "&lt;b&gt;"),
]


def check(text: str, limit: int = 5000) -> str:
    """Quote a text, fail if the quote has an effect, and return what a reader sees of it."""
    quoted = quote_markdown(text, limit)
    assert len(quoted) <= limit
    tokens = GFM.parse(f"Before.\n\n{quoted}\n\nAfter.")
    outside = [token for token in tokens if token.level == 0 and not token.type.startswith("blockquote_")]
    assert [token.type for token in outside] == ["paragraph_open", "paragraph_close"] * 2, quoted
    kinds = {token.type for token in tokens} | {child.type for token in tokens for child in token.children or []}
    assert not kinds & {"html_block", "html_inline"}, quoted
    shown = "\n".join(_text(token) for token in tokens)
    assert not CLOSING.search(shown), shown
    assert not MENTION.search(shown), shown
    assert "<!--" not in quoted
    return shown


def _text(token: object) -> str:
    children = getattr(token, "children", None)
    if children is not None:
        return "".join(" " if child.type == "softbreak" else child.content for child in children)
    return str(getattr(token, "content", ""))


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("form", ["{}", "See {} there.", "```\n{}\n", "- {}\n\n  {}"])
def test_each_hostile_piece_has_no_effect(piece: str, form: str) -> None:
    check(form.replace("{}", piece))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=12))
def test_no_mixture_has_an_effect(pieces: list[str]) -> None:
    check("".join(pieces))


def test_markdown_stays_markdown_and_comments_are_left_out() -> None:
    text = (
        "## Motivation\n<!-- Say why. -->\n\nThe ring is *too small*:\n\n```py\n@cache\ndef f(): ...\n```\n\nSee #12."
    )
    quoted = quote_markdown(text, 1000)
    assert quoted == (
        "> ## Motivation\n>\n>\n> The ring is *too small*:\n>\n"
        "> ```py\n> @\u2060cache\n> def f(): ...\n> ```\n>\n> See #12."
    )
    assert "#\u206012" in quote_markdown(text, 1000, references=False)


@pytest.mark.parametrize("text", ["", " \n\t\n", "<!-- Only a template. -->", "<!-- a -->\n<!-- b -->\n"])
def test_nothing_to_see_gives_nothing(text: str) -> None:
    assert quote_markdown(text, 1000) == ""


def test_a_long_text_is_cut_at_a_line_and_says_so() -> None:
    quoted = quote_markdown("line\n" * 1000, 200)
    assert len(quoted) <= 200
    assert quoted.endswith("\n> line\n> \n> … (the original has the rest)")
    assert quote_markdown("x" * 1000, 200) == ""
    assert len(quote_markdown("@" * 400 + "\n", 500)) <= 500


def test_the_closed_issues_are_named_once_and_only_by_a_closing_word() -> None:
    text = (
        "Fixes #1, fixes #1. Closes: acme/other#2\nResolves https://github.com/acme/widget/issues/3.\nGH-9 #8\n"
        "fix GH-4 <!-- Fixes #100 -->\nFixes https://github.com/acme/widget/pull/5 Fixed **#6**\nunfixes #7"
    )
    assert linked_issues(text) == ("#1", "acme/other#2", "acme/widget#3", "#4", "#6")

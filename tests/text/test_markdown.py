"""Foreign text comes out as text only."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot.text.markdown import block, code, code_cell, html, link, prose, text

HOSTILE = [
    "-->",
    "<!-- x",
    "<script>alert(1)</script>",
    "@everyone",
    "@org/team",
    "Fixes #1",
    "closes GH-2",
    "resolves o/r#3",
    "https://github.com/o/r/issues/4",
    "www.example.org",
    "$&",
    "{{7*7}}",
    "{% raw %}",
    "![x](http://e/p.png)",
    "[a](b)",
    "**bold** _em_ ~~gone~~ `code`",
    "a | b",
    "&#64;everyone &lt;b&gt;",
    "# heading",
    "1. one",
    "- item",
    "> quote",
    "\u202eevil",
    "line\n\n# two",
    "```\nfence",
    "\\*",
    "x" * 10_000,
]
GFM = MarkdownIt("gfm-like", {"linkify": False, "html": True})
# What GitHub looks for in rendered text, outside code and links.
ACTIVE = re.compile(r"(?<![\w`])@\w|#\d|GH-\d|https?://|www\.", re.IGNORECASE)


def shown(rendered: str) -> str:
    """Return the plain text of one rendered paragraph; fails where there is anything else."""
    tokens = GFM.parse(rendered)
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"], rendered
    children = tokens[1].children or []
    assert {child.type for child in children} <= {"text", "text_special"}, rendered
    return "".join(child.content for child in children)


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("escape", [text, lambda value: prose(value.replace("`", "'"))], ids=["text", "prose"])
def test_hostile_text_is_only_shown(value: str, escape: type[str]) -> None:
    assert not ACTIVE.search(shown(escape(value)))


@settings(max_examples=400, deadline=None)
@given(st.text(alphabet=st.sampled_from("ab1 `*_[]()<>#@!|~&$\\-+=.:;/{}\n\"'w"), min_size=1, max_size=30))
def test_any_text_is_only_shown(value: str) -> None:
    rendered_text = text(value)
    if rendered_text.strip():
        said = shown(rendered_text)
        assert said.replace("\u2060", "") == " ".join(value.split())
        assert not ACTIVE.search(said)


@settings(max_examples=400, deadline=None)
@given(st.text(alphabet=st.sampled_from("ab `|\\<>@#\n*"), min_size=1, max_size=20))
def test_any_text_is_whole_in_a_code_span(value: str) -> None:
    expected = " ".join(value.split())
    children = GFM.parse(f"x {code(value)} x")[1].children or []
    if expected:
        assert [child.content for child in children if child.type == "code_inline"] == [expected]
        table = GFM.parse(f"| a | b |\n|---|---|\n| {code_cell(value)} | x |")
        assert sum(token.type == "td_open" for token in table) == 2


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.sampled_from("a`~\n>- "), max_size=30))
def test_any_text_is_whole_in_a_block(value: str) -> None:
    tokens = GFM.parse(block(value))
    assert [token.type for token in tokens] == ["fence"]
    assert tokens[0].content == value + "\n"


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "", "ftp://x"])
def test_only_web_addresses_become_links(url: str) -> None:
    assert link("x", url) == "x"


def test_an_address_cannot_end_its_link() -> None:
    (paragraph,) = (token for token in GFM.parse(link("x", "https://e/> <b>")) if token.type == "inline")
    assert [child.type for child in paragraph.children or ()] == ["link_open", "text", "link_close"]


def test_prose_keeps_its_code_spans_and_nothing_else() -> None:
    assert prose("The branch `a_b` **is** @x") == "The branch `a_b` \\*\\*is\\*\\* @\u2060x"
    assert prose("odd ` tick") == "odd \\` tick"


def test_text_inside_a_tag_is_html_text() -> None:
    assert html("<b> @x & 'y'") == "&lt;b&gt; @\u2060x &amp; &#x27;y&#x27;"


def test_bytes_that_are_no_utf8_are_spelled_out() -> None:
    given = b"caf\xe9".decode("utf-8", "surrogateescape")
    assert code(given) == r"`caf\xe9`"
    assert r"caf\xe9" in block(f"{given}\n\ud800")
    assert "\ufffd" in block("\ud800")

"""Markdown as GitHub shows it, safe for a browser.

People and bots write it, and all of it may be hostile: the HTML is cut down to an allow-list afterwards, and the pages'
content security policy forbids scripts besides.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import nh3
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

_TAGS = {
    *("a", "b", "blockquote", "br", "code", "dd", "del", "details", "div", "dl", "dt", "em", "h1", "h2", "h3", "h4"),
    *("h5", "h6", "hr", "i", "img", "ins", "kbd", "li", "ol", "p", "picture", "pre", "s", "samp", "span", "strong"),
    *("sub", "summary", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul"),
}
_ATTRIBUTES = {
    "a": {"href", "title"},
    "details": {"open"},
    "img": {"src", "alt", "title", "width", "height"},
    "ol": {"start"},
    "td": {"align", "colspan", "rowspan"},
    "th": {"align", "colspan", "rowspan"},
}
_ALERTS = ("note", "tip", "important", "warning", "caution")
_SIDES = {"left", "center", "right"}
_CLASSES = {"span": {"added", "removed", "hunk"}, "td": _SIDES, "th": _SIDES, "blockquote": set(_ALERTS)}
_BOXES = {"[ ] ": "☐", "[x] ": "☑"}
_ALERT = re.compile(rf"\[!({'|'.join(_ALERTS)})\]\s*", re.IGNORECASE)
_ALIGNMENT = re.compile(r' style="text-align:(left|center|right)"')
_LINK = re.compile(
    r"(?P<url>https?://[^\s<>()]+[^\s<>().,;:!?'\"])|(?<![\w/&])#(?P<number>\d+)\b|\b(?P<sha>[0-9a-f]{40})\b"
)

Resolve = Callable[[str, str], str | None]
"""Gives the address of "number" or "sha" and its text, or None where there is no such thing."""


def render(text: str, resolve: Resolve) -> str:
    """Return safe HTML. `resolve` gives addresses to #123 and commit names."""
    parser = MarkdownIt("gfm-like", {"html": True, "linkify": False})
    parser.core.ruler.push("alerts", _mark_alerts)
    parser.core.ruler.push("tasks", _mark_tasks)
    parser.core.ruler.push("references", lambda state: _link_references(state, resolve))
    parser.renderer.rules["fence"] = _fence  # type: ignore[attr-defined]
    html = _ALIGNMENT.sub(r' class="\1"', parser.render(text))
    return nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        allowed_classes=_CLASSES,
        url_schemes={"http", "https", "mailto"},
        link_rel="nofollow noopener",
    )


def _mark_alerts(state: StateCore) -> None:
    """Give a quote that begins with [!WARNING] its look, and its word as a heading."""
    for number, token in enumerate(state.tokens[:-2]):
        inline = state.tokens[number + 2]
        alert = _ALERT.match(inline.content) if token.type == "blockquote_open" and inline.type == "inline" else None
        if alert and inline.children:
            kind = alert[1].lower()
            token.attrSet("class", kind)
            first = inline.children[0]
            first.content = first.content[len(alert[0].rstrip()) :]
            title = [Token("strong_open", "strong", 1), Token("text", "", 0, content=kind.capitalize())]
            inline.children = [*title, Token("strong_close", "strong", -1), *inline.children]


def _mark_tasks(state: StateCore) -> None:
    """Show the boxes of a task list."""
    for number, token in enumerate(state.tokens[2:]):
        first = token.children[0] if token.children else None
        if state.tokens[number].type == "list_item_open" and first and first.content[:4].lower() in _BOXES:
            first.content = _BOXES[first.content[:4].lower()] + first.content[3:]


def _link_references(state: StateCore, resolve: Resolve) -> None:
    for block in state.tokens:
        if block.type == "inline" and block.children:
            block.children = list(_link_text(block.children, resolve))


def _link_text(tokens: list[Token], resolve: Resolve) -> Iterator[Token]:
    """Turn references in plain text into links, but not inside a link."""
    depth = 0
    for token in tokens:
        depth += {"link_open": 1, "link_close": -1}.get(token.type, 0)
        if token.type == "text" and not depth:
            yield from _split(token.content, resolve)
        else:
            yield token


def _split(text: str, resolve: Resolve) -> Iterator[Token]:
    end = 0
    for match in _LINK.finditer(text):
        kind = str(match.lastgroup)
        address = match["url"] or resolve(kind, match[kind])
        if address:
            yield Token("text", "", 0, content=text[end : match.start()])
            yield Token("link_open", "a", 1, attrs={"href": address})
            yield Token("text", "", 0, content=match[0][:10] if kind == "sha" else match[0])
            yield Token("link_close", "a", -1)
            end = match.end()
    yield Token("text", "", 0, content=text[end:])


def _fence(tokens: list[Token], index: int, *_: object) -> str:
    """Show a code block; one marked `diff` has its lines coloured."""
    token = tokens[index]
    lines = [nh3.clean_text(line).replace("&#32;", " ") for line in token.content.splitlines()]
    if token.info.strip() == "diff":
        lines = [_colour(raw, line) for raw, line in zip(token.content.splitlines(), lines, strict=True)]
    return f"<pre><code>{chr(10).join(lines)}\n</code></pre>\n"


def _colour(raw: str, line: str) -> str:
    kind = {"+": "added", "-": "removed", "@": "hunk"}.get(raw[:1])
    return f'<span class="{kind}">{line}</span>' if kind else line

"""Renders the pages. Each text that is not the bot's own is escaped."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from functools import cache
from urllib.parse import urlsplit

from jinja2 import Environment
from markdown_it import MarkdownIt
from markupsafe import Markup
from starlette.responses import HTMLResponse

from bot.proof.buffer_picture import STYLE
from bot.report.html_pages import page_environment
from bot.server.pages.access import Reader
from bot.server.pages.static_files import address
from bot.server.pages.words import PROOFS, age
from bot.text.markdown import count, escape_surrogates, visible

_PICTURE_STYLE = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
# Nothing is loaded from elsewhere. No script and no style stands in a page, but that of the picture that the bot draws.
POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
    f"frame-ancestors 'none'; style-src 'self' 'sha256-{_PICTURE_STYLE}'"
)
# Text of others is inert in it. HTML would be shown as text, and an address that runs a script is no link.
_MARKDOWN = MarkdownIt("commonmark", {"html": False})


def page(name: str, reader: Reader, /, *, status: int = 200, **values: object) -> HTMLResponse:
    """Render a page for its reader."""
    template = _environment().get_template(name)
    return HTMLResponse(escape_surrogates(template.render(reader=reader, now=datetime.now(UTC), **values)), status)


def markdown(text: str) -> Markup:
    """Return a sentence of `bot.report` as HTML."""
    return Markup(_MARKDOWN.renderInline(text))  # noqa: S704 - see _MARKDOWN


def is_web_address(url: str) -> bool:
    """Say whether an address may stand in a link."""
    return urlsplit(url).scheme in ("https", "http")


@cache
def _environment() -> Environment:
    environment = page_environment("bot.server.pages", "bot.report")
    environment.globals.update(age=age, static=address, count=count, proofs=PROOFS, is_web_address=is_web_address)
    environment.filters.update(md=markdown, visible=visible)
    return environment

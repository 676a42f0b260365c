"""Renders the pages that the bot writes to files. They have no script, load nothing, and escape foreign text."""

from __future__ import annotations

from functools import cache

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from bot.text.markdown import escape_surrogates


def render_template(name: str, /, **values: object) -> str:
    """Render a page of `bot/report/templates`. A surrogate of a path that is not UTF-8 is escaped.

    Raises:
        UndefinedError: the template uses a value that is not given.
    """
    return escape_surrogates(page_environment("bot.report").get_template(name).render(**values))


@cache
def page_environment(*packages: str) -> Environment:
    """Return the environment of pages whose templates are in these packages. They may include each other's."""
    return Environment(
        loader=ChoiceLoader([PackageLoader(package) for package in packages]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

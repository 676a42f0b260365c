"""The Jinja2 environment in which our Markdown is written.

Owns loading of the built-in templates, the filters that make foreign text inert, and the check of a template that
replaces one of ours. Templates see values only: the environment is sandboxed, and what is undefined is an error.
"""

from __future__ import annotations

import re
from functools import cache

from jinja2 import PackageLoader, StrictUndefined, TemplateError, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

from bot.text import markdown
from bot.text.suggestions import suggest

_BLANKS = re.compile(r"\n{3,}")

VALUES = {
    "status": ("original", "requester", "options", "note", "rows", "running", "summary", "details"),
    "pull_request": (
        "original",
        "candidate",
        "requester",
        "undone",
        "verdict",
        "commits",
        "prerequisites",
        "resolutions",
        "applied_with",
        "notes",
        "threads",
        "carried",
        "range_diff",
        "recipe",
    ),
    "conflict": ("original", "requester", "branch", "commits", "conflict", "files", "more", "recipe", "check"),
    "answer": ("lead", "rows", "help", "forms", "options", "branches"),
    "check_run": ("said", "isolation", "device", "groups", "known", "bars"),
    "sync_issue": ("state", "headline", "main", "to_do", "settled", "there", "not_asked"),
    "sync_summary": ("survey", "states", "rows", "details"),
}
"""The values at hand in each template that a configuration may replace."""


def render(name: str, replacement: str | None = None, /, **values: object) -> str:
    """Render a built-in template, or the configured text that stands in its place, to Markdown.

    A replacement that fails with these values gives the built-in text and a line that says so: how a result is worded
    must not decide whether it is told.
    """
    if replacement is None:
        return _tidy(_environment().get_template(f"{name}.md.j2").render(values))
    try:
        return _tidy(_environment().from_string(replacement).render(values))
    except Exception as error:
        return f"{render(name, **values)}\n{_failure(name, error)}\n"


def template_problem(name: str, source: str) -> str | None:
    """Say what is wrong with a text that is to replace a built-in template, or None."""
    try:
        used = meta.find_undeclared_variables(_environment().parse(source))
    except TemplateError as error:
        line = getattr(error, "lineno", None)
        return f"is not a template: {error}" + (f" (its line {line})" if line else "")
    for unknown in sorted(used.difference(VALUES[name])):
        hint = suggest(unknown, VALUES[name], listing="The values are")
        return f"uses `{unknown}`, which it is not given. {hint}"
    return None


def _failure(name: str, error: Exception) -> str:
    said = markdown.text(f"{type(error).__name__}: {error}", 200)
    return f"> [!NOTE]\n> `templates.{name}` in backport.yaml cannot be rendered ({said}); this is the built-in text."


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    # Markdown, not HTML: escaping is by the filters below, and HTML escaping would show up as text.
    environment = ImmutableSandboxedEnvironment(
        loader=PackageLoader("bot.report"),
        autoescape=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
    for name in ("text", "html", "prose", "code", "code_cell", "block", "link", "address", "reference", "sha", "count"):
        environment.filters[name] = getattr(markdown, name)
    return environment


def _tidy(rendered: str) -> str:
    return _BLANKS.sub("\n\n", rendered).strip() + "\n"

"""Renders Markdown from Jinja2 templates: the built-in ones, or those of a configuration.

The filters escape foreign text. The environment is sandboxed: a template sees only the values that it is given, and an
undefined value is an error. A configured template is validated before it is used.
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
        "checks",
        "range_diff",
        "recipe",
        "description",
        "folded",
        "linked_issues",
    ),
    "conflict": (
        "original",
        "requester",
        "branch",
        "commits",
        "conflict",
        "files",
        "more",
        "recipe",
        "check",
        "draft_note",
        "description",
        "folded",
        "linked_issues",
    ),
    "answer": ("lead", "rows", "help", "forms", "options", "branches"),
    "check_run": ("said", "isolation", "device", "devices", "groups", "known", "bars"),
    "sync_issue": ("state", "headline", "main", "to_do", "settled", "there", "not_asked"),
    "sync_summary": ("survey", "states", "rows", "details"),
}
"""The values of each template that a configuration may replace."""


def render(name: str, replacement: str | None = None, /, **values: object) -> str:
    """Render a built-in template, or the configured replacement, to Markdown.

    If the replacement fails with these values, the result is the built-in text and a line that says so: a broken
    template must not hide the result.
    """
    if replacement is None:
        return _tidy(_environment().get_template(f"{name}.md.j2").render(values))
    try:
        return _tidy(_environment().from_string(replacement).render(values))
    except Exception as error:
        return f"{render(name, **values)}\n{_failure(name, error)}\n"


def template_problem(name: str, source: str) -> str | None:
    """Return what is wrong with a replacement of a built-in template, or None."""
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
    reason = markdown.text(f"{type(error).__name__}: {error}", 200)
    return f"> [!NOTE]\n> `templates.{name}` in backport.yaml cannot be rendered ({reason}); this is the built-in text."


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    # The output is Markdown: the filters below escape it, and escapes for HTML would show as text.
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


def _tidy(markdown_text: str) -> str:
    return _BLANKS.sub("\n\n", markdown_text).strip() + "\n"

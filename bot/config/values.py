"""The kinds of value that keys of backport.yaml take, each with the sentence for a mistake in it.

Owns what a branch pattern, a template or a login is. Knows no key.
"""

from __future__ import annotations

import difflib
import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo

from bot.text.branch_names import is_glob, name_problem, pattern_problem
from bot.text.templates import template_problem


class Section(BaseModel):
    """A mapping of backport.yaml: an unknown key is an error, and the attributes' docstrings describe its keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)


def _branch_pattern(value: str) -> str:
    problem = pattern_problem(value) if is_glob(value) else name_problem(value)
    return _accept(value, problem and f"`{value}` {problem}")


def _accept(value: str, problem: str | None) -> str:
    if problem:
        raise ValueError(problem)
    return value


def _placeholders(value: str, known: tuple[str, ...], needed: tuple[str, ...]) -> str:
    used = re.findall(r"\{([^{}]*)\}", value)
    for name in used:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            names = f"did you mean `{{{near[0]}}}`?" if near else "there are " + ", ".join(f"`{{{n}}}`" for n in known)
            raise ValueError(f"`{{{name}}}` is not a placeholder: {names}")
    if not any(name in used for name in needed):
        raise ValueError("must contain " + " or ".join(f"`{{{name}}}`" for name in needed))
    return value


def _branch_template(value: str) -> str:
    known = ("number", "target", "target_slug")
    _placeholders(value, known, ("number",))
    _placeholders(value, known, ("target", "target_slug"))
    problem = name_problem(re.sub(r"\{[^{}]*\}", "x", value))
    return _accept(value, problem and f"gives a branch name that {problem}")


def _title_template(value: str) -> str:
    return _placeholders(value, ("number", "target", "title"), ("title",))


def _label_template(value: str) -> str:
    return _placeholders(value, ("target",), ("target",))


def _markdown_template(value: str, info: ValidationInfo) -> str:
    return _accept(value, template_problem(str(info.field_name), value))


def _login(value: str) -> str:
    return value.removeprefix("@")


Pattern = Annotated[str, AfterValidator(_branch_pattern)]
Login = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_login)]
RepositoryName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*/[A-Za-z0-9._-]+$")]
Label = Annotated[str, Field(min_length=1, max_length=50)]
MarkdownTemplate = Annotated[str, AfterValidator(_markdown_template)]


BranchTemplate = Annotated[str, AfterValidator(_branch_template)]
TitleTemplate = Annotated[str, AfterValidator(_title_template)]
LabelTemplate = Annotated[str, AfterValidator(_label_template)]


def fill(template: str, **values: str) -> str:
    """Put values in the place of `{placeholders}`; a value is never read as a template itself."""
    return re.sub(r"\{([a-z_]+)\}", lambda found: values.get(found.group(1), found.group()), template)

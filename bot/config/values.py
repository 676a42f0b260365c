"""The types of values in backport.yaml: patterns, templates, logins. Each words the mistakes that it rejects."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo

from bot.text.branch_names import is_glob, name_problem, pattern_problem
from bot.text.suggestions import suggest
from bot.text.templates import template_problem


class Section(BaseModel):
    """A mapping of backport.yaml. An unknown key is an error. The docstrings of the attributes describe the keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)


def _branch_pattern(value: str) -> str:
    problem = pattern_problem(value) if is_glob(value) else name_problem(value)
    return _accept(value, problem and f"`{value}` {problem}")


def _path_pattern(value: str) -> str:
    # These paths reach git and the file system of the machine.
    outside = value.startswith("/") or ".." in value.split("/")
    return _accept(value, f"`{value}` does not stay inside the tree" if outside else None)


def _accept(value: str, problem: str | None) -> str:
    if problem:
        raise ValueError(problem)
    return value


def _placeholders(value: str, names: tuple[str, ...], alternatives: tuple[str, ...]) -> str:
    """Check that a template has only known placeholders, and at least one of the alternatives."""
    used = re.findall(r"\{[^{}]*\}", value)
    placeholders = [f"{{{name}}}" for name in names]
    for placeholder in used:
        if placeholder not in placeholders:
            hint = suggest(placeholder, placeholders, listing="The placeholders are")
            raise ValueError(f"contains `{placeholder}`, which is not a placeholder. {hint}")
    if not any(f"{{{name}}}" in used for name in alternatives):
        raise ValueError("must contain " + " or ".join(f"`{{{name}}}`" for name in alternatives))
    return value


def _branch_template(value: str) -> str:
    names = ("number", "target", "target_slug")
    _placeholders(value, names, ("number",))
    _placeholders(value, names, ("target", "target_slug"))
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
PathPattern = Annotated[str, Field(min_length=1), AfterValidator(_path_pattern)]
MarkdownTemplate = Annotated[str, AfterValidator(_markdown_template)]


BranchTemplate = Annotated[str, AfterValidator(_branch_template)]
TitleTemplate = Annotated[str, AfterValidator(_title_template)]
LabelTemplate = Annotated[str, AfterValidator(_label_template)]


def fill(template: str, **values: str) -> str:
    """Replace `{placeholders}` by values. A value is never read as a template itself."""
    # str.format would let a value's author read attributes: `{0.__class__}`.
    return re.sub(r"\{([a-z_]+)\}", lambda match: values.get(match.group(1), match.group()), template)

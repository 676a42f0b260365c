"""The section `trigger_labels`: which further labels request a backport, and to which branch."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, field_validator
from pydantic_core.core_schema import ValidationInfo

from bot.config.values import Section
from bot.text.bounded_patterns import pattern_problem, replacement_problem


def _label_pattern(value: str) -> str:
    problem = pattern_problem(value)
    if problem:
        raise ValueError(f"`{value}` {problem}")
    return value


class TriggerLabel(Section):
    """Labels that request a backport, by a regular expression."""

    pattern: Annotated[str, Field(min_length=1), AfterValidator(_label_pattern)]
    """A Python regular expression, searched for anywhere in the label: `^` and `$` bind it to the ends. It may have
    three repeats, and none of a group."""
    branch: Annotated[str, Field(min_length=1, max_length=200)]
    """The target branch; `$1`, `\\1` or `${name}` is what a group matched."""

    @field_validator("branch")
    @classmethod
    def _check_groups(cls, value: str, info: ValidationInfo) -> str:
        pattern = info.data.get("pattern")
        problem = replacement_problem(value, pattern) if pattern else None
        if problem:
            raise ValueError(f"`{value}` {problem}")
        return value

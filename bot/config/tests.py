"""The `prove.tests` section: the tests that an original brings, and how they run."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field, field_validator

from bot.config.values import PathPattern, Section

Words = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1, strict=False)]


class Preset(StrEnum):
    """A command that the bot knows, with a report for each case."""

    PYTEST = "pytest"
    UNITTEST = "unittest"
    DJANGO = "django"
    TOX = "tox"
    NOX = "nox"
    NPM = "npm"
    GO = "go"
    CARGO = "cargo"
    MAVEN = "maven"


class KnownFailureConfig(Section):
    """Cases that fail for another reason, with the fix and without it."""

    cases: Annotated[str, Field(min_length=1)]
    """Their names; `*` is any text."""
    reason: Annotated[str, Field(min_length=1)]
    """Why, for the reader of the verdict."""


class Tests(Section):
    """The tests of the original pull request. They are its proof if no carried patch has one."""

    paths: tuple[PathPattern, ...] = Field(
        default=(
            *("test_*.py", "*_test.py", "tests.py", "*_test.go", "tests.rs"),
            *("*.test.[cm]js", "*.test.js", "*.test.jsx", "*.test.ts", "*.test.tsx", "*.test.[cm]ts"),
            *("*.spec.[cm]js", "*.spec.js", "*.spec.jsx", "*.spec.ts", "*.spec.tsx", "*.spec.[cm]ts"),
            *("*Test.java", "*Tests.java", "*Test.kt", "*Tests.kt", "*Test.scala", "*Spec.scala", "*Test.groovy"),
            *("**/conftest.py", "**/tests/**", "**/test/**", "**/__tests__/**", "**/testdata/**"),
            *("**/__snapshots__/**", "**/src/test/**"),
        ),
        strict=False,
        min_length=1,
    )
    """The files of the tests. They are copied onto the branch without the fix. The bot runs those that match a pattern
    without a slash. By default it also runs JavaScript and Rust files in folders of tests. Of other Rust files the bot
    copies the test modules."""
    command: Annotated[Preset, Field(strict=False)] | Words | None = None
    """Runs the tests in the tree: the name of a preset, or a list of words. In the words `{files}` are the tests,
    `{junit}` is the report to write and `{python}` an interpreter. By default the language of the tests chooses the
    preset. `tox` and `nox` install while they run, so they need `prove.network: true`."""
    known_failures: tuple[KnownFailureConfig, ...] = Field(default=(), strict=False)
    """Cases among them that fail on your branches for another reason."""

    @field_validator("command", mode="before")
    @classmethod
    def _knows_the_preset(cls, value: object) -> object:
        if isinstance(value, str) and value not in list(Preset):
            names = ", ".join(f"`{name}`" for name in Preset)
            raise ValueError(f"is `{value}`, and must be one of {names} or a list of words")
        return value

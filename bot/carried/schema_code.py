"""The sections of a patch.yaml about code: where a file lies, when a tree is affected, how a file is rewritten."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bot.models import Affectedness

Scalar = bool | int | float | str | None
"""The value of a sample. The text `integers(1)` stands for every integer from 1 on, `buffer(2, 64)` for a tensor of
that shape, and `buffer(rows, columns)` for one of every shape.
"""


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, protected_namespaces=())


class SourceFile(Section):
    """A file the patch speaks of. When it is not at `path`, the one file that has the text `defines` is taken."""

    path: str
    defines: str = Field(min_length=1)


class Target(Section):
    """How to recognise the project in a tree: `package` lies below one of `roots`."""

    project: str
    roots: tuple[str, ...] = Field(min_length=1)
    package: str
    formatter: Literal["black"] | None = Field(default=None, description="Formats what the project's files have.")
    files: Mapping[str, SourceFile] = Field(min_length=1)


class FunctionReference(Section):
    """A function in a file. `parameters` names its parameters by position, whatever the tree calls them."""

    file: str
    class_name: str | None = Field(default=None, alias="class")
    name: str
    parameters: tuple[str, ...] = ()


class Rule(Section):
    """An ast-grep rule. `says` is what a match means to a person."""

    file: str
    says: str
    rule: Mapping[str, Any] = Field(min_length=1)


class Measure(Section):
    """An expectation on the state a function leaves behind, for every combination of samples.

    It may call `separate` (tensors that share no memory) and `on_device`, and name a tensor among the samples by
    `NAME_before` as it was before the function.
    """

    function: str
    samples: Mapping[str, tuple[Scalar, ...]]
    assume: tuple[str, ...] = Field(default=(), description="Comparisons that hold for the samples of every server.")
    calls: str | None = Field(default=None, description="Judge the arguments of this call instead of the end state.")
    expect: str
    says: str = Field(description="What it means when the expectation does not hold.")


class Condition(Section):
    """One of: a measure `holds` or `fails`; a rule has `some` match or `none`; a file or function is not there."""

    holds: str | None = None
    fails: str | None = None
    some: str | None = None
    none: str | None = None
    without_file: str | None = None
    without_function: str | None = None

    @model_validator(mode="after")
    def _one_key(self) -> Condition:
        if len(self.model_fields_set) != 1:
            raise ValueError("must have exactly one of holds, fails, some, none, without_file, without_function")
        return self

    @property
    def kind(self) -> str:
        """Return which of the keys is set."""
        return next(iter(self.model_fields_set))

    @property
    def subject(self) -> str:
        """Return the name of the measure, rule or function."""
        return str(getattr(self, self.kind))


class Clause(Section):
    """A status and the conditions under which a tree has it. The first clause whose conditions all hold decides."""

    status: Literal[Affectedness.AFFECTED, Affectedness.FIXED, Affectedness.NOT_AFFECTED]
    when: tuple[Condition, ...] = Field(min_length=1)
    reason: str


class Edit(Section):
    """What to match, and the template to write: it knows the rule's $METAVARIABLES and the function's $parameters."""

    rule: Mapping[str, Any] = Field(min_length=1)
    replace: str | None = None
    insert_before: str | None = Field(default=None, alias="insert-before")
    insert_after: str | None = Field(default=None, alias="insert-after")

    @model_validator(mode="after")
    def _one_action(self) -> Edit:
        if sum(text is not None for text in (self.replace, self.insert_before, self.insert_after)) != 1:
            raise ValueError("must have exactly one of replace, insert-before, insert-after")
        return self

    @property
    def action(self) -> Literal["replace", "insert-before", "insert-after"]:
        """Return the key that holds the template."""
        if self.replace is not None:
            return "replace"
        return "insert-before" if self.insert_before is not None else "insert-after"

    @property
    def template(self) -> str:
        """Return the text of the one key that is set."""
        return next(text for text in (self.replace, self.insert_before, self.insert_after) if text is not None)


class Step(Section):
    """One rewrite. Of its `edits` the first that matches at a place is used; `expect` counts all places together."""

    name: str
    function: str
    expect: str = Field(pattern=r"^(exactly [1-9]\d*|at least 1|optional)$")
    edits: tuple[Edit, ...] = Field(min_length=1)

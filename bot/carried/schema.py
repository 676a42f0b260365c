"""The keys of a patch.yaml and their types, as a pydantic model. `bot.carried.load` reads and validates a file."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bot.config.yaml_source import KeyPath
from bot.models import Affectedness

Scalar = bool | int | float | str | None
"""What a sample binds to a name. The text `integers(1)` stands for every integer from 1 on, `buffer(2, 64)` for a
tensor of that shape, and `buffer(rows, columns)` for one of every shape."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, protected_namespaces=())


class Original(_Section):
    """The merged pull request that the patch carries, as far as it is publicly known."""

    repository: str = Field(pattern=r"^[^/\s]+/[^/\s]+$")
    pull_request: int = Field(gt=0)
    title: str
    author: str
    opened: date | None = None
    merged: date | None = Field(default=None, description="Left out where only the release that has it is known.")
    commit: str | None = Field(
        default=None, pattern=r"^[0-9a-f]{7,40}$", description="Merge commit; may be abbreviated."
    )
    labels: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


class Provenance(_Section):
    """Where the fix comes from and what its review left open."""

    original: Original
    summary: str
    risks: tuple[str, ...] = ()
    open_questions: tuple[str, ...] = ()


class SourceFile(_Section):
    """A file the patch speaks of. When it is not at `path`, the one file that has the text `defines` is taken."""

    path: str
    defines: str = Field(min_length=1)


class Target(_Section):
    """How to recognise the project in a tree: `package` lies below one of `roots`."""

    project: str
    roots: tuple[str, ...] = Field(min_length=1)
    package: str
    formatter: Literal["black"] | None = Field(default=None, description="Formats what the project's files have.")
    files: Mapping[str, SourceFile] = Field(min_length=1)


class FunctionReference(_Section):
    """A function in a file. `parameters` names its parameters by position, whatever the tree calls them."""

    file: str
    class_name: str | None = Field(default=None, alias="class")
    name: str
    parameters: tuple[str, ...] = ()


class Rule(_Section):
    """An ast-grep rule. `says` is what a match means to a person."""

    file: str
    says: str
    rule: Mapping[str, Any] = Field(min_length=1)


class Measure(_Section):
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


class Condition(_Section):
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


class Clause(_Section):
    """A status and the conditions under which a tree has it. The first clause whose conditions all hold decides."""

    status: Literal[Affectedness.AFFECTED, Affectedness.FIXED, Affectedness.NOT_AFFECTED]
    when: tuple[Condition, ...] = Field(min_length=1)
    reason: str


class Edit(_Section):
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


class Step(_Section):
    """One rewrite. Of its `edits` the first that matches at a place is used; `expect` counts all places together."""

    name: str
    function: str
    expect: str = Field(pattern=r"^(exactly [1-9]\d*|at least 1|optional)$")
    edits: tuple[Edit, ...] = Field(min_length=1)


class FollowUp(_Section):
    """Sites that reviewers pointed at and that the fix leaves as they are."""

    name: str
    file: str
    note: str
    rule: Mapping[str, Any] = Field(min_length=1)


class Companion(_Section):
    """Another carried patch that belongs with this one."""

    patch: str
    reason: str
    needed_on: str


class KnownFailure(_Section):
    """Cases of the suite that fail for another reason; `cases` is a glob over their names."""

    cases: str
    reason: str
    fixed_by: str | None = None


class SuiteSection(_Section):
    """The regression suite: a folder next to patch.yaml."""

    directory: str = "suite"
    import_paths: tuple[str, ...] = ()
    timeout: float = Field(default=900.0, gt=0, description="Seconds for one run on one tree.")
    takes_turns: bool = Field(
        default=False,
        description="Whether no case starts, and nothing of the target is looked at, before the file is there that "
        "SUITE_TURN names. The suite then starts up while the trees are laid out and another run has the device.",
    )
    known_failures: tuple[KnownFailure, ...] = ()


class HarmlessMutant(_Section):
    """A change that leaves the fix right, as mutation testing words it; `mutant` may hold `*`."""

    mutant: str
    reason: str


class PatchFile(_Section):
    """A whole patch.yaml."""

    provenance: Provenance
    target: Target
    functions: Mapping[str, FunctionReference] = Field(default_factory=dict)
    shared_rules: Mapping[str, Mapping[str, Any]] = Field(
        default_factory=dict, description="ast-grep rules that others name by `matches`."
    )
    rules: Mapping[str, Rule] = Field(default_factory=dict)
    measures: Mapping[str, Measure] = Field(default_factory=dict)
    detect: tuple[Clause, ...] = Field(min_length=1)
    steps: tuple[Step, ...] = Field(min_length=1)
    follow_ups: tuple[FollowUp, ...] = ()
    companions: tuple[Companion, ...] = ()
    apply_after: tuple[str, ...] = Field(
        default=(), description="Carried patches that go first where a tree needs them as well."
    )
    suite: SuiteSection = SuiteSection()
    harmless_mutants: tuple[HarmlessMutant, ...] = Field(
        default=(), description="Changes of what the steps write that neither rules nor suite need to find."
    )

    def references(self) -> Iterator[tuple[KeyPath, str, Collection[str]]]:
        """Yield each reference to a definition in the same file: its key path, the name, the defined names."""
        defined: Mapping[str, Collection[str]] = {
            "holds": self.measures,
            "fails": self.measures,
            "some": self.rules,
            "none": self.rules,
            "without_file": self.target.files,
            "without_function": self.functions,
        }
        for index, clause in enumerate(self.detect):
            for position, condition in enumerate(clause.when):
                path = ("detect", index, "when", position, condition.kind)
                yield path, condition.subject, defined[condition.kind]
        for name, measure in self.measures.items():
            yield ("measures", name, "function"), measure.function, self.functions
        for index, step in enumerate(self.steps):
            yield ("steps", index, "function"), step.function, self.functions
        for section in ("functions", "rules"):
            for name, entry in getattr(self, section).items():
                yield (section, name, "file"), entry.file, self.target.files
        for index, follow_up in enumerate(self.follow_ups):
            yield ("follow_ups", index, "file"), follow_up.file, self.target.files

    def all_rules(self) -> Iterator[tuple[KeyPath, Mapping[str, Any]]]:
        """Yield each ast-grep rule of the file with its key path."""
        yield from ((("shared_rules", name), rule) for name, rule in self.shared_rules.items())
        yield from ((("rules", name, "rule"), entry.rule) for name, entry in self.rules.items())
        for index, step in enumerate(self.steps):
            for position, edit in enumerate(step.edits):
                yield ("steps", index, "edits", position, "rule"), edit.rule
        yield from ((("follow_ups", index, "rule"), entry.rule) for index, entry in enumerate(self.follow_ups))


def render_json_schema() -> str:
    """Render the JSON Schema that editors check a patch.yaml with; kept as patches/patch.schema.json."""
    return json.dumps(PatchFile.model_json_schema(by_alias=True), indent=2, sort_keys=True) + "\n"

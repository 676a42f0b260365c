"""The keys of a patch.yaml and their types, as a pydantic model. `bot.carried.load` reads and validates a file."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date
from typing import Any

from pydantic import Field

from bot.carried.schema_code import Clause, FunctionReference, Measure, Rule, Section, Step, Target
from bot.config.yaml_source import KeyPath


class Original(Section):
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


class Provenance(Section):
    """Where the fix comes from and what its review left open."""

    original: Original
    summary: str
    risks: tuple[str, ...] = ()
    open_questions: tuple[str, ...] = ()


class FollowUp(Section):
    """Sites that reviewers pointed at and that the fix leaves as they are."""

    name: str
    file: str
    note: str
    rule: Mapping[str, Any] = Field(min_length=1)


class Companion(Section):
    """Another carried patch that belongs with this one."""

    patch: str
    reason: str
    needed_on: str


class KnownFailure(Section):
    """Cases of the suite that fail for another reason; `cases` is a glob over their names."""

    cases: str
    reason: str
    fixed_by: str | None = None


class SuiteSection(Section):
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


class HarmlessMutant(Section):
    """A change that leaves the fix right, as mutation testing words it; `mutant` may hold `*`."""

    mutant: str
    reason: str


class PatchFile(Section):
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
        names_by_key: Mapping[str, Collection[str]] = {
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
                yield path, condition.subject, names_by_key[condition.kind]
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

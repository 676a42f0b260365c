"""What becomes of a mutant: found by the rules, found by the suite, harmless for a reason that is given, or none of it.

Owns the order in which that is asked, the cheap judge first. A suite is run by `suite`; nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.carried.apply import Applied, ChangedTree, apply
from bot.carried.detect import check
from bot.carried.load import CarriedPatch
from bot.errors import ConfigError
from bot.models import Affectedness, SourceTree
from bot.mutation.equivalent import reason_for
from bot.mutation.operators import Mutation, mutations
from bot.mutation.source import Written
from bot.proof.judge import matches


class Fate(StrEnum):
    """What became of a mutant."""

    RULES = "killed by rules"
    SUITE = "killed by suite"
    HARMLESS = "harmless"
    SURVIVED = "survived"
    NOT_RUN = "suite not run"


@dataclass(frozen=True, slots=True)
class Scored:
    """A mutant and what became of it; `detail` is the rule, the case or the reason."""

    mutation: Mutation
    fate: Fate
    detail: str


@dataclass(frozen=True, slots=True)
class Fixed:
    """A tree that a carried patch was applied to, after those that go first, and what this patch wrote of a file."""

    patch: CarriedPatch
    applied: tuple[CarriedPatch, ...]
    tree: SourceTree
    written: Written

    def mutated(self, mutation: Mutation) -> SourceTree:
        """Return the tree with a mutant in it."""
        return ChangedTree(self.tree, {self.written.path: mutation.source.encode()})

    def mutations(self) -> list[Mutation]:
        """List every mutant of what the patch wrote."""
        return list(mutations(self.written))


SuiteJudge = Callable[[SourceTree, bytes], str]
"""Runs the suite on a tree, whose changed file has the content, and returns why it is not proven, or nothing."""


def fixed_trees(tree: SourceTree, patch: CarriedPatch, patches: Mapping[str, CarriedPatch]) -> list[Fixed]:
    """Apply a patch, after those that go first, and return one entry for each file that it writes.

    Raises:
        ConfigError: the tree is not affected, or the patch does not fit.
    """
    first = [patches[name] for name in patch.file.apply_after if name in patches]
    applied: list[CarriedPatch] = []
    changes: Mapping[str, bytes] = {}
    for each in (*first, patch):
        before = tree
        outcome = apply(before, each)
        if not isinstance(outcome, Applied):
            raise ConfigError(f"{outcome} No mutant was made.", hint="Choose a tree that the patch fits.")
        changes = outcome.changes
        tree = ChangedTree(before, changes)
        applied += [each] if changes else []
    if not changes:
        raise ConfigError(
            f"The tree does not need {patch.name}, so the patch writes nothing and no mutant was made.",
            hint="Choose a tree that `check` calls affected.",
        )
    return [
        Fixed(patch, tuple(applied), tree, Written(path, (before.read(path) or b"").decode(), content.decode()))
        for path, content in changes.items()
    ]


def score(fixed: Fixed, mutation: Mutation, suite: SuiteJudge | None) -> Scored:
    """Ask the rules, then whether the mutant is harmless, then the suite; without one that stays open."""
    mutated = fixed.mutated(mutation)
    for patch in fixed.applied:
        report = check(mutated, patch)
        if report.status is not Affectedness.FIXED:
            return Scored(mutation, Fate.RULES, f"{patch.name}: {report.status}: {report.reason}")
    declared = (
        f"declared: {entry.reason}"
        for entry in fixed.patch.file.harmless_mutants
        if matches(entry.mutant, str(mutation))
    )
    reason = reason_for(fixed.written, fixed.patch, mutation) or next(declared, "")
    if reason:
        return Scored(mutation, Fate.HARMLESS, reason)
    if suite is None:
        return Scored(mutation, Fate.NOT_RUN, "the rules do not find it")
    objection = suite(mutated, mutation.source.encode())
    return Scored(mutation, Fate.SUITE, objection) if objection else Scored(mutation, Fate.SURVIVED, "proven")

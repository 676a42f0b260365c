"""Scores a mutant: killed by the rules, killed by the suite, harmless for a stated reason, or survived.

The rules come first, since they take half a second and a suite takes many. `suite` runs the suite.
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
from bot.mutation.equivalent import harmless_reason
from bot.mutation.operators import Mutation, mutations
from bot.mutation.patched_source import PatchedFile
from bot.text.globs import matches_stars


class Fate(StrEnum):
    """What became of a mutant."""

    RULES = "killed by rules"
    SUITE = "killed by suite"
    HARMLESS = "harmless"
    SURVIVED = "survived"
    NOT_RUN = "suite not run"


@dataclass(frozen=True, slots=True)
class MutantResult:
    """A mutant and its fate. `detail` names the rule, the case or the reason."""

    mutation: Mutation
    fate: Fate
    detail: str


@dataclass(frozen=True, slots=True)
class FixedTree:
    """A tree that a carried patch was applied to, after those that go first, and what this patch wrote of a file."""

    patch: CarriedPatch
    chain: tuple[CarriedPatch, ...]
    tree: SourceTree
    patched_file: PatchedFile

    def with_mutant(self, mutation: Mutation) -> SourceTree:
        """Return the tree with a mutant in it."""
        return ChangedTree(self.tree, {self.patched_file.path: mutation.source.encode()})

    def mutations(self) -> list[Mutation]:
        """List every mutant of what the patch wrote."""
        return list(mutations(self.patched_file))


SuiteJudge = Callable[[SourceTree, bytes], str]
"""Runs the suite on a tree, whose changed file has the content, and returns why it is not proven, or nothing."""


def fixed_trees(tree: SourceTree, patch: CarriedPatch, patches: Mapping[str, CarriedPatch]) -> list[FixedTree]:
    """Apply a patch, after those that go first, and return one entry for each file that it writes.

    Raises:
        ConfigError: the tree is not affected, or the patch does not fit.
    """
    first = [patches[name] for name in patch.file.apply_after if name in patches]
    chain: list[CarriedPatch] = []
    changes: Mapping[str, bytes] = {}
    for link in (*first, patch):
        before = tree
        outcome = apply(before, link)
        if not isinstance(outcome, Applied):
            raise ConfigError(f"{outcome} No mutant was made.", hint="Choose a tree that the patch fits.")
        changes = outcome.changes
        tree = ChangedTree(before, changes)
        chain += [link] if changes else []
    if not changes:
        raise ConfigError(
            f"The tree does not need {patch.name}, so the patch writes nothing and no mutant was made.",
            hint="Choose a tree that `check` calls affected.",
        )
    return [
        FixedTree(patch, tuple(chain), tree, PatchedFile(path, (before.read(path) or b"").decode(), content.decode()))
        for path, content in changes.items()
    ]


def score(fix: FixedTree, mutation: Mutation, suite: SuiteJudge | None) -> MutantResult:
    """Ask the rules, then whether the mutant is harmless, then the suite; without one that stays open."""
    tree = fix.with_mutant(mutation)
    for patch in fix.chain:
        report = check(tree, patch)
        if report.status is not Affectedness.FIXED:
            return MutantResult(mutation, Fate.RULES, f"{patch.name}: {report.status}: {report.reason}")
    declarations = (
        f"declared: {entry.reason}"
        for entry in fix.patch.file.harmless_mutants
        if matches_stars(entry.mutant, str(mutation))
    )
    reason = harmless_reason(fix.patched_file, fix.patch, mutation) or next(declarations, "")
    if reason:
        return MutantResult(mutation, Fate.HARMLESS, reason)
    if suite is None:
        return MutantResult(mutation, Fate.NOT_RUN, "the rules do not find it")
    objection = suite(tree, mutation.source.encode())
    if objection:
        return MutantResult(mutation, Fate.SUITE, objection)
    return MutantResult(mutation, Fate.SURVIVED, "proven")

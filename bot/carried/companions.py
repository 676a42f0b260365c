"""Companions of a carried patch: which belong with it, in which order, and the changes of each on top of the others.

Also which patches must be applied before it, companions or not.

A companion that a tree does not need, or that is not loaded, is left out. Nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from bot.carried.apply import Applied, ChangedTree, StepFailure, apply
from bot.carried.detect import check
from bot.carried.load import CarriedPatch
from bot.models import Affectedness, SourceTree


def companions_of(patch: CarriedPatch, patches: Mapping[str, CarriedPatch]) -> tuple[CarriedPatch, ...]:
    """Return the loaded companions of a patch and theirs, without the patch, each after those it must follow."""
    companions = {companion.name: companion for companion in _closure(patch, patches)}
    order: dict[str, CarriedPatch] = {}
    visited_names = {patch.name}

    def place(companion: CarriedPatch) -> None:
        if companion.name in visited_names:  # placed already, or two patches that each want to follow the other
            return
        visited_names.add(companion.name)
        for name in companion.file.apply_after:
            if name in companions:
                place(companions[name])
        order[companion.name] = companion

    for companion in companions.values():
        place(companion)
    return tuple(order.values())


def needed_companions(
    base: SourceTree, candidate: SourceTree, patch: CarriedPatch, patches: Mapping[str, CarriedPatch]
) -> tuple[CarriedPatch, ...]:
    """Return the companions whose suites a proof needs: those that the base lacks, and those that the candidate adds.

    One that the candidate lacks as well is among them, so that its absence is not proven.
    """

    def is_needed(companion: CarriedPatch) -> bool:
        # A companion that is fixed on the base was not brought by the candidate, so there is nothing to prove.
        before = check(base, companion).status
        if before in (Affectedness.AFFECTED, Affectedness.FIXED):
            return before is Affectedness.AFFECTED
        return check(candidate, companion).status is Affectedness.FIXED

    return tuple(companion for companion in companions_of(patch, patches) if is_needed(companion))


def apply_companions(
    tree: SourceTree, patch: CarriedPatch, patches: Mapping[str, CarriedPatch]
) -> tuple[Applied | StepFailure, ...]:
    """Compute the changes of each companion whose fault the tree has, each on top of those before it.

    A companion that does not apply is reported and left out; the next ones are still tried. `changes` hold whole files.
    """
    outcomes: list[Applied | StepFailure] = []
    for companion in companions_of(patch, patches):
        # A companion that the tree does not need would only add risk.
        if check(tree, companion).status is not Affectedness.AFFECTED:
            continue
        outcome = apply(tree, companion)
        outcomes.append(outcome)
        if isinstance(outcome, Applied):
            tree = ChangedTree(tree, outcome.changes)
    return tuple(outcomes)


def patches_to_apply_first(
    tree: SourceTree, patch: CarriedPatch, patches: Mapping[str, CarriedPatch]
) -> tuple[CarriedPatch, ...]:
    """Return the patches that a tree needs first, in order, if this one applies on top of them and not without them.

    Empty if it applies as it is, or if they would not help.
    """
    predecessors = [
        predecessor
        for predecessor in _predecessors(patch, patches)
        if check(tree, predecessor).status is Affectedness.AFFECTED
    ]
    if not predecessors or isinstance(apply(tree, patch), Applied):
        return ()
    for carrier in (*predecessors, patch):
        outcome = apply(tree, carrier)
        if not isinstance(outcome, Applied):
            return ()
        tree = ChangedTree(tree, outcome.changes)
    return tuple(predecessors)


def _predecessors(patch: CarriedPatch, patches: Mapping[str, CarriedPatch]) -> tuple[CarriedPatch, ...]:
    """Return the loaded patches that go before a patch, and those that go before them, each after those."""
    order: dict[str, CarriedPatch] = {}
    visited_names = {patch.name}

    def place(names: Iterable[str]) -> None:
        for name in names:
            if name in patches and name not in visited_names:  # two patches may each want to follow the other
                visited_names.add(name)
                place(patches[name].file.apply_after)
                order[name] = patches[name]

    place(patch.file.apply_after)
    return tuple(order.values())


def _closure(patch: CarriedPatch, patches: Mapping[str, CarriedPatch]) -> Iterator[CarriedPatch]:
    """Yield the companions breadth first, as the patches list them."""
    visited_names, queue = {patch.name}, [patch]
    while queue:
        for companion in queue.pop(0).companions:
            if companion.patch in patches and companion.patch not in visited_names:
                visited_names.add(companion.patch)
                queue.append(patches[companion.patch])
                yield patches[companion.patch]

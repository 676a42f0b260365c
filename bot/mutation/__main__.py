"""`python -m bot.mutation`: scores the mutants of the shipped carried patches and prints a table.

Exits with 1 if a mutant survives.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bot.carried.load import bundled_patches, load_patches
from bot.carried.source_tree import DirectoryTree
from bot.demo import releases
from bot.mutation.operators import KINDS
from bot.mutation.run_suite import suite_judge
from bot.mutation.score import Fate, FixedTree, MutantResult, fixed_trees, score

RELEASES = {
    "sglang-22598": ("0.5.10.post1",),
    "sglang-24587": ("0.5.10.post1", "0.5.11", "0.5.12.post1"),
    "sglang-24762": ("0.5.12.post1",),
    "sglang-25556": ("0.5.9", "0.5.12.post1"),
    "sglang-27188": ("0.5.12.post1",),
    "sglang-27338": ("0.5.12.post1",),
    "sglang-27485": ("0.5.9", "0.5.11", "0.5.12.post1"),
    "sglang-28237": ("0.5.11", "0.5.14"),
    "sglang-28337": ("0.5.3", "0.5.13.post1"),
}
"""The releases that each patch is mutated on: one of every form that what it changes has had."""


_SAMPLED_FIXES = 2


@dataclass(frozen=True, slots=True)
class Field:
    """A released tree and the fix that mutants are made of."""

    version: str
    tree: Path
    fix: FixedTree


def main(arguments: Sequence[str] | None = None) -> int:
    """Score mutants as the command line asks; return the exit code."""
    options = _parse_arguments(arguments)
    patches = load_patches([bundled_patches()])
    draw = random.Random(options.seed)  # noqa: S311 - the same seed draws the same sample
    places = [
        (name, version)
        for name, versions in RELEASES.items()
        for version in versions
        if options.patch in (None, name) and (not options.release or version in options.release)
    ]
    if options.sample:
        places = draw.sample(places, min(_SAMPLED_FIXES, len(places)))  # making a fix takes longer than a mutant
    fields = [
        Field(version, releases.source_tree(version), fix)
        for name, version in places
        for fix in fixed_trees(DirectoryTree(releases.source_tree(version)), patches[name], patches)
    ]
    mutants = [(field, mutation) for field in fields for mutation in field.fix.mutations()]
    _print(f"{len(mutants)} mutants of {', '.join(f'{field.fix.patch.name} on {field.version}' for field in fields)}")
    if options.sample:
        _print(f"a sample of {options.sample} by --seed {options.seed}, at most {options.suite_runs} by the suite")
        mutants = draw.sample(mutants, min(options.sample, len(mutants)))
    results = []
    with ExitStack() as stack:
        judges = [stack.enter_context(suite_judge(f.tree, f.fix, patches, options.device)) for f in fields]
        for field, mutation in mutants:
            suite = judges[fields.index(field)] if options.suite_runs > 0 else None
            result = score(field.fix, mutation, suite)
            options.suite_runs -= result.fate in (Fate.SUITE, Fate.SURVIVED)
            results.append(result)
            _print_result(field, result, verbose=options.verbose)
    _print_summary(results)
    return 1 if any(result.fate is Fate.SURVIVED for result in results) else 0


def _parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bot.mutation", description="Score mutants of carried patches.")
    parser.add_argument("--patch", choices=RELEASES, help="One carried patch; all by default.")
    parser.add_argument("--release", action="append", help="A release of sglang; may be repeated.")
    parser.add_argument("--sample", type=int, help="Try so many, drawn by the seed; all by default.")
    parser.add_argument("--seed", default=_commit(), help="What draws the sample; the commit by default.")
    parser.add_argument("--suite-runs", type=int, default=sys.maxsize, help="Let the suite judge so many at most.")
    parser.add_argument("--device", default="cpu", help="Where suites run: auto, cpu, cuda or rocm.")
    parser.add_argument("--verbose", action="store_true", help="Print every mutant, not only what needs a look.")
    return parser.parse_args(arguments)


def _commit() -> str:
    process = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return process.stdout.strip() or "0"


def _print_result(field: Field, result: MutantResult, *, verbose: bool) -> None:
    if verbose or result.fate in (Fate.SURVIVED, Fate.SUITE, Fate.NOT_RUN):
        _print(f"{result.fate}: {field.fix.patch.name} on {field.version}: {result.mutation}: {result.detail}")


def _print_summary(results: Sequence[MutantResult]) -> None:
    _print(f"{'kind':20}" + "".join(f"{fate:>18}" for fate in Fate))
    counts = Counter((result.mutation.kind, result.fate) for result in results)
    for kind in KINDS:
        _print(f"{kind:20}" + "".join(f"{counts[kind, fate]:18}" for fate in Fate))
    totals = Counter(result.fate for result in results)
    _print(f"{'all':20}" + "".join(f"{totals[fate]:18}" for fate in Fate))


def _print(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - this is the program's output


if __name__ == "__main__":
    sys.exit(main())

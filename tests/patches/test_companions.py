"""The companions' suites against real releases: each fails before its fix and passes after, carried or released.

A small suite takes longer to start than to run. So one process runs the suites of all companions on a tree; they are
judged one by one.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from bot.carried.companions import apply_companions
from bot.carried.load import CarriedPatch
from bot.carried.source_tree import DirectoryTree
from bot.models import CaseOutcome, SuiteRun, VerdictOutcome
from bot.proof.judge import judge_suite
from bot.proof.pytest_suite import run_suite
from bot.proof.select_suites import resolved_in
from bot.text.globs import matches_stars

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

FIRST = "sglang-24587"
COMPANIONS = ("sglang-22598", "sglang-25556", "sglang-27485")
NEEDED = {
    "0.5.10": ["sglang-22598", "sglang-27485", "sglang-25556"],
    "0.5.11": ["sglang-27485", "sglang-25556"],
    "0.5.12": ["sglang-27485", "sglang-25556"],
}

Release = Callable[[str], Path]
Trees = Callable[..., Path]
Runs = Callable[[Path], Mapping[str, SuiteRun]]


@pytest.fixture(scope="module")
def tree(
    release_tree: Release,
    patched: Callable[..., Path],
    shipped: Mapping[str, CarriedPatch],
    tmp_path_factory: pytest.TempPathFactory,
) -> Trees:
    """Return a release with patches applied in order; each tree is made once."""

    @cache
    def make(version: str, *names: str) -> Path:
        if not names:
            return release_tree(version)
        folder = tmp_path_factory.mktemp("tree") / "-".join([version, *names])
        return patched(make(version, *names[:-1]), folder, shipped[names[-1]])

    return make


@pytest.fixture(scope="module")
def run(shipped: Mapping[str, CarriedPatch], tree: Trees, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """Run suites on a tree in one process, once for each tree; return the part of each suite by its name.

    They are the companions' suites, and on a tree with all that it needs the first patch's as well.
    """

    @cache
    def run_together(place: Path) -> Mapping[str, SuiteRun]:
        whole = {tree(version, FIRST, *names) for version, names in NEEDED.items()}
        suites = {name: shipped[name].suite for name in ((FIRST, *COMPANIONS) if place in whole else COMPANIONS)}
        plugins = {(suite.directory / "conftest.py").read_text().splitlines()[-1] for suite in suites.values()}
        assert len(plugins) == 1, "they cannot be one suite"
        folder = tmp_path_factory.mktemp("suites")
        for suite in suites.values():
            shutil.copytree(suite.directory, folder, dirs_exist_ok=True)
        suite = replace(shipped[FIRST].suite, directory=folder)
        result = run_suite(place, suite, name=place.name, device="cpu")
        assert result.problem == ""
        return {name: _part(result, suite.directory) for name, suite in suites.items()}

    return run_together


def _part(whole: SuiteRun, suite: Path) -> SuiteRun:
    """Cut out the cases of one suite. What was tried is counted for the process, so that is left out."""
    modules = {file.stem for file in suite.glob("test_*.py")}
    return replace(whole, cases=tuple(case for case in whole.cases if case.name.split("::")[0] in modules), covered={})


@pytest.mark.parametrize(
    ("name", "broken", "fixed"),
    [
        ("sglang-27485", "0.5.12", "0.5.13"),
        ("sglang-25556", "0.5.12", "0.5.13"),
        ("sglang-22598", "0.5.10", "0.5.11"),
    ],
)
def test_the_suite_tells_the_releases_apart(
    name: str, broken: str, fixed: str, release_tree: Release, run: Runs, shipped: Mapping[str, CarriedPatch]
) -> None:
    before, after = (run(release_tree(version))[name] for version in (broken, fixed))
    verdict = judge_suite(shipped[name].suite, before, after)
    assert verdict.outcome is VerdictOutcome.PROVEN, verdict.reason


@pytest.mark.parametrize(
    ("name", "version", "before"),
    [
        ("sglang-27485", "0.5.12", [FIRST]),
        ("sglang-25556", "0.5.12", [FIRST, "sglang-27485"]),
        ("sglang-22598", "0.5.10", [FIRST]),
    ],
)
def test_the_carried_companion_is_proven(
    name: str,
    version: str,
    before: list[str],
    tree: Trees,
    run: Runs,
    shipped: Mapping[str, CarriedPatch],
) -> None:
    base, candidate = (run(tree(version, *names))[name] for names in (before, [*before, name]))
    verdict = judge_suite(shipped[name].suite, base, candidate)
    assert verdict.outcome is VerdictOutcome.PROVEN, verdict.reason


@pytest.mark.parametrize("version", ["0.5.10", "0.5.11", "0.5.12"])
def test_with_its_companions_every_mode_stays_inside(
    version: str, release_tree: Release, tree: Trees, run: Runs, shipped: Mapping[str, CarriedPatch]
) -> None:
    """MLA verify at full context, declared to fail with the first patch alone, is then a case like any other.

    The one case left past an end writes into the page table, and no upstream change mends it. That the first suite
    fails on these releases is asserted by the demo's tests and those of sglang-24587.
    """
    outcomes = apply_companions(DirectoryTree(tree(version, FIRST)), shipped[FIRST], shipped)
    names = [outcome.patch for outcome in outcomes]
    assert names == NEEDED[version]
    candidate = tree(version, FIRST, *names)
    runs = run(candidate)
    for name in names:
        verdict = judge_suite(shipped[name].suite, run(release_tree(version))[name], runs[name])
        assert verdict.outcome is VerdictOutcome.PROVEN, (name, verdict.reason)
    _assert_nothing_undeclared_fails(runs[FIRST], candidate, shipped)


def _assert_nothing_undeclared_fails(run: SuiteRun, tree: Path, shipped: Mapping[str, CarriedPatch]) -> None:
    suite = shipped[FIRST].suite
    patch_names = resolved_in(DirectoryTree(tree), suite, shipped)
    assert patch_names == {"sglang-27485"}
    declared = [
        known_failure.cases for known_failure in suite.known_failures if known_failure.fixed_by not in patch_names
    ]
    failed_text = {case.name for case in run.cases if case.outcome is not CaseOutcome.PASSED} - _skipped(run)
    assert [name for name in failed_text if not any(matches_stars(cases, name) for cases in declared)] == []
    assert run.count(CaseOutcome.PASSED) > 150
    past_end = {case.name for case in run.cases if int(case.figures.get("past_end", 0))}
    assert past_end <= failed_text
    assert not [name for name in failed_text if "mla_verify" in name]
    assert [case for case in run.cases if "mla_verify" in case.name and case.outcome is CaseOutcome.PASSED]
    assert {"page1", "page16", "page64"} <= {part for case in run.cases for part in case.name.rstrip("]").split("-")}


def _skipped(run: SuiteRun) -> set[str]:
    return {case.name for case in run.cases if case.outcome is CaseOutcome.SKIPPED}

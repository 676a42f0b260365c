"""Which of a change's files are its tests, and how they become a command."""

from __future__ import annotations

import pytest

from bot.config import ProveConfig
from bot.models import CaseOutcome, CaseResult, SuiteRun
from bot.proof.changed_tests import errors_as_failures, files_of_tests, fill_command, manifests, steering_files

PATTERNS = ProveConfig().tests.paths


@pytest.mark.parametrize(
    ("path", "runs", "belongs"),
    [
        ("tests/test_size.py", True, True),
        ("test/srt/layers/test_kernels.py", True, True),
        ("widget/size_test.py", True, True),
        ("tests/data/input.json", False, True),
        ("tests/conftest.py", False, True),
        ("conftest.py", False, True),
        ("widget/tests/__init__.py", False, True),
        ("widget/size.py", False, False),
        ("contest.py", False, False),
        ("widget/test_tools/run.py", False, False),
        ("docs/testing.md", False, False),
    ],
)
def test_the_default_patterns_tell_tests_from_what_lies_beside_them(path: str, runs: bool, belongs: bool) -> None:
    assert files_of_tests([path], PATTERNS) == ((path,) if runs else (), (path,) if belongs else ())


def test_each_file_is_a_word_of_its_own_and_never_an_option() -> None:
    command = fill_command(["pytest", "{files}", "-q"], ["tests/test a.py", "-p_test.py"])
    assert command == ("pytest", "tests/test a.py", "./-p_test.py", "-q")


def _run(tree: str, cases: dict[str, CaseOutcome]) -> SuiteRun:
    results = tuple(CaseResult(name=name, outcome=outcome) for name, outcome in cases.items())
    return SuiteRun(tree=tree, cases=results, device=None, seconds=1.0)


ERROR, PASSED, FAILED = CaseOutcome.ERROR, CaseOutcome.PASSED, CaseOutcome.FAILED


@pytest.mark.parametrize(
    ("base", "candidate", "counted"),
    [
        (
            {"t.a": ERROR},
            {"t.a::x": PASSED, "t.a.C::y": PASSED, "t.ab::z": PASSED},
            {"t.a::x": FAILED, "t.a.C::y": FAILED},
        ),
        ({"t.a": ERROR}, {"t.b::x": PASSED}, {"t.a": ERROR}),
        ({"t.a::x": ERROR}, {"t.a::x": PASSED}, {"t.a::x": FAILED}),
        ({"t.a::x": ERROR}, {"t.a::x": ERROR}, {"t.a::x": ERROR}),
        ({"t": ERROR, "t.a": ERROR}, {"t.a::x": PASSED, "t.b::y": PASSED}, {"t.a::x": FAILED, "t.b::y": FAILED}),
        ({"build": ERROR}, {"a::x": PASSED, "b::y": PASSED}, {"a::x": FAILED, "b::y": FAILED}),
        ({"build": ERROR}, {"build": ERROR}, {"build": ERROR}),
        ({"t.a": ERROR, "t.b::y": PASSED}, {"t.a::x": PASSED}, {"t.a::x": FAILED, "t.b::y": PASSED}),
    ],
    ids=[
        "a file",
        "another file",
        "a case",
        "a case on both",
        "a package and a file in it",
        "nothing builds",
        "nothing builds on both",
        "beside others",
    ],
)
def test_what_cannot_start_without_the_change_counts_as_failing(
    base: dict[str, CaseOutcome], candidate: dict[str, CaseOutcome], counted: dict[str, CaseOutcome]
) -> None:
    cases = errors_as_failures(_run("base", base), _run("candidate", candidate)).cases
    assert sorted((case.name, case.outcome) for case in cases) == sorted(counted.items())


@pytest.mark.parametrize(
    ("path", "steers"),
    [
        ("conftest.py", True),
        ("tests/unit/conftest.py", True),
        ("pytest.ini", False),
        ("python/pyproject.toml", False),
        ("tox.ini", False),
        ("setup.cfg", False),
        ("src/sitecustomize.py", True),
        ("vendored.pth", True),
        ("web/package.json", False),
        ("vitest.config.mts", True),
        (".mocharc.json", True),
        ("Cargo.toml", False),
        ("build.rs", True),
        ("tests/test_conftest.py", False),
        ("docs/pyproject.md", False),
        ("widget/size.py", False),
    ],
)
def test_files_that_steer_a_test_run_are_told_from_tests(path: str, steers: bool) -> None:
    assert bool(steering_files([path])) is steers


def test_files_that_name_dependencies_are_laid_over_with_what_has_to_fit_to_them() -> None:
    files = ["go.mod", "vendor/modules.txt", "vendor/x/x.go", "ring.go", "web/package.json", "docs/pyproject.md"]
    assert manifests(files) == ("go.mod", "web/package.json", "vendor/modules.txt", "vendor/x/x.go")
    assert manifests(files[1:]) == ("web/package.json",)

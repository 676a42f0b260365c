"""Makes a suite of the tests that come with a change, and decides what it means if they cannot start.

These are the rules by which such tests differ from a carried patch's suite. Nothing runs here.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from bot.models import BUILD, CaseOutcome, CaseResult, SuiteRun
from bot.proof.explain_failure import first_error
from bot.text.globs import matches_any, matches_path

FILES = "{files}"
_STEERING_FILES = (
    *("conftest.py", "setup.py", "noxfile.py", "sitecustomize.py", "usercustomize.py", "*.pth", "build.rs"),
    *("jest.config.*", "vitest.config.*", "vitest.workspace.*", "vite.config.*", ".mocharc.*"),
)
"""Programs by which a change has a say in what a test run collects, reports or imports before the first test."""
_MANIFESTS = (
    *("pyproject.toml", "setup.cfg", "tox.ini", "pytest.ini", ".pytest.ini", "requirements*.txt", "constraints*.txt"),
    *("uv.lock", "poetry.lock", "pdm.lock", "Pipfile", "Pipfile.lock"),
    *("package.json", "package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "yarn.lock"),
    *("go.mod", "go.sum", "go.work", "go.work.sum", "Cargo.toml", "Cargo.lock", "pom.xml"),
)
"""Files that name dependencies and configure test runs, and are no programs."""
_VENDORED = "**/vendor/**"
"""Go refuses to build if this folder does not fit to go.mod: https://go.dev/ref/mod#vendoring."""


def files_of_tests(paths: Iterable[str], patterns: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the changed files to run, and all changed files of the tests, which are copied over the base.

    A pattern without a slash names tests in any folder. One with a slash also names the files beside them.
    """
    names = [pattern for pattern in patterns if "/" not in pattern]
    places = [pattern for pattern in patterns if "/" in pattern]
    run = [path for path in paths if any(matches_path(pattern, path.rpartition("/")[2]) for pattern in names)]
    test_paths = [path for path in paths if any(matches_path(pattern, path) for pattern in places)]
    return tuple(dict.fromkeys(run)), tuple(dict.fromkeys([*run, *test_paths]))


_BY_FOLDER = ("**/test/**", "**/tests/**", "**/__tests__/**", "**/specs/**", "**/spec/**")
_NO_TESTS_IN = frozenset(
    {"fixture", "fixtures", "__fixtures__", "__mocks__", "mocks", "data", "testdata", "__snapshots__"}
)
_JAVASCRIPT = (".js", ".jsx", ".cjs", ".mjs", ".ts", ".tsx", ".cts", ".mts")
_CALLS_A_TEST = re.compile(rb"\b(?:describe|it|test|suite|specify)(?:\.\w+)*\s*\(")


def tests_by_folder(paths: Iterable[str], read: Callable[[str], bytes | None]) -> tuple[str, ...]:
    """Return the changed files that are tests because of their folder: JavaScript that calls a test, and Rust."""
    return tuple(
        path
        for path in paths
        if matches_any(_BY_FOLDER, path)
        and not _NO_TESTS_IN & set(path.split("/")[:-1])
        and (path.endswith(".rs") or (path.endswith(_JAVASCRIPT) and _CALLS_A_TEST.search(read(path) or b"")))
    )


def steering_files(paths: Iterable[str]) -> tuple[str, ...]:
    """Return the changed files that configure a test run. With one of them, the change itself decides what passes."""
    return tuple(path for path in paths if any(matches_path(name, path.rpartition("/")[2]) for name in _STEERING_FILES))


def manifests(paths: Iterable[str]) -> tuple[str, ...]:
    """Return the changed files that both runs have as the change made them, besides the tests.

    With the branch's own ones the tests could lack a dependency there, and fail for that reason alone.
    """
    paths = tuple(paths)
    names = {path: path.rpartition("/")[2] for path in paths}
    chosen = [path for path in paths if any(matches_path(pattern, names[path]) for pattern in _MANIFESTS)]
    if "go.mod" in (names[path] for path in chosen):
        chosen += [path for path in paths if matches_path(_VENDORED, path)]
    return tuple(dict.fromkeys(chosen))


def fill_command(command: Sequence[str], files: Sequence[str]) -> tuple[str, ...]:
    """Put the files into a command, each a word of its own; a name that looks like an option is kept from being one."""
    words = [f"./{file}" if file.startswith("-") else file for file in files]
    return tuple(word for part in command for word in (words if part == FILES else [part]))


def not_started(base: SuiteRun, counted: SuiteRun, candidate: SuiteRun, *, builds: bool) -> str:
    """Say how many of the cases that prove the change could not start on the base, and why, or nothing.

    `counted` is what `errors_as_failures` made of the base run.
    """
    started = {case.name for case in base.cases if case.outcome is not CaseOutcome.ERROR}
    passed = {case.name for case in candidate.cases if case.outcome is CaseOutcome.PASSED}
    fixes = {case.name for case in counted.cases if case.outcome is CaseOutcome.FAILED} & passed
    missing = [case for case in counted.cases if case.name in fixes - started]
    if not missing:
        return ""
    error = first_error(case.message for case in base.cases if case.outcome is CaseOutcome.ERROR)
    which = "The tests" if len(missing) == len(fixes) else f"Tests for {len(missing)} of them"
    how = "build" if builds else "start"
    return f" {which} do not {how} on the base{f': {error}' if error else ''}."


def errors_as_failures(base: SuiteRun, candidate: SuiteRun) -> SuiteRun:
    """Return the base run. Tests that start only on the candidate count as failing there.

    A test that imports a name that the change adds is not collected without it. If it cannot start on the candidate
    either, the error stays an error: the test says nothing.
    """
    after = {case.name: case.outcome for case in candidate.cases}
    if [case.name for case in base.cases if case.outcome is CaseOutcome.ERROR] == [BUILD] and BUILD not in after:
        # Nothing could be built, so the error is about each case that the candidate has.
        return replace(base, cases=tuple(_unbuilt(base, candidate)))
    inside = _inside([case.name for case in base.cases if case.outcome is CaseOutcome.ERROR], after)
    case_lists = (
        [case] if case.outcome is not CaseOutcome.ERROR else _as_failures(case, after, inside.get(case.name))
        for case in base.cases
    )
    return replace(base, cases=tuple(case for cases in case_lists for case in cases))


def _unbuilt(base: SuiteRun, candidate: SuiteRun) -> Iterator[CaseResult]:
    """Yield the candidate's cases as failures of the base, which could not be built with the tests of the change."""
    error = next(case for case in base.cases if case.outcome is CaseOutcome.ERROR)
    yield from (case for case in base.cases if case is not error)
    message = f"cannot be built without the change: {error.message}"
    names = {case.name for case in base.cases}
    for case in candidate.cases:
        if case.name not in names:
            yield CaseResult(name=case.name, outcome=CaseOutcome.FAILED, message=message)


def _as_failures(case: CaseResult, after: Mapping[str, CaseOutcome], inside: Sequence[str] | None) -> list[CaseResult]:
    if case.name in after:
        errs_still = after[case.name] is CaseOutcome.ERROR
        return [case if errs_still else replace(case, outcome=CaseOutcome.FAILED)]
    if inside is None:
        return [case]
    message = f"cannot start without the change: {case.message}"
    return [replace(case, name=name, outcome=CaseOutcome.FAILED, message=message) for name in inside]


def _inside(error_names: Iterable[str], names: Iterable[str]) -> dict[str, list[str]]:
    """Return the names inside each errored one that has any: pytest names a file that it cannot collect like a package.

    Each name is listed once, for the outermost: sorted, what is inside one follows it without a gap.
    """
    sorted_pairs = sorted((_way(name), name) for name in names)
    ways = [way for way, _ in sorted_pairs]
    inner_names: dict[str, list[str]] = {}
    last_end = 0
    for way, name in sorted((_way(name), name) for name in set(error_names)):
        start, end = bisect_left(ways, f"{way}{_SEPARATOR}"), bisect_left(ways, f"{way}{_AFTER_SEPARATOR}")
        if start < end:
            inner_names[name] = [inner for _, inner in sorted_pairs[max(start, last_end) : end]]
            last_end = max(last_end, end)
    return inner_names


_SEPARATOR, _AFTER_SEPARATOR = "\0", "\1"
"""They sort before all that a name can hold."""


def _way(name: str) -> str:
    return name.replace("::", _SEPARATOR).replace(".", _SEPARATOR)

"""The tests that come with a change, as its suite: which files they are, and what it means that they cannot start.

Owns the two rules by which such tests differ from a suite of ours. Runs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from bot.globs import matches_path
from bot.model import CaseOutcome, CaseResult, SuiteRun

FILES = "{files}"


def files_of_tests(changed: Iterable[str], patterns: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what of the changed files is to be run, and all that belongs to the tests and is laid over the base.

    A pattern without a slash names tests wherever they lie; one with a slash also what lies beside them.
    """
    names = [pattern for pattern in patterns if "/" not in pattern]
    places = [pattern for pattern in patterns if "/" in pattern]
    run = [path for path in changed if any(matches_path(pattern, path.rpartition("/")[2]) for pattern in names)]
    beside = [path for path in changed if any(matches_path(pattern, path) for pattern in places)]
    return tuple(dict.fromkeys(run)), tuple(dict.fromkeys([*run, *beside]))


def filled(command: Sequence[str], files: Sequence[str]) -> tuple[str, ...]:
    """Put the files into a command, each a word of its own; a name that looks like an option is kept from being one."""
    named = [f"./{file}" if file.startswith("-") else file for file in files]
    return tuple(word for part in command for word in (named if part == FILES else [part]))


def errors_as_failures(base: SuiteRun, candidate: SuiteRun) -> SuiteRun:
    """Return the base run with what cannot even start there, and does on the candidate, as failing.

    A test that imports what the change adds is not collected without it. Where it cannot start on the candidate
    either, the error stays one: then nothing can be said of it.
    """
    return replace(base, cases=tuple(case for each in base.cases for case in _counted(each, candidate)))


def _counted(case: CaseResult, candidate: SuiteRun) -> Iterator[CaseResult]:
    after = {each.name: each for each in candidate.cases}
    if case.outcome is not CaseOutcome.ERROR or (case.name in after and after[case.name].outcome is CaseOutcome.ERROR):
        yield case
    elif case.name in after:
        yield replace(case, outcome=CaseOutcome.FAILED)
    else:
        # pytest names a file that it cannot collect like a package, without a test.
        inside = [name for name in after if name.startswith((f"{case.name}::", f"{case.name}."))]
        message = f"cannot be collected without the change: {case.message}"
        failed = (replace(case, name=name, outcome=CaseOutcome.FAILED, message=message) for name in inside)
        yield from failed if inside else [case]

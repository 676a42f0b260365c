"""Findings in a candidate that applied cleanly: names, calls and methods that only main has.

A clean pick can still be wrong, because git compares lines and knows no names.
"""

from __future__ import annotations

from collections.abc import Iterable

from bot.analysis.file_checks import LARGEST, find_faults
from bot.analysis.missing_calls import unsupported_calls
from bot.analysis.module_index import Modules
from bot.git.repository import Repository
from bot.git.trees import CommitTree
from bot.models import Match, Sha

_FATAL = frozenset({"undefined-name", "missing-import", "parse", "marker"})
"""Rules whose findings surely fail when the line runs. The other findings may be wrong about how an object was made."""


def collect_findings(
    repository: Repository, tree: Sha, *, target: Sha, theirs: Sha, paths: Iterable[str]
) -> tuple[Match, ...]:
    """Return suspicious places in files of a picked tree. `theirs` is the original's tree, which has all names it
    needs.
    """
    path_list = tuple(paths)
    candidate, main = Modules(CommitTree(repository, tree)), Modules(CommitTree(repository, theirs))
    calls = (
        finding
        for path in path_list
        if path.endswith(".py") and len(candidate.content(path) or b"") <= LARGEST
        for finding in unsupported_calls(candidate, main, path, repository.read(target, path))
    )
    faults = find_faults(repository, tree, target=target, theirs=theirs, paths=path_list)
    return (*faults, *dict.fromkeys(calls))


def are_fatal(findings: Iterable[Match]) -> bool:
    """Return True if a finding would surely fail, so that a person has to look before the merge."""
    return any(finding.rule in _FATAL for finding in findings)

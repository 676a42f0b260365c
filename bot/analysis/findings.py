"""What a reviewer of a candidate should look at although it applied cleanly: what only main has.

Owns which checks a candidate gets and what each finding does to its certainty. A clean pick is not a right one: git
compares lines and knows no names.
"""

from __future__ import annotations

from collections.abc import Iterable

from bot.analysis.file_checks import LARGEST, find_faults
from bot.analysis.missing_calls import unanswered_calls
from bot.analysis.module_index import Modules
from bot.git.repository import Repository
from bot.git.trees import CommitTree
from bot.models import Match, Sha

_FATAL = frozenset({"undefined-name", "missing-import", "parse", "marker"})
"""What surely fails where it is reached; the other findings may be wrong about how an object came to be."""


def find_findings(
    repository: Repository, tree: Sha, *, onto: Sha, theirs: Sha, paths: Iterable[str]
) -> tuple[Match, ...]:
    """Return what is suspicious in files of a picked tree; `theirs` is the original's tree, which has all it needs."""
    path_list = tuple(paths)
    candidate, main = Modules(CommitTree(repository, tree)), Modules(CommitTree(repository, theirs))
    calls = (
        finding
        for path in path_list
        if path.endswith(".py") and len(candidate.content(path) or b"") <= LARGEST
        for finding in unanswered_calls(candidate, main, path, repository.read(onto, path))
    )
    faults = find_faults(repository, tree, onto=onto, theirs=theirs, paths=path_list)
    return (*faults, *dict.fromkeys(calls))


def are_fatal(findings: Iterable[Match]) -> bool:
    """Say whether what was found would surely fail, so that a person has to look before anything is merged."""
    return any(finding.rule in _FATAL for finding in findings)

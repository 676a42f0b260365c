"""Checks the files of a pick: they must parse, contain no conflict marker and use no undefined name.

A fault counts only if neither the target nor the original has it, so a file that was odd before raises none.
`bot.analysis.unbound_names` checks the names of Python files.
"""

from __future__ import annotations

import ast
import json
import re
import tomllib
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

import yaml

from bot.analysis.unbound_names import missing_imports, symbols, undefined_names
from bot.git.repository import Repository
from bot.git.trees import CommitTree
from bot.models import Match, Sha

_MARKER = re.compile(rb"^(?:<{7}|\|{7}|>{7})(?: .*)?\r?$", re.MULTILINE)
# Bytes. A larger file is data; parsing it costs more than it tells.
LARGEST = 1_000_000


def find_faults(
    repository: Repository, tree: Sha, *, target: Sha, theirs: Sha, paths: Iterable[str]
) -> tuple[Match, ...]:
    """Return the faults in files of a picked tree that neither the target nor the original has."""
    return tuple(
        fault
        for path in paths
        if (content := repository.read(tree, path)) is not None and len(content) <= LARGEST
        for fault in _faults(
            repository, tree, path, content, repository.read(target, path), repository.read(theirs, path)
        )
    )


def _faults(
    repository: Repository, tree: Sha, path: str, content: bytes, ours: bytes | None, theirs: bytes | None
) -> Iterator[Match]:
    # A file that equals one side was tested there, so only its names can be missing here.
    if content in (ours, theirs):
        is_parsable = True
    else:
        yield from left_markers(path, content, (ours, theirs))
        problem = _parse_problem(path, content, ours if ours is not None else theirs)
        is_parsable = problem is None
        if problem is not None:
            yield problem
    if is_parsable and path.endswith(".py") and content != ours:
        yield from undefined_names(path, content, (ours, theirs))
        yield from missing_imports(CommitTree(repository, tree), path, content, ours)


def left_markers(path: str, content: bytes, sides: Iterable[bytes | None]) -> Iterator[Match]:
    """Yield the conflict markers of a file that its sides do not have, or not as often."""
    spare_markers: Counter[bytes] = Counter()
    for side in sides:
        spare_markers |= Counter(_MARKER.findall(side or b""))
    for match in _MARKER.finditer(content):
        spare_markers[match.group()] -= 1
        if spare_markers[match.group()] < 0:
            yield Match(path, content.count(b"\n", 0, match.start()) + 1, "marker", "a conflict marker is left")


def _parse_problem(path: str, content: bytes, before: bytes | None) -> Match | None:
    """Return the syntax error of a file, unless the file it comes from has one too."""
    parse = _PARSERS.get(path.rpartition(".")[2].lower())
    if parse is None:
        return None
    problem = parse(content)
    if problem is None or (before is not None and parse(before) is not None):
        return None
    line, detail = problem
    return Match(path, line, "parse", detail)


Problem = tuple[int, str] | None


def _parse_python(content: bytes) -> Problem:
    # `symtable` is three times as fast as `ast.parse`, which is only needed to word the error.
    if symbols(content) is not None:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(content)
    except (SyntaxError, ValueError, RecursionError) as error:
        return getattr(error, "lineno", None) or 0, f"is no Python: {getattr(error, 'msg', error)}"
    return None


def _parse_json(content: bytes) -> Problem:
    try:
        json.loads(content)
    except json.JSONDecodeError as error:
        return error.lineno, f"is no JSON: {error.msg}"
    except (UnicodeDecodeError, RecursionError):
        return 0, "is no JSON"
    return None


def _parse_yaml(content: bytes) -> Problem:
    try:
        # Events are enough: the tags of other programs are no syntax error.
        for _event in yaml.parse(content, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            pass
    except yaml.MarkedYAMLError as error:
        return (error.problem_mark.line + 1 if error.problem_mark else 0), f"is no YAML: {error.problem}"
    except (yaml.YAMLError, UnicodeDecodeError):
        return 0, "is no YAML"
    return None


def _parse_toml(content: bytes) -> Problem:
    try:
        tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return 0, f"is no TOML: {error}"
    return None


_PARSERS: dict[str, Callable[[bytes], Problem]] = {
    "py": _parse_python,
    "pyi": _parse_python,
    "json": _parse_json,
    "yaml": _parse_yaml,
    "yml": _parse_yaml,
    "toml": _parse_toml,
}

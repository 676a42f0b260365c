"""Reads what a Python project needs for its tests from its files, without running any of its code."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot.models import SourceTree

_TEST_NAMES = ("test", "tests", "testing", "dev", "develop")
"""Names of extras and dependency groups that tests need."""
_FILES = (
    *("requirements.txt", "requirements-dev.txt", "requirements-test.txt", "requirements-tests.txt"),
    *("requirements_dev.txt", "requirements_test.txt", "dev-requirements.txt", "test-requirements.txt"),
    *("requirements/base.txt", "requirements/test.txt", "requirements/tests.txt", "requirements/dev.txt"),
    *("tests/requirements.txt", "test/requirements.txt"),
)
_DEVELOPMENT = re.compile(r"\bdev\b|_dev\b")
"""The name of a file that also has what documentation and linters need."""
_INCLUDE = re.compile(r"(?:-r|-c|--requirement|--constraint)[ =]?\s*(?P<file>\S+)")
_LOCAL = re.compile(r"(?:-e|--editable)\b|\.{0,2}/|\.(?:\[|$)|file:")
"""A requirement on the project itself or on a folder of it. Its code is installed for each tree by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonDependencies:
    """What tests need: requirements, and requirements files by their path, without what is in the tree itself.

    `dynamic` says that the project computes its dependencies, so that only its own build knows them. `installable` says
    that the project can be installed.
    """

    requirements: tuple[str, ...] = ()
    files: Mapping[str, str]
    dynamic: bool = False
    installable: bool = False
    extras: tuple[str, ...] = ()
    """The project's extras that are for tests."""
    sources: tuple[str, ...] = ()
    """The files that this was read from."""


def python_dependencies(tree: SourceTree) -> PythonDependencies | None:
    """Return what the tests of a tree need; None if the tree has no file that says so."""
    project = _project(tree.read("pyproject.toml"))
    files = dict(_requirements_files(tree))
    has_setup = any(tree.read(name) is not None for name in ("setup.py", "setup.cfg"))
    is_package = bool(project.get("project") or _poetry(project) or project.get("build-system"))
    if not (files or has_setup or is_package):
        return None
    names = ("pyproject.toml", "setup.py", "setup.cfg")
    return PythonDependencies(
        requirements=tuple(dict.fromkeys(_requirements(project))),
        files=files,
        dynamic=(has_setup and not project.get("project")) or _is_dynamic(project),
        installable=has_setup or is_package,
        extras=tuple(
            name for name in _TEST_NAMES if name in _table(_table(project, "project"), "optional-dependencies")
        ),
        sources=(*(name for name in names if tree.read(name) is not None), *files),
    )


def _project(content: bytes | None) -> Mapping[str, Any]:
    try:
        return tomllib.loads((content or b"").decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return {}


def _is_dynamic(project: Mapping[str, Any]) -> bool:
    dynamic = _table(project, "project").get("dynamic")
    return isinstance(dynamic, list) and bool({"dependencies", "optional-dependencies"} & {*map(str, dynamic)})


def _requirements(project: Mapping[str, Any]) -> Iterator[str]:
    metadata = _table(project, "project")
    own_name = _normal(str(metadata.get("name", "")))
    yield from _texts(metadata.get("dependencies"))
    extras, groups = _table(metadata, "optional-dependencies"), _table(project, "dependency-groups")
    for name in _TEST_NAMES:
        yield from _extra(name, extras, own_name, frozenset())
        yield from _group(name, groups, frozenset())
    yield from _poetry_requirements(_poetry(project))


def _extra(name: str, extras: Mapping[str, Any], own_name: str, seen: frozenset[str]) -> Iterator[str]:
    """Yield an extra's requirements; `own-project[other]` stands for another extra."""
    for line in _texts(extras.get(name)):
        own = re.fullmatch(r"(?P<name>[\w.-]+)\s*\[(?P<extras>[^\]]*)\]\s*", line)
        if own and _normal(own["name"]) == own_name:
            for other in own["extras"].replace(" ", "").split(","):
                if other not in seen:
                    yield from _extra(other, extras, own_name, seen | {name, other})
        else:
            yield line


def _group(name: str, groups: Mapping[str, Any], seen: frozenset[str]) -> Iterator[str]:
    """Yield a dependency group: https://packaging.python.org/en/latest/specifications/dependency-groups/."""
    entries = groups.get(name)
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, str):
            yield entry
        elif isinstance(entry, dict) and (other := str(entry.get("include-group", ""))) not in seen:
            yield from _group(other, groups, seen | {name, other})


def _poetry(project: Mapping[str, Any]) -> Mapping[str, Any]:
    return _table(_table(project, "tool"), "poetry")


def _poetry_requirements(poetry: Mapping[str, Any]) -> Iterator[str]:
    groups = _table(poetry, "group")
    tables = [
        _table(poetry, "dependencies"),
        _table(poetry, "dev-dependencies"),
        *(_table(_table(groups, name), "dependencies") for name in _TEST_NAMES),
    ]
    for table in tables:
        for name, wanted in table.items():
            version = wanted.get("version", "") if isinstance(wanted, dict) else wanted
            is_elsewhere = isinstance(wanted, dict) and {"path", "git", "url"} & wanted.keys()
            if name != "python" and isinstance(version, str) and not is_elsewhere:
                yield f"{name}{_specifier(version)}"


def _specifier(version: str) -> str:
    """Return a version of Poetry as a specifier: https://python-poetry.org/docs/dependency-specification/."""
    caret = re.fullmatch(r"\^\s*(\d+)((?:\.\d+)*)", version.strip())
    if caret:
        return f">={caret[1]}{caret[2]},<{int(caret[1]) + 1}" if int(caret[1]) else f">={caret[1]}{caret[2]}"
    tilde = re.fullmatch(r"~\s*(\d+(?:\.\d+)+)", version.strip())
    if tilde:
        return f"~={tilde[1]}"
    return version if version[:1] in "<>=!~" else f"=={version}" if re.fullmatch(r"[\d.]+", version) else ""


def _requirements_files(tree: SourceTree) -> Iterator[tuple[str, str]]:
    """Yield the requirements files for tests, with those that they include, without lines about the tree itself.

    Where tests have a file of their own, those of developers stay out: files that were locked apart may contradict.
    """
    names = [name for name in _FILES if tree.read(name) is not None]
    has_test_file = any("test" in name for name in names)
    waiting = [name for name in names if not (has_test_file and _DEVELOPMENT.search(name))]
    seen = set[str]()
    while waiting:
        name = waiting.pop(0)
        content = tree.read(name)
        if name in seen or content is None:
            continue
        seen.add(name)
        lines = [line for line in content.decode(errors="replace").splitlines() if not _LOCAL.match(line.strip())]
        waiting += _included(name, lines)
        yield name, "\n".join(lines) + "\n"


def _included(name: str, lines: Iterable[str]) -> Iterator[str]:
    folder = name.rpartition("/")[0]
    for line in lines:
        match = _INCLUDE.match(line.strip())
        if match and not match["file"].startswith("/") and ".." not in match["file"].split("/"):
            yield f"{folder}/{match['file']}" if folder else match["file"]


def _table(parent: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = parent.get(key)
    return value if isinstance(value, dict) else {}


def _texts(value: object) -> list[str]:
    return [entry for entry in value if isinstance(entry, str)] if isinstance(value, list) else []


def _normal(name: str) -> str:
    """Return a distribution's normalized name: https://packaging.python.org/en/latest/specifications/name-normalization/."""
    return re.sub(r"[-_.]+", "-", name).lower()

"""Says how a tree is made ready to run its tests, by the files with which its language names dependencies.

Nothing runs here. A step gets the dependency files alone if its result can be shared: then no code of the tree is in
it.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from bot.models import SourceTree
from bot.proof.setup_python import VENV_PYTHON, python_steps, search_path
from bot.proof.setup_step import ENVIRONMENT, SetupStep
from bot.proof.tree_folders import folders_around, join

_LOCKS = {
    "package-lock.json": ("npm", "ci"),
    "npm-shrinkwrap.json": ("npm", "ci"),
    "pnpm-lock.yaml": ("pnpm", "install", "--frozen-lockfile"),
    "yarn.lock": ("yarn", "install", "--immutable"),
}
_LOCAL_PACKAGE = re.compile(r"^(?:file|link|portal|workspace):")


def setup_steps(tree: SourceTree, folders: Iterable[str], tools: Sequence[str]) -> list[SetupStep]:
    """Return the steps for suites that run in these folders with these tools, in order; none if nothing is needed."""
    return [
        step
        for tool, steps in _STEPS.items()
        if tool in tools
        for folder in dict.fromkeys(folders)
        for step in steps(tree, folder)
    ]


def _javascript_steps(tree: SourceTree, folder: str) -> Iterator[SetupStep]:
    around = [folder, *folders_around(folder)] if folder else [""]
    places = [(place, lock) for place in around for lock in _LOCKS if tree.read(join(place, lock)) is not None]
    packages = [place for place in around if tree.read(join(place, "package.json")) is not None]
    if not packages:
        return
    place, lock = places[0] if places else (packages[0], "")
    package = _json(tree.read(join(place, "package.json")))
    command = _LOCKS.get(lock, ("npm", "install", "--no-package-lock"))
    if b"# yarn lockfile v1" in (tree.read(join(place, lock)) or b"" if lock else b""):
        command = ("yarn", "install", "--frozen-lockfile")
    quiet = ("--no-audit", "--no-fund") if command[0] == "npm" else ()
    sources = tuple(join(place, name) for name in ("package.json", lock) if name)
    tools = ("node", "npm", "npx", command[0], "corepack", "cc")
    if command[0] != "npm" or _has_local_packages(package):
        words = command if shutil.which(command[0]) else ("corepack", *command)
        yield SetupStep(name=command[0], sources=sources, commands=((*words, *quiet),), folder=place, tools=tools)
        return
    package.pop("scripts", None)  # those of the project need its files
    files = {"package.json": json.dumps(package, indent=1).encode()}
    for name in (lock, ".npmrc"):
        content = tree.read(join(place, name)) if name else None
        files |= {name: content} if content is not None else {}
    yield SetupStep(
        name="npm",
        sources=sources,
        files=files,
        commands=(("sh", "-c", 'cp -R . "$0" && cd "$0" && exec "$@"', f"{ENVIRONMENT}/npm", *command, *quiet),),
        link=(join(place, "node_modules"), f"{ENVIRONMENT}/npm/node_modules"),
        tools=tools,
    )


def _has_local_packages(package: dict[str, Any]) -> bool:
    tables = (package.get(key) for key in ("dependencies", "devDependencies", "optionalDependencies"))
    versions = [version for table in tables if isinstance(table, dict) for version in table.values()]
    return bool(package.get("workspaces")) or any(_LOCAL_PACKAGE.match(str(version)) for version in versions)


def _go_steps(tree: SourceTree, folder: str) -> Iterator[SetupStep]:
    module = tree.read(join(folder, "go.mod"))
    is_vendored = tree.read(join(folder, "vendor/modules.txt")) is not None
    if module is None or b"require" not in module or is_vendored:
        return
    files = {name: text for name in ("go.mod", "go.sum") if (text := tree.read(join(folder, name))) is not None}
    is_local = re.search(rb"=>\s*\.{0,2}/", module) or any(
        tree.read(join(place, "go.work")) is not None for place in [folder, *folders_around(join(folder, "x"))]
    )
    yield SetupStep(
        name="Go",
        sources=tuple(join(folder, name) for name in files),
        files={} if is_local else files,
        commands=(("go", "mod", "download"),),
        folder=folder if is_local else "",
        variables={"GOMODCACHE": f"{ENVIRONMENT}/modules", "GOFLAGS": "-modcacherw"},
        tools=("go",),
    )


def _cargo_steps(tree: SourceTree, folder: str) -> Iterator[SetupStep]:
    manifest = tree.read(join(folder, "Cargo.toml"))
    if manifest is None:
        return
    yield SetupStep(
        name="Cargo",
        sources=tuple(
            join(folder, name) for name in ("Cargo.toml", "Cargo.lock") if tree.read(join(folder, name)) is not None
        ),
        commands=(("cargo", "fetch"),),
        folder=folder,
        variables={"CARGO_HOME": f"{ENVIRONMENT}/cargo"},
        tools=("cargo", "rustc", "cc"),
    )


def _maven_steps(tree: SourceTree, folder: str) -> Iterator[SetupStep]:
    if tree.read("pom.xml") is None or folder:
        return
    repository = f"-Dmaven.repo.local={ENVIRONMENT}/maven"
    yield SetupStep(
        name="Maven",
        sources=("pom.xml",),
        commands=(("mvn", "-B", "-ntp", "-Dmaven.test.failure.ignore=true", "test"),),
        variables={"MAVEN_OPTS": repository},
        tools=("mvn", "java"),
    )


def own_steps(commands: Sequence[Sequence[str]]) -> list[SetupStep]:
    """Return the step of configured commands. A virtual environment that they make in `{environment}/venv` is used."""
    return [
        SetupStep(
            name="`prove.setup`",
            sources=(),
            commands=tuple(tuple(command) for command in commands),
            variables={"PATH": f"{ENVIRONMENT}/venv/bin:{ENVIRONMENT}/bin:{search_path()}"},
            python=VENV_PYTHON,
            tools=("sh", "python3", "node", "npm", "npx", "go", "cargo", "rustc", "mvn", "java", "cc", "make"),
        )
    ]


def _json(content: bytes | None) -> dict[str, Any]:
    try:
        document = json.loads(content or b"{}")
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


_STEPS: dict[str, Callable[[SourceTree, str], Iterator[SetupStep]]] = {
    "python": python_steps,
    "npm": _javascript_steps,
    "go": _go_steps,
    "cargo": _cargo_steps,
    "mvn": _maven_steps,
}
"""The steps for each tool that a suite may use."""

"""Chooses the test runner of a JavaScript package by its package.json, with the report that the runner can write.

Vitest, Jest and Mocha write JSON by themselves. `node --test` gets the bot's reporter; it runs the files of tap, tape
and uvu, too. Any other runner is started by `npm test`, whose exit code is all that is known.
"""

from __future__ import annotations

import base64
import json
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bot.models import JUNIT, ReportFormat, SourceTree
from bot.proof.tree_folders import folders_around, join, relative

_REPORTER = base64.b64encode(Path(__file__).with_name("node_reporter.mjs").read_bytes()).decode()
_NPX = ("npx", "--no-install")
"""Runs what is installed and nothing else."""
_RUNNERS = {
    "vitest": (ReportFormat.JEST, (*_NPX, "vitest", "run", "--reporter=json", f"--outputFile={JUNIT}")),
    "jest": (ReportFormat.JEST, (*_NPX, "jest", "--ci", "--json", f"--outputFile={JUNIT}", "--runTestsByPath")),
    "mocha": (ReportFormat.MOCHA, (*_NPX, "mocha", "--reporter", "json", "--reporter-option", f"output={JUNIT}")),
}
_NODE = re.compile(r"\bnode\b.*--test\b")
_PROGRAMS = ("tap", "tape", "uvu")
"""Libraries whose test files are programs that Node runs by themselves: `node --test` makes one case of each file."""
_LOADERS = ("--import", "--require", "-r", "--loader", "--experimental-loader")
"""Options of Node that take a module, which the project's own test command may give."""

Choice = tuple[str, tuple[str, ...], ReportFormat]
"""A folder of the tree, the command in it, and its report."""


def javascript_command(files: Sequence[str], tree: SourceTree) -> list[Choice]:
    """Return the command for each package that has one of the files."""
    groups: dict[tuple[str, str], list[str]] = {}
    for file in files:
        folder, runner = _runner_of(file, tree)
        groups.setdefault((folder, runner), []).append(relative(file, folder))
    return [_choice(folder, runner, names, tree) for (folder, runner), names in groups.items()]


def _choice(folder: str, runner: str, files: list[str], tree: SourceTree) -> Choice:
    words = [f"./{file}" for file in files]
    if runner in _RUNNERS:
        report, command = _RUNNERS[runner]
        return folder, (*command, *words), report
    if runner == "node":
        options = ("--test", f"--test-reporter=data:text/javascript;base64,{_REPORTER}")
        destination = f"--test-reporter-destination={JUNIT}"
        script = _test_script(_package(folder, tree))
        return folder, ("node", *_loaders(script), *options, destination, *words), ReportFormat.NODE
    return folder, ("npm", "test", "--silent"), ReportFormat.JUNIT


def _runner_of(file: str, tree: SourceTree) -> tuple[str, str]:
    """Return the folder of the nearest package that says which runner it has, and the runner; empty for another one."""
    nearest = None
    for folder in folders_around(file):
        if tree.read(join(folder, "package.json")) is None:
            continue
        nearest = folder if nearest is None else nearest
        package = _package(folder, tree)
        runner = _declared_runner(package)
        if runner:
            return folder, runner
    content = tree.read(file) or b""
    return nearest or "", "node" if b"node:test" in content else ""


def _declared_runner(package: dict[str, Any]) -> str:
    dependencies = {
        name
        for key in ("devDependencies", "dependencies")
        if isinstance(package.get(key), dict)
        for name in package[key]
    }
    script = _test_script(package)
    named = [runner for runner in _RUNNERS if re.search(rf"\b{runner}\b", script)]
    installed = [runner for runner in _RUNNERS if runner in dependencies]
    if named:
        return named[0]
    if _NODE.search(script):
        return "node"
    if installed:
        return installed[0]
    return "node" if dependencies & set(_PROGRAMS) else ""


def _test_script(package: dict[str, Any]) -> str:
    scripts = package.get("scripts")
    script = scripts.get("test") if isinstance(scripts, dict) else None
    return script if isinstance(script, str) else ""


def _loaders(script: str) -> list[str]:
    """Return the options of a test command by which Node loads other languages, e.g. `--import tsx`."""
    try:
        words = shlex.split(script)
    except ValueError:
        return []
    options: list[str] = []
    for word, value in zip(words, [*words[1:], ""], strict=True):
        if word in _LOADERS and value:
            options += [word, value]
        elif word.partition("=")[0] in _LOADERS and "=" in word:
            options.append(word)
    return options


def _package(folder: str, tree: SourceTree) -> dict[str, Any]:
    try:
        package = json.loads(tree.read(join(folder, "package.json")) or b"{}")
    except (ValueError, RecursionError):
        return {}
    return package if isinstance(package, dict) else {}

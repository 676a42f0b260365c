"""Commands that run the tests of a change, by the names that `prove.tests.command` takes, each with its report.

Without a name the language of a test file decides, and for Python and JavaScript what the tree is configured for.
Nothing runs here, and nothing is installed: a command uses what the tree's setup brought.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

from bot.config.tests import Preset
from bot.models import JUNIT, ReportFormat, SourceTree
from bot.proof.javascript_preset import javascript_command
from bot.proof.tree_folders import folders_around, join, relative

PYTHON = "{python}"
_UNITTEST = Path(__file__).with_name("unittest_program.py").read_text(encoding="utf-8")
"""Handed over as text, as the interpreter may be a container's."""
_SUFFIXES = {
    Preset.GO: (".go",),
    Preset.NPM: (".js", ".jsx", ".cjs", ".mjs", ".ts", ".tsx", ".cts", ".mts"),
    Preset.CARGO: (".rs",),
    Preset.MAVEN: (".java", ".kt", ".scala", ".groovy"),
}
"""All other presets are for Python."""
_CAPTURE = ("sh", "-c", '"$@" >"$0" 2>&1; code=$?; tail -n 40 "$0"; exit $code', JUNIT)
"""Writes what a command prints to the report as well."""
_COLLECT_SCRIPT = """"$@"; code=$?
{ echo "<testsuites>"
  find . -path "*/target/surefire-reports/TEST-*.xml" -exec sed 's/<?xml[^>]*?>//' {} +
  echo "</testsuites>"
} >"$0"
exit $code"""
_COLLECT = ("sh", "-c", _COLLECT_SCRIPT, JUNIT)
"""Puts the files that Maven Surefire writes into one report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PresetCommand:
    """A command for the files in one folder of the tree, and the programs that it needs besides its first word."""

    folder: str
    command: tuple[str, ...]
    format: ReportFormat = ReportFormat.JUNIT
    tools: tuple[str, ...] = ()


def commands_for(preset: Preset | None, files: Sequence[str], tree: SourceTree) -> list[PresetCommand]:
    """Return the commands that run these test files. Without a preset, the files' languages choose.

    Files that the preset is not for are left out.
    """
    commands: list[PresetCommand] = []
    for candidate_preset in Preset if preset is None else (preset,):
        matching = [file for file in files if _is_for(candidate_preset, file)]
        chosen = _python_preset(tree) if preset is None and _is_python(candidate_preset) else candidate_preset
        if matching and chosen is candidate_preset:
            commands += _commands(chosen, matching, tree)
    return commands


def _is_python(preset: Preset) -> bool:
    return preset not in _SUFFIXES


def _is_for(preset: Preset, file: str) -> bool:
    return file.endswith(_SUFFIXES.get(preset, (".py",)))


def _python_preset(tree: SourceTree) -> Preset:
    """Choose Django's runner if a project has a manage.py and no settings for pytest-django; else pytest."""
    if tree.read("manage.py") is None:
        return Preset.PYTEST
    settings = (tree.read(file) or b"" for file in ("pytest.ini", "pyproject.toml", "setup.cfg", "tox.ini"))
    return Preset.PYTEST if any(b"DJANGO_SETTINGS_MODULE" in text for text in settings) else Preset.DJANGO


def _commands(preset: Preset, files: list[str], tree: SourceTree) -> list[PresetCommand]:  # noqa: PLR0911
    match preset:
        case Preset.PYTEST:
            # One file that cannot be imported says nothing about the others.
            words = ("-m", "pytest", "--continue-on-collection-errors", f"--junitxml={JUNIT}")
            return [_python(PYTHON, *words, *map(_word, files))]
        case Preset.UNITTEST:
            return [_python(PYTHON, "-c", _UNITTEST, JUNIT, "unittest", *files)]
        case Preset.DJANGO:
            labels = [file.removesuffix(".py").replace("/", ".") for file in files]
            return [_python(PYTHON, "-c", _UNITTEST, JUNIT, "manage.py", "test", "--noinput", *labels)]
        case Preset.TOX:
            return [_python(PYTHON, "-m", "tox", "run", "-e", "py", "--", f"--junitxml={JUNIT}", *map(_word, files))]
        case Preset.NOX:
            return [_python(PYTHON, "-m", "nox", "-s", "tests", "--", f"--junitxml={JUNIT}", *map(_word, files))]
        case Preset.NPM:
            return [
                PresetCommand(folder=folder, command=command, format=report, tools=("node", "npm", "npx"))
                for folder, command, report in javascript_command(files, tree)
            ]
        case Preset.GO:
            return [_go(root, group) for root, group in _by_root(files, "go.mod", tree).items()]
        case Preset.CARGO:
            return [
                _cargo(root, group, tree) for root, group in _by_root(files, "Cargo.toml", tree, outermost=True).items()
            ]
        case Preset.MAVEN:
            return [_maven(files)]
        case _:
            assert_never(preset)


def _python(*words: str) -> PresetCommand:
    return PresetCommand(folder="", command=words)


def _word(file: str) -> str:
    """Keep a name that looks like an option from being one."""
    return f"./{file}" if file.startswith("-") else file


def _go(root: str, files: Iterable[str]) -> PresetCommand:
    folders = dict.fromkeys(f"./{file.rpartition('/')[0]}".rstrip("/") for file in files)
    return PresetCommand(
        folder=root,
        command=(*_CAPTURE, "go", "test", "-json", *folders),
        format=ReportFormat.GO,
        tools=("go", "gcc", "cc"),
    )


def _cargo(root: str, files: Iterable[str], tree: SourceTree) -> PresetCommand:
    """Run the tests of each package that has one of the files. Doc tests are named by line, which a change moves."""
    packages = dict.fromkeys(name for file in files if (name := _package_of(root, file, tree)))
    selected = [word for name in packages for word in ("-p", name)]
    return PresetCommand(
        folder=root,
        command=(*_CAPTURE, "cargo", "test", "--no-fail-fast", "--tests", *selected),
        format=ReportFormat.CARGO,
        tools=("cargo", "rustc", "cc"),
    )


def _package_of(root: str, file: str, tree: SourceTree) -> str:
    for folder in folders_around(join(root, file)):
        try:
            manifest = tomllib.loads((tree.read(join(folder, "Cargo.toml")) or b"").decode())
        except (tomllib.TOMLDecodeError, UnicodeDecodeError):
            continue
        package = manifest.get("package")
        name = package.get("name") if isinstance(package, dict) else None
        if isinstance(name, str) and not name.startswith("-"):
            return name
    return ""


def _maven(files: Iterable[str]) -> PresetCommand:
    classes = dict.fromkeys(file.rpartition("/")[2].rpartition(".")[0] for file in files)
    modules = dict.fromkeys(file.partition("src/test/")[0].rstrip("/") for file in files)
    chosen = ["-pl", ",".join(modules), "-am"] if all(modules) else []
    return PresetCommand(
        folder="",
        command=(
            *(*_COLLECT, "mvn", "-B", "-o", "-ntp", *chosen, "test", f"-Dtest={','.join(classes)}"),
            *("-DfailIfNoTests=false", "-Dsurefire.failIfNoSpecifiedTests=false"),
        ),
        format=ReportFormat.SUREFIRE,
        tools=("mvn", "java"),
    )


def _by_root(files: Iterable[str], marker: str, tree: SourceTree, *, outermost: bool = False) -> dict[str, list[str]]:
    """Group files by the nearest folder that has a marker file, or the outermost one. The paths are relative to it."""
    groups: dict[str, list[str]] = {}
    for file in files:
        roots = [folder for folder in folders_around(file) if tree.read(join(folder, marker)) is not None]
        root = (roots[-1] if outermost else roots[0]) if roots else ""
        groups.setdefault(root, []).append(relative(file, root))
    return groups

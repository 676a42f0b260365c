"""Says how Python trees are made ready: their dependencies once, and the project itself for each tree."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
from collections.abc import Iterator

from bot.models import SourceTree
from bot.proof.python_dependencies import PythonDependencies, python_dependencies
from bot.proof.setup_step import ENVIRONMENT, PYTHON, SHARED, SetupStep

VENV_PYTHON = f"{ENVIRONMENT}/venv/bin/python"
_REQUIREMENTS = "backport-bot-requirements.txt"
_PIP = ("-m", "pip", "--disable-pip-version-check", "--no-input")
_CHAIN = (
    "import pathlib, sys; sites = [next(pathlib.Path(folder, 'venv/lib').glob('python*/site-packages')) for folder in "
    "sys.argv[1:]]; (sites[0] / '_dependencies.pth').write_text(f'{sites[1]}\\n')"
)
"""Lets one virtual environment see the packages of another."""
_VERSIONS = {
    # An exported tree has no tags, from which these build tools would take the version.
    "SETUPTOOLS_SCM_PRETEND_VERSION": "0",
    "PDM_BUILD_SCM_VERSION": "0",
    "PBR_VERSION": "0",
    "POETRY_DYNAMIC_VERSIONING_BYPASS": "0",
}


def python_steps(tree: SourceTree, folder: str) -> Iterator[SetupStep]:
    """Yield the steps of Python, which has one environment for the whole tree."""
    needed = python_dependencies(tree) if not folder else None
    if needed is None:
        if not folder and importlib.util.find_spec("pytest") is None:
            yield _python_dependencies_step(PythonDependencies(files={}))
        return
    yield _locked_dependencies_step(needed, tree) or _python_dependencies_step(needed)
    if needed.installable:
        wanted = ("-e", ".[test,tests,testing,dev]") if needed.dynamic else ("--no-deps", "-e", ".")
        yield SetupStep(
            name="the Python project",
            sources=tuple(name for name in needed.sources if name in ("pyproject.toml", "setup.py", "setup.cfg")),
            commands=(
                (PYTHON, "-m", "venv", "--without-pip", f"{ENVIRONMENT}/venv"),
                (PYTHON, "-c", _CHAIN, ENVIRONMENT, SHARED),
                (f"{SHARED}/venv/bin/python", *_PIP, "--python", VENV_PYTHON, "install", *wanted),
            ),
            variables={"PATH": f"{ENVIRONMENT}/venv/bin:{SHARED}/venv/bin:{search_path()}"},
            own_variables=_VERSIONS,
            python=VENV_PYTHON,
            tools=("cc", "gcc"),
        )


def _locked_dependencies_step(needed: PythonDependencies, tree: SourceTree) -> SetupStep | None:
    """Return the step for uv's lock file, if uv is there. A workspace needs its members, which no step sees."""
    lock, project = tree.read("uv.lock"), tree.read("pyproject.toml") or b""
    if lock is None or b"[tool.uv.workspace]" in project or shutil.which("uv") is None:
        return None
    extras = [word for name in needed.extras for word in ("--extra", name)]
    locked = f"{ENVIRONMENT}/requirements.txt"
    export = ("uv", "export", "--quiet", "--frozen", "--no-hashes", "--no-emit-project", "--all-groups", *extras)
    return SetupStep(
        name="Python",
        sources=("uv.lock", "pyproject.toml"),
        files={"pyproject.toml": project, "uv.lock": lock},
        commands=(
            (PYTHON, "-m", "venv", f"{ENVIRONMENT}/venv"),
            (*export, "--output-file", locked),
            (VENV_PYTHON, *_PIP, "install", "-r", locked, "pytest"),
        ),
        variables={"PATH": f"{ENVIRONMENT}/venv/bin:{search_path()}"},
        python=VENV_PYTHON,
        tools=("uv", "cc", "gcc"),
    )


def _python_dependencies_step(needed: PythonDependencies) -> SetupStep:
    requirements = list(needed.requirements)
    if not any(
        re.match(r"pytest\b(?!-)", line)
        for text in (*requirements, *needed.files.values())
        for line in text.split("\n")
    ):
        requirements.append("pytest")
    files = {**needed.files, _REQUIREMENTS: "\n".join(requirements) + "\n"}
    listed = [word for name in files for word in ("-r", name)]
    return SetupStep(
        name="Python",
        sources=needed.sources,
        files={name: text.encode() for name, text in files.items()},
        commands=(
            (PYTHON, "-m", "venv", f"{ENVIRONMENT}/venv"),
            (VENV_PYTHON, *_PIP, "install", *listed),
        ),
        variables={"PATH": f"{ENVIRONMENT}/venv/bin:{search_path()}"},
        python=VENV_PYTHON,
        tools=("cc", "gcc"),
    )


def search_path() -> str:
    """Return the folders in which this machine finds programs."""
    return os.environ.get("PATH", os.defpath)

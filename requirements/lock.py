"""Renew or check the locked versions in this folder: one file for each way to install, with the hash of every wheel.

`make lock` takes the newest versions that pyproject.toml allows. `make check` asks whether pyproject.toml still leads
to the versions that are locked; what has been released since does not matter. uv resolves for every Python at once
(https://docs.astral.sh/uv/pip/compile/).
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent
PROJECT = HERE.parent / "pyproject.toml"
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
# `bot` comes first: the others hold the same versions of what they share with it.
EXTRAS = {"bot": (), "server": ("server",), "tests": ("tests",), "suite": ("suite",)}
INDEX = "https://pypi.org/simple"
_INDEX = ("--default-index", INDEX, "--no-config")
_OPTIONS = (
    *("--universal", "--generate-hashes", "--only-binary", ":all:", "--no-annotate", "--no-progress", "--quiet"),
    *("--python-version", PYTHONS[0], "--custom-compile-command", "make lock", *_INDEX),
)


def compile_all(directory: Path, *, upgrade: bool) -> None:
    """Write every file; without `upgrade` versions that stand there already are kept where they can be."""
    for name, extras in EXTRAS.items():
        shared = ["--constraint", str(directory / "bot.txt")] if name != "bot" else []
        # A suite's torch on a machine without a GPU is the one that its Triton was tried with.
        shared += ["--constraint", str(HERE.parent / "constraints.txt")] if name == "suite" else []
        chosen = [option for extra in extras for option in ("--extra", extra)]
        _compile([str(PROJECT), *chosen, *shared], directory / f"{name}.txt", upgrade=upgrade)
    backend = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["build-system"]["requires"]
    with tempfile.TemporaryDirectory() as scratch:
        needed = Path(scratch, "build.in")
        needed.write_text("\n".join(backend), encoding="utf-8")
        _compile([str(needed), "--constraint", str(directory / "bot.txt")], directory / "build.txt", upgrade=upgrade)


def _compile(arguments: list[str], output: Path, *, upgrade: bool) -> None:
    renewed = ["--upgrade"] if upgrade else []
    _uv("compile", *arguments, *_OPTIONS, *renewed, "--output-file", str(output))


def check_wheels(directory: Path) -> None:
    """Resolve each file for each Python, so that a package without a wheel for one of them is noticed here."""
    for file in sorted(directory.glob("*.txt")):
        for python in PYTHONS:
            target = ("--python-version", python, "--python-platform", "x86_64-manylinux_2_28")
            _uv("compile", str(file), *target, "--only-binary", ":all:", "--quiet", *_INDEX)


def _uv(*arguments: str) -> None:
    command = [Path(sys.executable).with_name("uv"), "pip", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)


def check() -> None:
    """End with exit code 1 if pyproject.toml leads to other versions than those that are locked.

    Without PyPI that cannot be asked; tests/test_requirements.py then still holds the two against each other.
    """
    try:
        urllib.request.urlopen(f"{INDEX}/hatchling/", timeout=10).close()  # noqa: S310 - the address is written here
    except OSError as error:
        sys.stderr.write(f"{INDEX} cannot be reached ({error}): whether the lock is current was not asked.\n")
        return
    with tempfile.TemporaryDirectory() as scratch:
        for file in HERE.glob("*.txt"):
            Path(scratch, file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
        compile_all(Path(scratch), upgrade=False)
        names = sorted(path.name for path in Path(scratch).glob("*.txt"))
        stale = [name for name in names if _lines(HERE / name) != _lines(Path(scratch, name))]
    if stale:
        named = ", ".join(f"requirements/{name}" for name in stale)
        raise SystemExit(f"pyproject.toml leads to other versions than those of {named}: run `make lock`.")


def _lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []


if __name__ == "__main__":
    if "--check" in sys.argv[1:]:
        check()
    else:
        compile_all(HERE, upgrade=True)
        check_wheels(HERE)

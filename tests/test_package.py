"""The wheel and the source distribution: they hold what the program reads, and run outside the checkout."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from bot import REPOSITORY, __version__
from tests.actions.runner import tool

ROOT = Path(__file__).parents[1]
INFO = f"backport_bot-{__version__}.dist-info/"


def _run(*command: str | Path, cwd: Path) -> str:
    """Run a program that this checkout's Python tells nothing of; fail the test with its output if it fails."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_"))}
    result = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the source distribution and, from it, the wheel, as a release does."""
    folder = tmp_path_factory.mktemp("dist")
    _run(tool("uv"), "build", "--quiet", "--python", sys.executable, "--out-dir", folder, ROOT, cwd=folder)
    return folder


def _wheel(folder: Path) -> Path:
    (wheel,) = folder.glob("*.whl")
    return wheel


def _contents(wheel: Path) -> dict[str, str]:
    """Return the digests of a wheel's files by their names, without the lists that the build writes."""
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if not name.endswith(("/RECORD", "/WHEEL"))]
        return {name: hashlib.sha256(archive.read(name)).hexdigest() for name in names}


def _sources(*folders: str) -> set[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *folders],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return {name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()}


def test_the_wheel_has_each_file_of_the_program_and_no_other(built: Path) -> None:
    names = {name for name in _contents(_wheel(built)) if not name.startswith(INFO)}
    program = _sources("bot")
    carried = {f"bot/_{name}" for name in _sources("patches")}
    assert len(carried) > 50
    assert names == program | carried


def test_a_source_distribution_gives_the_wheel_that_the_checkout_gives(built: Path, tmp_path: Path) -> None:
    _run(
        tool("uv"), "build", "--quiet", "--wheel", "--python", sys.executable, "--out-dir", tmp_path, ROOT, cwd=tmp_path
    )
    assert _contents(_wheel(tmp_path)) == _contents(_wheel(built))


def test_a_source_distribution_has_all_that_is_needed_to_work_on_it(built: Path) -> None:
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as file:
        names = {name.partition("/")[2] for name in file.getnames()}
    assert _sources(".") - names == set()
    assert names - _sources(".") == {"PKG-INFO"}


def test_its_page_has_the_licence_the_extras_and_links_that_work_there(built: Path) -> None:
    with zipfile.ZipFile(_wheel(built)) as archive:
        text = archive.read(f"{INFO}METADATA").decode()
    head_text, _, page = text.partition("\n\n")
    head = head_text.splitlines()
    assert {"License-Expression: Apache-2.0", "Provides-Extra: server", "Provides-Extra: suite"} <= set(head)
    assert f"Project-URL: Repository, https://github.com/{REPOSITORY}" in head
    targets = set(re.findall(r"\]\(([^)\s]+)\)", page))
    assert f"https://github.com/{REPOSITORY}/blob/main/docs/ci.md" in targets
    assert {target for target in targets if not target.startswith(("https://", "#"))} == set()
    pictures = re.findall(r"!\[[^\]]*\]\(([^)\s]+)\)", page)
    assert pictures
    assert all(picture.startswith(f"https://raw.githubusercontent.com/{REPOSITORY}/main/") for picture in pictures)


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel with its extra `server` in an environment of its own; return the folder of its commands."""
    folder = tmp_path_factory.mktemp("installed")
    uv = tool("uv")
    _run(uv, "venv", "--quiet", "--python", sys.executable, folder / "venv", cwd=folder)
    python = folder / "venv/bin/python"
    _run(uv, "pip", "install", "--quiet", "--python", python, f"{_wheel(built)}[server]", cwd=folder)
    return folder / "venv/bin"


@pytest.mark.parametrize(
    "words",
    [
        ["demo", "--help"],
        ["serve", "--help"],
        ["check", "--patch", "sglang-24587", "."],
        ["rehearse", "--help"],
    ],
    ids=" ".join,
)
def test_a_command_runs_outside_the_checkout(installed: Path, tmp_path: Path, words: list[str]) -> None:
    _run(installed / "backport-bot", *words, cwd=tmp_path)


def test_the_installed_program_says_its_version(installed: Path, tmp_path: Path) -> None:
    assert _run(installed / "backport-bot", "--version", cwd=tmp_path) == f"backport-bot {__version__}\n"
    assert shutil.which("backport-bot", path=installed) is not None


def test_the_installed_program_has_the_fake_github_and_its_pages(installed: Path, tmp_path: Path) -> None:
    program = """
import pathlib, urllib.request
from bot.fake_github import FakeGitHub
with FakeGitHub.start(pathlib.Path("github")) as fake:
    fake.create_repository("acme/widget")
    print(urllib.request.urlopen(f"{fake.url}/").read().decode())
"""
    assert "acme/widget" in _run(installed / "python", "-c", program, cwd=tmp_path)


def test_uvx_runs_init_in_a_checkout(built: Path, tmp_path: Path) -> None:
    _run("git", "init", "--quiet", cwd=tmp_path)
    _run(
        tool("uvx"),
        "--quiet",
        "--python",
        sys.executable,
        "--from",
        _wheel(built),
        "backport-bot",
        "init",
        cwd=tmp_path,
    )
    assert (tmp_path / ".github/workflows/backport.yml").is_file()

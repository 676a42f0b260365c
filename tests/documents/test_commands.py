"""Each command in the documents is run by a test: here on a small project, or by the test that is named here."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app
from tests.documents.widget import MAINTAINER, Widget, start_widget

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
# What a shell does by itself, and programs of others.
FOREIGN = ("export ", "cd ", ".venv/bin/pre-commit ")
# A command, or its first words, and the file with the test that runs it.
ELSEWHERE = {
    "backport-bot backport --pr 123 release/1.1 --resolve": "tests/cli/test_resolution.py",
    "backport-bot backport --continue": "tests/cli/test_resolution.py",
    "backport-bot app create": "tests/adoption/test_app.py",
    "backport-bot serve": "tests/cli/test_serve.py",
    "backport-bot check TREE": "tests/cli/test_carried_patch.py",
    "backport-bot apply TREE": "tests/cli/test_carried_patch.py",
    "backport-bot prove TREE": "tests/cli/test_carried_patch.py",
    "backport-bot demo": "tests/demo/test_run.py",
    "backport-bot stage": "tests/stages/test_stages.py",
    "env -u BACKPORT_BOT_TOKEN backport-bot stage": "tests/stages/test_stages.py",
    "BENCH_REPOSITORY=": "tests/bench/bench_fetch.py",
}
PLACES = {
    "path/to/clone": ".",
    "REPO [--branches GLOB] [--limit N] [--json] [--html FILE]": ". --branches 'release/*' --limit 3",
}


def commands() -> list[str]:
    """Return each command of a console block, without its comment."""
    lines = [
        line
        for document in DOCUMENTS
        for block in re.findall(r"```console\n(.*?)```", document.read_text(encoding="utf-8"), re.DOTALL)
        for line in re.findall(r"^ *\$ (.*)", block, re.MULTILINE)
    ]
    return sorted({re.sub(r"\s{3,}#.*", "", line) for line in lines})


def is_elsewhere(command: str) -> bool:
    # Without arguments it asks at a terminal: tests/cli/test_backport.py answers.
    return command == "backport-bot backport" or command.startswith((*FOREIGN, *ELSEWHERE, "make "))


@pytest.fixture(scope="module")
def widget(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Widget]:
    with start_widget(tmp_path_factory.mktemp("widget")) as widget:
        yield widget


@pytest.mark.parametrize("command", [command for command in commands() if not is_elsewhere(command)])
def test_a_command_of_the_documents_runs(command: str, widget: Widget, monkeypatch: pytest.MonkeyPatch) -> None:
    for place, value in PLACES.items():
        command = command.replace(place, value)
    program, *arguments = shlex.split(command)
    assert program == "backport-bot"
    monkeypatch.chdir(widget.clone)
    monkeypatch.setenv("BACKPORT_BOT_TOKEN", widget.tokens[MAINTAINER])
    monkeypatch.setenv("GITHUB_API_URL", widget.github.api_url)
    monkeypatch.setenv("XDG_CACHE_HOME", str(widget.clone.parent / "cache"))
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, f"{result.output}\n{result.exception!r}"


def test_a_command_that_another_test_runs_is_there() -> None:
    for command, file in ELSEWHERE.items():
        words = re.findall(r"--[a-z]+|(?<=backport-bot )[a-z]+", command)[-1:]
        text = (ROOT / file).read_text(encoding="utf-8")
        assert all(word in text for word in words), f"{file} does not run `{command}`"
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert {command.split()[1] for command in commands() if command.startswith("make ")} <= targets


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_to_a_file_and_a_heading(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?://)([^)\s]+)\)", text):
        name, _, anchor = target.partition("#")
        file = document if not name else document.parent / name
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)", file.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}, (
                target
            )

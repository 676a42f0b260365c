"""Each command in the documents is run by a test: here for real, or by the test that is named here.

The commands are those of the `console` blocks, and those that a sentence of the README quotes.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli import app
from tests.actions.runner import tool
from tests.documents.widget import BOT, MAINTAINER, Widget, start_widget

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
# What a command of the documents begins with, and the test or fixture that runs it.
ELSEWHERE = {
    "uvx backport-bot init": "tests/test_package.py::test_uvx_runs_init_in_a_checkout",
    "pip install": "tests/test_package.py::installed",
    "backport-bot backport --pr 123 release/1.1 --resolve": "tests/cli/test_resolution.py::worktree",
    "backport-bot backport --continue": (
        "tests/cli/test_resolution.py::test_what_is_resolved_is_proven_and_opened_and_the_worktree_goes"
    ),
    "backport-bot app create": (
        "tests/adoption/test_app.py::test_the_command_registers_an_app_and_stores_what_it_needs"
    ),
    "backport-bot serve": "tests/cli/test_serve.py",
    "backport-bot doctor --service": "tests/server/test_service_checks.py",
    "backport-bot demo": "tests/demo/test_run.py::stage",
    "backport-bot demo --sync": "tests/demo/test_run.py::test_a_sync_after_the_comment_finds_nothing_left_to_open",
}
# `.ci/run` runs them for each commit: a test cannot run all tests.
IN_CI = ("make setup", "make check", "make test")
# A person in front of a terminal answers: tests/cli/test_backport.py is that person.
AT_A_TERMINAL = "backport-bot backport"
PLACES = {
    "path/to/clone": ".",
    "REPO [--branches GLOB] [--limit N] [--json] [--html FILE]": ". --branches 'release/*' --limit 3",
}


def console_lines(document: Path) -> list[str]:
    """Return the commands of a document's console blocks, without their comments."""
    text = document.read_text(encoding="utf-8")
    blocks = re.findall(r"```console\n(.*?)```", text, re.DOTALL)
    lines = [line for block in blocks for line in re.findall(r"^ *\$ (.*)", block, re.MULTILINE)]
    return [re.sub(r"\s{3,}#.*", "", line) for line in lines]


def commands() -> list[str]:
    """Return each command that is shown, and those that a sentence of the README quotes."""
    quoted = re.findall(r"`((?:uvx|pip|make|backport-bot) [a-z][^`\n]*)`", DOCUMENTS[0].read_text(encoding="utf-8"))
    return sorted({line for document in DOCUMENTS for line in console_lines(document)} | set(quoted))


def bot_commands() -> list[str]:
    """Return the commands that are run one by one on the small project."""
    others = (*ELSEWHERE, "backport-bot stage", "env -u", "make ", "export ", "cd ", ".venv/bin/pre-commit ")
    lines = (line for line in commands() if line != AT_A_TERMINAL and " TREE " not in line)
    return [line for line in lines if not line.startswith(others)]


@pytest.fixture(scope="module")
def widget(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Widget]:
    with start_widget(tmp_path_factory.mktemp("widget")) as widget:
        yield widget


Run = Callable[[str], Result]


@pytest.fixture
def run(widget: Widget, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command line of the bot in a maintainer's clone."""
    monkeypatch.chdir(widget.clone)
    monkeypatch.setenv("BACKPORT_BOT_TOKEN", widget.tokens[MAINTAINER])
    monkeypatch.setenv("GITHUB_API_URL", widget.github.api_url)
    monkeypatch.setenv("XDG_CACHE_HOME", str(widget.clone.parent / "cache"))

    def run(line: str) -> Result:
        program, *arguments = shlex.split(line)
        assert program == "backport-bot"
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, f"{line}\n{result.output}\n{result.exception!r}"
        return result

    return run


@pytest.fixture(scope="module")
def tree(release_tree: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release without the most of its files."""
    tree = tmp_path_factory.mktemp("tree")
    for name in ("sglang/__init__.py", "sglang/srt/layers/attention/aiter_backend.py"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(release_tree("0.5.12.post1") / name, tree / name)
    return tree


@pytest.mark.parametrize("command", bot_commands())
def test_a_command_of_the_documents_runs(command: str, run: Run) -> None:
    for place, value in PLACES.items():
        command = command.replace(place, value)
    run(command)


def test_the_commands_for_carried_patches_run(run: Run, tree: Path, release_tree: Callable[[str], Path]) -> None:
    commands = [line.replace("TREE", str(tree)) for line in console_lines(ROOT / "docs/sglang.md") if "TREE" in line]
    for command in commands[:-1]:
        run(command)
    assert "fixed" in run(commands[0]).output
    # This suite takes half the time of the one that is shown, and needs the whole release.
    prove = commands[-1].replace("sglang-24587", "sglang-28337").replace(str(tree), str(release_tree("0.5.12.post1")))
    assert "proven" in run(f"{prove} --device cpu").output


def test_the_stages_of_another_ci_run_one_after_the_other(
    run: Run, widget: Widget, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    comment = str(widget.comment("/backport release/1.3 --redo"))
    exported: dict[str, str] = {}
    seal = output = ""
    for shown in console_lines(ROOT / "docs/ci.md"):
        line = shown.replace("1234567", comment).replace("sha256:…", seal).replace("…", widget.tokens[BOT])
        if line.startswith("export "):
            name, _, exported[name] = line.removeprefix("export ").partition("=")
            continue
        unset, _, command = line.rpartition("backport-bot ")
        for name, value in exported.items():  # the bot takes a secret out of its own environment alone
            monkeypatch.delenv(name, raising=False) if name in unset else monkeypatch.setenv(name, value)
        output = run(f"backport-bot {command}").stdout
        seal = next(iter(re.findall(r"sha256:[0-9a-f]{64}", output)), seal)
    assert json.loads(output.splitlines()[-1])["results"][0]["verdict"] == "proven"


def test_a_command_that_another_test_runs_is_in_it() -> None:
    shown = commands()
    for command, place in ELSEWHERE.items():
        assert any(line.startswith(command) for line in shown), f"no document shows `{command}`"
        words = re.findall(r"--([a-z]+)", command) or command.split()[1:]
        source = _source(place)
        assert {word for word in words if word not in source} == set(), f"{place} does not run `{command}`"


def _source(place: str) -> str:
    """Return the text of a file, or of one function in it."""
    file, _, name = place.partition("::")
    text = (ROOT / file).read_text(encoding="utf-8")
    functions = {node.name: node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)}
    return (ast.get_source_segment(text, functions[name]) or "") if name else text


def _make(*words: str) -> str:
    """Run make with this Python's programs, without a look at whether they are current."""
    command = ["make", "--old-file=.venv/.ready", f"BIN={Path(sys.executable).parent}", *words]
    # The tests run suites without pytest's plugins; make runs the bot's own tests, which need theirs.
    # The make that runs these tests hands on its options, and that it is the outer one.
    others = ("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "MAKEFLAGS", "MFLAGS", "MAKELEVEL")
    variables = {name: value for name, value in os.environ.items() if name not in others}
    result = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_make_runs_mutants_by_the_options_that_are_shown(release_tree: Callable[[str], Path]) -> None:
    options = "--patch sglang-25556 --sample 1 --seed 1f3a --suite-runs 0"
    shown = [line for line in commands() if line.startswith("make mutants")]
    assert {word for line in shown for word in re.findall(r"--[a-z-]+", line)} == set(re.findall(r"--[a-z-]+", options))
    assert re.search(r"^all +1 ", _make("mutants", f"MUTANTS={options}"), re.MULTILINE)


def test_make_runs_benchmarks() -> None:
    assert "1 passed" in _make("bench", "BENCH=tests/bench/bench_comments.py -k 'grows and CDATA and apart'")


def test_make_runs_the_demo_and_continuous_integration_the_rest() -> None:
    assert _make("--dry-run", "demo").split()[0].endswith("/backport-bot")
    makefile, ci = ((ROOT / name).read_text(encoding="utf-8") for name in ("Makefile", ".ci/run"))
    assert {line for line in commands() if line.startswith("make ")} <= {
        *IN_CI,
        "make demo",
        *(line for line in commands() if line.startswith("make mutants")),
    }
    for command in IN_CI[1:]:
        assert re.search(rf"^{command}$", ci, re.MULTILINE)
        assert f"{command.removeprefix('make ')}: $(READY)" in makefile
    assert "setup: $(READY)" in makefile


def test_pre_commit_is_installed_and_checks_a_file(tmp_path: Path) -> None:
    (line,) = (line for line in commands() if "pre-commit" in line)
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    shutil.copy(ROOT / ".pre-commit-config.yaml", tmp_path)
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv/bin").symlink_to(Path(sys.executable).parent)
    subprocess.run(line.split(), cwd=tmp_path, capture_output=True, check=True)
    assert (tmp_path / ".git/hooks/pre-commit").exists()
    (tmp_path / "ring.py").write_text("def area( ): ...\n")
    subprocess.run(["git", "add", "ring.py", ".pre-commit-config.yaml"], cwd=tmp_path, check=True)
    command = [".venv/bin/pre-commit", "run", "ruff-format"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 1, result.stdout + result.stderr
    assert (tmp_path / "ring.py").read_text() == "def area(): ...\n"


def test_the_token_of_githubs_own_program_is_taken(tmp_path: Path) -> None:
    (line,) = (line for line in commands() if "gh auth token" in line)
    environment = {"PATH": str(Path(tool("gh")).parent) + ":/usr/bin:/bin", "HOME": str(tmp_path), "GH_TOKEN": "gho_1"}
    command = ["bash", "-c", f"{line}; printenv BACKPORT_BOT_TOKEN"]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert result.stdout == "gho_1\n"


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

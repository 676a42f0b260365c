"""What is installed for a tree, by the files that name its dependencies."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping

import pytest

from bot.models import CommandSuite, ReportFormat
from bot.proof.python_dependencies import python_dependencies
from bot.proof.setup_step import SetupStep
from bot.proof.setup_suites import steps_for
from tests.proof.test_presets import Tree

PYTEST = CommandSuite(name="own-tests", command=("{python}", "-m", "pytest"))
NPM = CommandSuite(name="own-tests", command=("npx", "jest"), format=ReportFormat.JEST, tools=("node", "npm", "npx"))
GO = CommandSuite(name="own-tests", command=("sh", "-c", "x"), tools=("go", "cc"))
CARGO = CommandSuite(name="own-tests", command=("sh", "-c", "x"), tools=("cargo",))


def steps(files: Mapping[str, str], suite: CommandSuite) -> list[SetupStep]:
    return steps_for(Tree(files), [suite], "auto")


def requirements(files: Mapping[str, str]) -> list[str]:
    step = steps(files, PYTEST)[0]
    return sorted(line for text in step.files.values() for line in text.decode().splitlines() if line)


@pytest.mark.parametrize(
    ("files", "lines"),
    [
        ({"requirements.txt": "attrs==1\n-e .\n./vendored\n"}, ["attrs==1", "pytest"]),
        (
            {"requirements-dev.txt": "-r requirements/base.txt\npytest>=8\n", "requirements/base.txt": "attrs\n"},
            ["-r requirements/base.txt", "attrs", "pytest>=8"],
        ),
        (
            {"requirements/test.txt": "attrs==2\npytest\n", "requirements/dev.txt": "attrs==1\nsphinx\n"},
            ["attrs==2", "pytest"],
        ),
        ({"requirements.txt": "-r ../outside.txt\npytest-cov\n"}, ["-r ../outside.txt", "pytest", "pytest-cov"]),
        (
            {
                "pyproject.toml": '[project]\nname = "Ring_Kit"\ndependencies = ["attrs"]\n'
                '[project.optional-dependencies]\ntest = ["pytest", "ring-kit[fast]"]\nfast = ["uvloop"]\n'
                '[dependency-groups]\ndev = ["hypothesis", {include-group = "lint"}]\nlint = ["ruff"]\n'
            },
            ["attrs", "hypothesis", "pytest", "ruff", "uvloop"],
        ),
        (
            {
                "pyproject.toml": '[tool.poetry.dependencies]\npython = "^3.11"\nattrs = "^22.1"\n'
                'ring = {path = "../ring"}\n'
                '[tool.poetry.group.test.dependencies]\npytest = "*"\nfreezegun = "1.2.0"\n'
            },
            ["attrs>=22.1,<23", "freezegun==1.2.0", "pytest"],
        ),
    ],
    ids=["requirements", "included", "a file of tests and one of developers", "outside", "pyproject", "poetry"],
)
def test_python_s_dependencies_are_read_and_no_code_is_run(files: Mapping[str, str], lines: list[str]) -> None:
    assert requirements(files) == lines


def test_a_project_is_installed_for_each_tree_and_its_dependencies_once() -> None:
    dependencies, project = steps({"pyproject.toml": '[project]\nname = "ring"\n'}, PYTEST)
    assert dependencies.files
    assert not project.files
    assert project.commands[-1][-3:] == ("--no-deps", "-e", ".")


def test_what_only_the_build_knows_is_installed_by_the_build() -> None:
    project = steps({"setup.py": "setup()"}, PYTEST)[-1]
    assert project.commands[-1][-1] == ".[test,tests,testing,dev]"
    assert "--no-deps" not in project.commands[-1]


@pytest.mark.parametrize("text", ["", "[", "\udcff", 'project = 1\ntool = "x"\n', "[project]\ndependencies = 3\n"])
def test_a_file_that_cannot_be_read_names_nothing(text: str) -> None:
    content = text.encode(errors="surrogateescape")
    tree = Tree({})
    tree.read = lambda path: content if path == "pyproject.toml" else None  # type: ignore[method-assign]
    needed = python_dependencies(tree)
    assert needed is None or needed.requirements == ()


def test_a_tree_that_names_nothing_is_left_as_it_is() -> None:
    assert steps({"ring.py": ""}, PYTEST) == []
    assert steps({"package.json": "{}"}, PYTEST) == []
    assert steps({"pyproject.toml": "[tool.black]\n"}, PYTEST) == []


@pytest.mark.parametrize("has_uv", [True, False])
def test_uv_s_lock_is_followed_where_uv_is(monkeypatch: pytest.MonkeyPatch, has_uv: bool) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}" if has_uv else None)
    project = '[project]\nname = "ring"\ndependencies = ["attrs"]\n[project.optional-dependencies]\ntest = ["pytest"]\n'
    step = steps({"pyproject.toml": project, "uv.lock": "version = 1"}, PYTEST)[0]
    assert ("uv.lock" in step.files) is has_uv
    assert ("export" in step.commands[1]) is has_uv
    assert ("--extra" in step.commands[1]) is has_uv
    workspace = steps({"pyproject.toml": f"{project}[tool.uv.workspace]\n", "uv.lock": ""}, PYTEST)[0]
    assert "uv.lock" not in workspace.files


def test_a_machine_without_pytest_gets_it_for_a_tree_that_names_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    (step,) = steps({"ring.py": ""}, PYTEST)
    assert b"pytest" in step.files["backport-bot-requirements.txt"]


def test_npm_s_packages_are_shared_and_without_the_project_s_own_scripts() -> None:
    package = {"scripts": {"prepare": "node build.js"}, "devDependencies": {"jest": "30"}}
    (step,) = steps({"package.json": json.dumps(package), "package-lock.json": "{}"}, NPM)
    assert set(step.files) == {"package.json", "package-lock.json"}
    assert b"build.js" not in step.files["package.json"]
    assert step.link == ("node_modules", "{environment}/npm/node_modules")
    assert step.commands[0][-4:] == ("npm", "ci", "--no-audit", "--no-fund")


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"package.json": '{"workspaces": ["a"]}', "package-lock.json": ""}, "npm ci"),
        ({"package.json": '{"dependencies": {"a": "file:./a"}}'}, "npm install"),
        ({"package.json": "{}", "pnpm-lock.yaml": ""}, "pnpm install --frozen-lockfile"),
        ({"package.json": "{}", "yarn.lock": "# yarn lockfile v1\n"}, "yarn install --frozen-lockfile"),
        ({"package.json": "{}", "yarn.lock": "__metadata:\n"}, "yarn install --immutable"),
    ],
)
def test_packages_that_lie_in_the_tree_are_installed_in_each_tree(files: Mapping[str, str], words: str) -> None:
    (step,) = steps(files, NPM)
    assert not step.files
    assert words in " ".join(step.commands[0])


def test_go_s_modules_are_shared_unless_they_lie_in_the_tree() -> None:
    module = "module a\n\nrequire example.com/b v1.0.0\n"
    (step,) = steps({"go.mod": module, "go.sum": "x"}, GO)
    assert set(step.files) == {"go.mod", "go.sum"}
    (local,) = steps({"go.mod": f"{module}replace example.com/b => ../b\n"}, GO)
    assert not local.files
    assert steps({"go.mod": module, "vendor/modules.txt": ""}, GO) == []
    assert steps({"go.mod": "module a\n"}, GO) == []


def test_cargo_fetches_in_each_tree() -> None:
    (step,) = steps({"Cargo.toml": '[package]\nname = "a"\n', "Cargo.lock": ""}, CARGO)
    assert step.commands == (("cargo", "fetch"),)
    assert step.variables == {"CARGO_HOME": "{environment}/cargo"}


def test_a_configured_interpreter_has_what_it_needs() -> None:
    tree = Tree({"requirements.txt": "attrs\n"})
    assert steps_for(tree, [PYTEST], "auto", own_python=True) == []
    assert steps_for(tree, [PYTEST], "none") == []
    (step,) = steps_for(tree, [PYTEST], [["make", "venv"]])
    assert step.commands == (("make", "venv"),)


def test_a_command_that_may_start_anything_gets_everything() -> None:
    make = CommandSuite(name="smoke", command=("make", "test"))
    files = {"requirements.txt": "attrs\n", "package.json": "{}"}
    assert [step.name for step in steps(files, make)] == ["Python", "npm"]

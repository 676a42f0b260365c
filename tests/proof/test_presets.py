"""Which command runs which test files of a change, by their language and by what their tree is configured for."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from bot.config import parse_config
from bot.config.prove import ProveConfig
from bot.config.tests import Preset
from bot.errors import ConfigError
from bot.models import CommandSuite, ReportFormat
from bot.proof.own_tests import own_tests
from bot.proof.presets import commands_for
from bot.proof.rust_modules import splice_tests


class Tree:
    """A tree in memory."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self._files = files

    def read(self, path: str) -> bytes | None:
        return self._files[path].encode() if path in self._files else None

    def paths(self) -> list[str]:
        return sorted(self._files)


def suites(files: Mapping[str, str], base: Mapping[str, str] | None = None, prove: str = "{}") -> list[CommandSuite]:
    """Return the suites of a change that adds or changes the files which the base has otherwise."""
    before = base or {}
    changed = [path for path, text in files.items() if before.get(path) != text]
    settings = parse_config(f"repository: a/b\nprove: {prove}\n").prove
    return own_tests(changed, Tree(before), Tree(files), settings)


PACKAGE = {"package.json": json.dumps({"devDependencies": {"vitest": "4"}})}


@pytest.mark.parametrize(
    ("tree", "file", "words", "report"),
    [
        ({}, "tests/test_a.py", "-m pytest", ReportFormat.JUNIT),
        ({"manage.py": ""}, "shop/tests.py", "manage.py test --noinput shop.tests", ReportFormat.JUNIT),
        ({"manage.py": "", "pytest.ini": "DJANGO_SETTINGS_MODULE=x"}, "shop/tests.py", "-m pytest", ReportFormat.JUNIT),
        ({"go.mod": ""}, "ring/ring_test.go", "go test -json ./ring", ReportFormat.GO),
        ({"go.mod": ""}, "ring_test.go", "go test -json .", ReportFormat.GO),
        (PACKAGE, "src/a.test.ts", "vitest run --reporter=json", ReportFormat.JEST),
        ({"package.json": '{"scripts": {"test": "jest"}}'}, "a.test.js", "jest --ci --json", ReportFormat.JEST),
        (
            {"package.json": '{"devDependencies": {"mocha": "1"}}'},
            "a.spec.js",
            "mocha --reporter json",
            ReportFormat.MOCHA,
        ),
        ({"package.json": '{"scripts": {"test": "node --test"}}'}, "a.test.js", "node --test", ReportFormat.NODE),
        (
            {"package.json": '{"scripts": {"test": "node --import tsx --test src/*.ts"}}'},
            "src/a.test.ts",
            "node --import tsx --test",
            ReportFormat.NODE,
        ),
        (
            {"package.json": '{"scripts": {"test": "lint && c8 tap"}, "devDependencies": {"tap": "16"}}'},
            "test/a.test.js",
            "node --test",
            ReportFormat.NODE,
        ),
        ({"package.json": '{"scripts": {"test": "ava"}}'}, "a.test.js", "npm test --silent", ReportFormat.JUNIT),
        ({"package.json": "{"}, "a.test.js", "npm test --silent", ReportFormat.JUNIT),
        ({"Cargo.toml": '[package]\nname = "ring"\n'}, "tests/outside.rs", "cargo test", ReportFormat.CARGO),
        ({"pom.xml": ""}, "src/test/java/a/RingTest.java", "-Dtest=RingTest", ReportFormat.SUREFIRE),
    ],
)
def test_the_language_of_a_test_and_its_tree_choose_the_command(
    tree: Mapping[str, str], file: str, words: str, report: ReportFormat
) -> None:
    (suite,) = suites({**tree, file: "new"}, base=tree)
    assert words in " ".join(suite.command)
    assert suite.format is report
    assert suite.overlay == (file,)


def test_nested_projects_run_in_their_own_folders() -> None:
    tree = {"api/go.mod": "", "web/package.json": PACKAGE["package.json"]}
    change = {"api/ring/ring_test.go": "new", "web/src/ring.test.ts": "new"}
    web, api = suites({**tree, **change}, base=tree)
    assert (api.name, api.folder, api.command[-1]) == ("own-tests-2", "api", "./ring")
    assert (web.name, web.folder, web.command[-1]) == ("own-tests", "web", "./src/ring.test.ts")


def test_a_cargo_workspace_runs_the_packages_that_have_the_tests() -> None:
    tree = {
        "Cargo.toml": '[workspace]\nmembers = ["ring"]\n',
        "ring/Cargo.toml": '[package]\nname = "widget-ring"\n',
    }
    (suite,) = suites({**tree, "ring/tests/outside.rs": "new"}, base=tree)
    assert (suite.folder, suite.command[-2:]) == ("", ("-p", "widget-ring"))


@pytest.mark.parametrize(
    ("file", "content", "runs"),
    [
        ("test/ring.js", "it('is round', () => {});", True),
        ("test/ring.js", "test.skip('is round');", True),
        ("test/helper.js", "exports.ring = () => 1;", False),
        ("test/fixtures/ring.js", "it('is round', () => {});", False),
        ("src/ring.js", "it('is round', () => {});", False),
        ("tests/outside.rs", "#[test] fn a() {}", True),
    ],
)
def test_in_a_folder_of_tests_a_file_is_one_if_it_calls_a_test(file: str, content: str, runs: bool) -> None:
    tree = {"package.json": '{"scripts": {"test": "mocha"}}', "Cargo.toml": '[package]\nname = "a"\n'}
    assert bool(suites({**tree, file: content}, base=tree)) is runs


BEFORE = """pub fn area(w: u32, h: u32) -> u32 { w + h }

#[cfg(test)]
mod tests {
    #[test]
    fn square() { assert_eq!(super::area(2, 2), 4); }
}
"""
AFTER = BEFORE.replace("w + h", "w * h").replace(
    "    #[test]\n    fn square",
    "    #[test]\n    fn flat() { assert_eq!(super::area(2, 3), 6); }\n    #[test]\n    fn square",
)


def test_a_rust_file_s_test_module_is_taken_without_the_fix_beside_it() -> None:
    tree = {"Cargo.toml": '[package]\nname = "ring"\n', "src/lib.rs": BEFORE}
    (suite,) = suites({**tree, "src/lib.rs": AFTER}, base=tree)
    assert (suite.overlay, suite.spliced) == ((), ("src/lib.rs",))
    spliced = splice_tests(BEFORE.encode(), AFTER.encode()).decode()
    assert "w + h" in spliced
    assert "fn flat" in spliced
    assert splice_tests(AFTER.encode(), AFTER.encode()).decode() == AFTER


def test_a_rust_file_whose_test_module_does_not_change_brings_no_tests() -> None:
    tree = {"Cargo.toml": '[package]\nname = "ring"\n', "src/lib.rs": BEFORE}
    assert suites({**tree, "src/lib.rs": BEFORE.replace("w + h", "w * h")}, base=tree) == []


def test_a_first_test_module_is_added() -> None:
    code = "pub fn area() {}\n"
    module = "#[cfg(all(test, not(windows)))]\n#[allow(unused)]\nmod tests {}"
    spliced = splice_tests(code.encode(), f"pub fn area() {{ 1 }}\n\n{module}\n".encode()).decode()
    assert spliced == f"{code}\n{module}\n"


def test_a_named_preset_runs_the_files_of_its_language_alone() -> None:
    commands = commands_for(Preset.UNITTEST, ["tests/test_a.py", "ring_test.go"], Tree({}))
    (command,) = commands
    assert command.command[-2:] == ("unittest", "tests/test_a.py")


def test_a_list_of_words_runs_all_files_as_before() -> None:
    (suite,) = suites({"tests/test_a.py": "new"}, prove="{tests: {command: [run, '{files}']}}")
    assert suite.command == ("run", "tests/test_a.py")


@pytest.mark.parametrize("preset", ["tox", "nox"])
def test_presets_that_install_while_they_run_need_the_network(preset: str) -> None:
    with pytest.raises(ConfigError, match="installs packages while it runs"):
        parse_config(f"repository: a/b\nprove: {{tests: {{command: {preset}}}}}\n")
    text = f"repository: a/b\nprove: {{network: true, tests: {{command: {preset}}}}}\n"
    assert parse_config(text).prove.tests.command is Preset(preset)


def test_an_unknown_preset_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="must be one of `pytest`, `unittest`"):
        parse_config("repository: a/b\nprove: {tests: {command: pytset}}\n")


def test_by_default_no_preset_is_named() -> None:
    assert ProveConfig().tests.command is None

"""Presets run for real on small projects: the base has a fault, the candidate mends it and brings a test for it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bot.carried.source_tree import DirectoryTree
from bot.config import parse_config
from bot.config.tests import Preset
from bot.models import CommandSuite, Verdict, VerdictOutcome
from bot.proof import prove
from bot.proof.own_tests import own_tests

FAULT, MENDED = "width + height", "width * height"


def needs(*programs: str) -> pytest.MarkDecorator:
    missing = [program for program in programs if shutil.which(program) is None]
    return pytest.mark.skipif(bool(missing), reason=f"{', '.join(missing)} is not installed")


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def suites(trees: tuple[Path, Path], preset: Preset | None) -> list[CommandSuite]:
    base, candidate = map(DirectoryTree, trees)
    settings = parse_config(f"repository: a/b\nprove: {{tests: {{command: {preset or 'null'}}}}}\n").prove
    changed = [path for path in candidate.paths() if base.read(path) != candidate.read(path)]
    return own_tests(changed, base, candidate, settings)


def proven(tmp_path: Path, before: dict[str, str], after: dict[str, str], preset: Preset | None = None) -> Verdict:
    trees = write(tmp_path / "base", before), write(tmp_path / "candidate", {**before, **after})
    (suite,) = suites(trees, preset)
    return prove(*trees, suite, device="cpu")


PYTHON = {"ring.py": f"def area(width, height):\n    return {FAULT}\n", "tests/__init__.py": ""}
PYTHON_TEST = (
    "import unittest\nfrom ring import area\n\n\n"
    "class TestRing(unittest.TestCase):\n"
    "    def test_flat(self):\n        self.assertEqual(area(2, 3), 6)\n"
    "    def test_square(self):\n        self.assertEqual(area(2, 2), 4)\n"
)


@pytest.mark.parametrize("preset", [Preset.UNITTEST, Preset.PYTEST, None])
def test_python(tmp_path: Path, preset: Preset | None) -> None:
    after = {"ring.py": PYTHON["ring.py"].replace(FAULT, MENDED), "tests/test_ring.py": PYTHON_TEST}
    verdict = proven(tmp_path, PYTHON, after, preset)
    assert verdict.outcome is VerdictOutcome.PROVEN, verdict.reason
    assert "1 case failed on the base" in verdict.reason


def test_unittest_counts_a_module_that_cannot_be_imported_without_the_change(tmp_path: Path) -> None:
    test = PYTHON_TEST.replace("import area", "import area, perimeter")
    after = {"ring.py": PYTHON["ring.py"] + "\n\ndef perimeter(): ...\n", "tests/test_ring.py": test}
    verdict = proven(tmp_path, PYTHON, {**after, "ring.py": after["ring.py"].replace(FAULT, MENDED)}, Preset.UNITTEST)
    assert verdict.outcome is VerdictOutcome.PROVEN, verdict.reason
    assert "2 cases failed on the base" in verdict.reason
    assert "The tests do not start on the base: ImportError: cannot import name 'perimeter'" in verdict.reason


def test_a_file_that_cannot_be_imported_does_not_keep_pytest_from_the_others(tmp_path: Path) -> None:
    code = PYTHON["ring.py"].replace(FAULT, MENDED) + "\n\ndef perimeter(): ...\n"
    other = "from ring import perimeter\n\n\ndef test_is_there():\n    assert perimeter() is None\n"
    after = {"ring.py": code, "tests/test_ring.py": PYTHON_TEST, "tests/test_other.py": other}
    verdict = proven(tmp_path, PYTHON, after, Preset.PYTEST)
    assert (
        "2 cases failed on the base; all passed on the candidate. Tests for 1 of them do not start on" in verdict.reason
    )
    assert "tests.test_ring.TestRing::test_square" in {case.name for case in verdict.base.cases}


@needs("node")
def test_node(tmp_path: Path) -> None:
    before = {
        "package.json": '{"scripts": {"test": "node --test"}}',
        "ring.js": f"exports.area = (width, height) => {FAULT};\n",
    }
    test = (
        "const test = require('node:test'); const assert = require('node:assert');\n"
        "const { area } = require('../ring.js');\n"
        "test('rings', async (t) => { await t.test('flat', () => assert.strictEqual(area(2, 3), 6)); });\n"
    )
    after = {"ring.js": before["ring.js"].replace(FAULT, MENDED), "test/ring.test.js": test}
    verdict = proven(tmp_path, before, after)
    assert verdict.outcome is VerdictOutcome.PROVEN, verdict.reason
    assert "test/ring.test.js::rings::flat" in {case.name for case in verdict.candidate.cases}
    assert verdict.candidate.device is not None
    assert list(verdict.candidate.device.versions) == ["node"]


@needs("node")
def test_a_program_that_asserts_is_one_case_by_its_file(tmp_path: Path) -> None:
    """A file of tap, tape or uvu prints what it finds, and exits with 1 if an assertion failed."""
    before = {
        "package.json": '{"scripts": {"test": "c8 tap"}, "devDependencies": {"tap": "16"}}',
        "ring.js": f"exports.area = (width, height) => {FAULT};\n",
    }
    test = (
        "const { area } = require('../ring.js');\n"
        "console.log(area(2, 3) === 6 ? 'ok 1 - flat' : 'not ok 1 - flat');\n"
        "process.exitCode = area(2, 3) === 6 ? 0 : 1;\n"
    )
    after = {"ring.js": before["ring.js"].replace(FAULT, MENDED), "test/ring.test.js": test}
    verdict = proven(tmp_path, before, after)
    assert verdict.outcome is VerdictOutcome.PROVEN, verdict.reason
    assert ("test/ring.test.js", "not ok 1 - flat\n") in {(case.name, case.message) for case in verdict.base.cases}
    assert "test/ring.test.js" in {case.name for case in verdict.candidate.cases}


GO = {
    "go.mod": "module widget\n\ngo 1.19\n",
    "ring/ring.go": f"package ring\n\nfunc Area(width, height int) int {{ return {FAULT} }}\n",
}
GO_TEST = """package ring

import "testing"

func TestFlat(t *testing.T) {
	if Area(2, 3) != 6 {
		t.Fatal(Area(2, 3))
	}
}
"""


@needs("go")
def test_go(tmp_path: Path) -> None:
    after = {"ring/ring.go": GO["ring/ring.go"].replace(FAULT, MENDED), "ring/ring_test.go": GO_TEST}
    verdict = proven(tmp_path, GO, after)
    assert verdict.outcome is VerdictOutcome.PROVEN, verdict.reason
    assert "widget/ring::TestFlat" in {case.name for case in verdict.candidate.cases}


@needs("go")
def test_a_go_package_that_does_not_build_without_the_change_counts_as_failing(tmp_path: Path) -> None:
    code = GO["ring/ring.go"] + "\nfunc Perimeter(width, height int) int { return 2 * (width + height) }\n"
    test = GO_TEST.replace("Area(2, 3) != 6", "Perimeter(2, 3) != 10")
    verdict = proven(tmp_path, GO, {"ring/ring.go": code, "ring/ring_test.go": test})
    assert verdict.outcome is VerdictOutcome.PROVEN, verdict.reason
    (case,) = (case for case in verdict.base.cases if case.name == "widget/ring::TestFlat")
    assert "undefined: Perimeter" in case.message
    assert "The tests do not build on the base: " in verdict.reason
    assert verdict.reason.endswith("undefined: Perimeter.")
    assert verdict.candidate.device is not None
    assert list(verdict.candidate.device.versions) == ["go"]


CARGO = {
    "Cargo.toml": '[package]\nname = "ring"\nversion = "0.1.0"\nedition = "2021"\n',
    "src/lib.rs": f"pub fn area(width: u32, height: u32) -> u32 {{\n    {FAULT}\n}}\n",
}


@needs("cargo", "cc")
def test_cargo_takes_a_test_module_without_the_fix_in_the_same_file(tmp_path: Path) -> None:
    body = "    #[test]\n    fn flat() {\n        assert_eq!(super::area(2, 3), 6);\n    }\n"
    module = f"\n#[cfg(test)]\nmod tests {{\n{body}}}\n"
    verdict = proven(tmp_path, CARGO, {"src/lib.rs": CARGO["src/lib.rs"].replace(FAULT, MENDED) + module})
    assert verdict.outcome is VerdictOutcome.PROVEN, verdict.reason
    assert [case.name for case in verdict.candidate.cases if "::" in case.name][-1] == "ring::tests::flat"


@needs("cargo", "cc")
def test_a_crate_that_does_not_build_without_the_change_counts_as_failing(tmp_path: Path) -> None:
    code = CARGO["src/lib.rs"] + "pub fn perimeter() -> u32 {\n    4\n}\n"
    test = "#[test]\nfn is_there() {\n    assert_eq!(ring::perimeter(), 4);\n}\n"
    verdict = proven(tmp_path, CARGO, {"src/lib.rs": code, "tests/outside.rs": test})
    assert verdict.outcome is VerdictOutcome.PROVEN, verdict.reason
    (case,) = (case for case in verdict.base.cases if case.name == "outside::is_there")
    assert "cannot find function `perimeter`" in case.message
    assert "The tests do not build on the base: error[E0425]: cannot find function `perimeter`" in verdict.reason
    assert verdict.candidate.device is not None
    assert list(verdict.candidate.device.versions) == ["rustc"]

"""Making trees ready for their tests: real processes behind real walls, without a package registry."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from bot.config import parse_config
from bot.environment import credentials
from bot.models import CommandSuite, Verdict, VerdictOutcome, never, silent
from bot.proof import setup_trees
from bot.proof.change import Change
from bot.proof.isolated_command import DEFAULT
from bot.proof.prove_trees import prove_trees
from bot.proof.setup_run import SetupFailed
from bot.proof.setup_step import SetupStep
from bot.proof.setup_trees import Setup, trees_ready
from tests.proof.walled import walled

FAULT, MENDED = "def area(w, h):\n    return w + h\n", "def area(w, h):\n    return w * h\n"
TEST = "from helper import SIX\nfrom ring import area\n\n\ndef test_flat():\n    assert area(2, 3) == SIX\n"
SUITE = CommandSuite(name="own", command=("{python}", "-c", "pass"))
SETUP = Setup(isolation=DEFAULT, setup="auto", limit=60, progress=silent, stop_when=never)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BACKPORT_BOT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def trees(tmp_path: Path) -> tuple[Path, Path]:
    base, candidate = tmp_path / "base", tmp_path / "candidate"
    for tree, code in ((base, FAULT), (candidate, MENDED)):
        tree.mkdir()
        (tree / "ring.py").write_text(code)
    (candidate / "test_ring.py").write_text(TEST)
    return base, candidate


def prove(trees: tuple[Path, Path], setup: str, evidence: Path | None = None) -> Verdict:
    settings = parse_config(f"repository: a/b\nprove: {{device: cpu, setup: {setup}}}\n").prove
    return prove_trees(
        Change(*trees, None, changed_files=("ring.py", "test_ring.py")), settings=settings, evidence=evidence
    )


WRITE = "[[\"{python}\", -c, \"open('helper.py', 'w').write('SIX = 6')\"]]"


def test_configured_commands_make_each_tree_ready_in_a_copy(trees: tuple[Path, Path]) -> None:
    verdict = prove(trees, WRITE)
    assert verdict.outcome is VerdictOutcome.PROVEN, verdict.reason
    assert verdict.notes[-1] == "The trees were made ready for their tests with `prove.setup`."
    assert not any((tree / "helper.py").exists() for tree in trees), "a tree may be a person's checkout"


def test_without_it_the_import_error_itself_is_told_and_the_key_that_mends_it(trees: tuple[Path, Path]) -> None:
    verdict = prove(trees, "none")
    assert verdict.outcome is VerdictOutcome.INCONCLUSIVE
    assert "ModuleNotFoundError: No module named 'helper'" in verdict.reason
    assert "collection failure" not in verdict.reason
    assert any("`helper` is not installed" in note and "`prove.setup`" in note for note in verdict.notes)


def test_a_failure_is_inconclusive_with_the_lines_that_matter_and_no_suite_runs(
    trees: tuple[Path, Path], tmp_path: Path
) -> None:
    code = "print('Look' + 'ing'); print('ERROR: No matching distribution found for nosuch'); raise SystemExit(3)"
    verdict = prove(trees, f'[["{{python}}", -c, "{code}"]]', tmp_path / "evidence")
    assert verdict.outcome is VerdictOutcome.INCONCLUSIVE
    assert verdict.reason.endswith("exited with 3: ERROR: No matching distribution found for nosuch.")
    assert "Looking" not in verdict.reason
    assert any("`prove.setup`" in note for note in verdict.notes)
    assert verdict.base.cases == verdict.candidate.cases == ()
    assert (tmp_path / "evidence/verdict.json").exists()


def test_a_program_that_is_not_there_is_named(trees: tuple[Path, Path]) -> None:
    verdict = prove(trees, "[[no-such-installer, --all]]")
    assert "could not be started" in verdict.reason
    assert any("The program `no-such-installer` is not on the machine" in note for note in verdict.notes)


@walled
def test_setup_gets_no_token_and_no_home(
    trees: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(credentials.TOKEN, "secret")
    monkeypatch.setenv("PIP_INDEX_URL", "https://user:password@index.example/simple")
    home = tmp_path / "home"
    home.mkdir()
    (home / ".netrc").write_text("secret")
    monkeypatch.setenv("HOME", str(home))
    tests = f"'secret' in text, 'password' in text, os.path.exists('{home}/.netrc')"
    code = f"import os; text = str(os.environ); print('ERROR:', {tests}); raise SystemExit(1)"
    verdict = prove(trees, f'[["{{python}}", -c, "{code}"]]')
    assert "ERROR: False False False" in verdict.reason


# --- shared steps -----------------------------------------------------------------------------------------------------


def shared(monkeypatch: pytest.MonkeyPatch, code: str, *, files: dict[str, bytes] | None = None) -> None:
    """Let each tree need one shared step, which runs this code with its folder as the argument."""
    step = SetupStep(
        name="packages",
        sources=("lock",),
        files=files or {"lock": b"1"},
        commands=(("{python}", "-c", code, "{environment}"),),
        variables={"PACKAGES": "{environment}/packages"},
    )
    monkeypatch.setattr(setup_trees, "steps_for", lambda *_, **__: [step])


ONCE = "import os, sys; open(sys.argv[1] + '/packages', 'x').write(','.join(sorted(os.listdir('.'))))"


def test_one_environment_is_made_for_both_trees_and_for_later_proofs(
    trees: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    shared(monkeypatch, ONCE)  # a second run would fail: the file is there
    lines: list[str] = []
    for _ in range(2):
        with trees_ready(*trees, [SUITE], replace(SETUP, progress=lines.append)) as ready:
            assert ready.base.readable == ready.candidate.readable
            assert Path(ready.base.variables["PACKAGES"]).read_text() == "lock", (
                "it sees its files and nothing of a tree"
            )
            assert ready.notes == ("The trees were made ready for their tests with packages (lock), once for both.",)
    assert sum(line.startswith("making the tree ready") for line in lines) == 1


def test_a_shared_step_gets_its_files_in_their_folders(
    trees: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = "import sys; open(sys.argv[1] + '/packages', 'x').write(open('requirements/base.txt').read())"
    shared(monkeypatch, copy, files={"requirements/base.txt": b"pytest"})
    with trees_ready(*trees, [SUITE], SETUP) as ready:
        assert Path(ready.base.variables["PACKAGES"]).read_text() == "pytest"


def test_other_files_make_another_environment(trees: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    places = set()
    for content in (b"1", b"2"):
        shared(monkeypatch, ONCE, files={"lock": content})
        with trees_ready(*trees, [SUITE], SETUP) as ready:
            places.add(ready.base.readable)
    assert len(places) == 2


def test_an_environment_that_was_not_completed_is_made_again(
    trees: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    shared(monkeypatch, "import sys; open(sys.argv[1] + '/packages', 'w').write('half'); raise SystemExit(1)")
    with pytest.raises(SetupFailed), trees_ready(*trees, [SUITE], SETUP):
        pass
    shared(monkeypatch, "import sys; open(sys.argv[1] + '/.complete', 'w'); raise SystemExit(1)")
    with pytest.raises(SetupFailed), trees_ready(*trees, [SUITE], SETUP):
        pass
    assert not list((cache / "environments").glob("*.complete")), "what a step writes does not complete it"


@walled
def test_a_run_cannot_change_the_environment_that_the_other_tree_runs_with(
    trees: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    shared(monkeypatch, ONCE)
    poison = "import os\n\n\ndef test_poison():\n    open(os.environ['PACKAGES'], 'w').write('poison')\n"
    (trees[1] / "test_ring.py").write_text(poison)
    verdict = prove(trees, "auto")
    assert {case.outcome.value for case in verdict.candidate.cases if "test_poison" in case.name} == {"failed"}
    assert "Read-only file system" in str(verdict.candidate.cases)


@walled
def test_a_step_cannot_change_the_tree_of_the_other_run(trees: tuple[Path, Path]) -> None:
    """Each tree's commands see their own copy: neither the other copy nor the trees themselves."""
    code = (
        "import glob, os; found = [p for p in glob.glob('/tmp/**/ring.py', recursive=True)]; "
        "open('helper.py', 'w').write('SIX = ' + str(5 + len(found)))"
    )
    verdict = prove(trees, f'[["{{python}}", -c, "{code}"]]')
    assert verdict.outcome is VerdictOutcome.PROVEN, verdict.reason


def test_the_time_of_all_steps_is_limited(trees: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    shared(monkeypatch, "import threading; threading.Event().wait()")
    late = pytest.raises(SetupFailed, match=r"did not end within `prove.setup_minutes`")
    with late, trees_ready(*trees, [SUITE], replace(SETUP, limit=0.5)):
        pass


def test_environments_that_nobody_used_for_a_month_are_removed(
    trees: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    shared(monkeypatch, ONCE)
    with trees_ready(*trees, [SUITE], SETUP):
        pass
    (complete,) = (cache / "environments").glob("*.complete")
    os.utime(complete, (0, 0))
    setup_trees.drop_old_environments()
    assert [entry.suffix for entry in (cache / "environments").iterdir()] == [".lock"]


# --- files of the change that name dependencies -----------------------------------------------------------------------

MANIFEST_TEST = "from ring import area\n\n\ndef test_flat(six):\n    assert area(2, 3) == six\n"
PLUGIN = "import pytest\n\n\n@pytest.fixture\ndef six():\n    return 6\n"


def with_manifest(trees: tuple[Path, Path], commands: str = "[]") -> Verdict:
    """The tests need what the change's pytest.ini names; each tree's setup notes which one it saw."""
    base, candidate = trees
    for tree in trees:
        (tree / "plugin.py").write_text(PLUGIN)
    (candidate / "pytest.ini").write_text("[pytest]\naddopts = -p plugin\n")
    (candidate / "test_ring.py").write_text(MANIFEST_TEST)
    look = "import os; open('seen', 'w').write(str(os.path.exists('pytest.ini')))"
    setup = f'[["{{python}}", -c, "{look}"]]'
    settings = parse_config(f"repository: a/b\nprove: {{device: cpu, setup: {setup}, commands: {commands}}}\n").prove
    files = ("ring.py", "test_ring.py", "pytest.ini")
    return prove_trees(Change(base, candidate, None, changed_files=files), settings=settings)


def test_the_base_has_the_manifest_of_the_change_so_its_tests_run_there(trees: tuple[Path, Path]) -> None:
    verdict = with_manifest(trees)
    assert verdict.outcome is VerdictOutcome.PROVEN, verdict.reason
    assert verdict.reason == "1 case failed on the base; all passed on the candidate."
    assert any(note.startswith("Both runs had pytest.ini as the change has it") for note in verdict.notes)


def test_a_manifest_that_is_the_fix_shows_no_difference_and_that_is_said(trees: tuple[Path, Path]) -> None:
    (trees[0] / "ring.py").write_text(MENDED)
    verdict = with_manifest(trees)
    assert verdict.outcome is VerdictOutcome.NOT_REPRODUCED, verdict.reason
    assert any("If that is the fix, these tests cannot show it" in note for note in verdict.notes)


def test_other_suites_run_on_the_base_as_its_own_files_make_it(trees: tuple[Path, Path]) -> None:
    code = "import os; raise SystemExit(open('seen').read() == 'True' or os.path.exists('pytest.ini'))"
    verdict = with_manifest(trees, f'[{{name: guard, command: ["{{python}}", -c, "{code}"]}}]')
    assert verdict.reason.startswith("guard: 1 case did not fail on the base and failed on the candidate"), verdict

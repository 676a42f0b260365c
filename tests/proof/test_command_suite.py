"""Commands of the target's own, run for real: what their end means, and that a change's own tests prove it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from bot.environment.temporary_folders import scratch_folder
from bot.errors import SuiteError
from bot.models import CaseOutcome, CommandSuite, KnownFailure, SuiteRun, VerdictOutcome
from bot.proof import prove
from bot.proof.command_suite import run_command
from bot.proof.source_copy import lay_over
from tests.environment.test_temporary_folders import nest

PYTEST = ("{python}", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml={junit}")


def script(code: str, *, junit: str = "", timeout: float = 60.0) -> CommandSuite:
    return CommandSuite(name="own", command=("{python}", "-c", code), junit=junit, timeout=timeout)


def run(tree: Path, suite: CommandSuite) -> SuiteRun:
    return run_command(tree, suite, name="base")


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("code", "outcome", "text"),
    [
        ("pass", CaseOutcome.PASSED, ""),
        ("print('no room'); raise SystemExit(3)", CaseOutcome.FAILED, "exited with 3: no room"),
        ("import os; print(os.getcwd() + '/a.py'); raise SystemExit(3)", CaseOutcome.FAILED, "exited with 3: a.py"),
        ("import os; os.abort()", CaseOutcome.FAILED, "ended by SIGABRT"),
        ("raise SystemExit(134)", CaseOutcome.FAILED, "ended by SIGABRT"),
        ("raise SystemExit(139)", CaseOutcome.FAILED, "ended by SIGSEGV"),
    ],
    ids=["success", "exit code", "path", "abort", "134", "139"],
)
def test_without_a_report_the_exit_code_is_the_only_case(
    tmp_path: Path, code: str, outcome: CaseOutcome, text: str
) -> None:
    (case,) = run(tmp_path, script(code)).cases
    assert (case.name, case.outcome) == ("command::own", outcome)
    assert text in case.message


@pytest.mark.parametrize("value", ["1", None], ids=["set", "not set"])
def test_whether_pytest_loads_plugins_is_as_the_bots_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    name = "PYTEST_DISABLE_PLUGIN_AUTOLOAD"
    monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name)
    (case,) = run(tmp_path, script(f"import os; assert os.environ.get({name!r}) == {value!r}")).cases
    assert case.outcome is CaseOutcome.PASSED, case.message


@pytest.mark.parametrize(
    ("line", "runs"),
    [
        ("Test Summary: 0/0 passed", False),
        ("No tests found for hw=amd, suite=stage-b-test-small-1-gpu-amd. Skipping", False),
        ("Ran 0 tests in 0.000s", False),
        ("collected 0 items", False),
        ("?   example.com/widget  [no test files]", False),
        ("testing: warning: no tests to run", False),
        ("Test Summary: 3/3 passed", True),
        ("Ran 0 tests in 0.000s -- Ran 12 tests in 3.1s", True),
        ("10 passed in 0.1s", True),
    ],
)
def test_a_command_that_ran_no_test_passes_nothing(tmp_path: Path, line: str, runs: bool) -> None:
    """It exits with 0, as sglang's own run_suite.py does for an AMD suite that it does not know."""
    code = "import sys; print(*sys.argv[1].split(' -- '), sep=chr(10))"
    result = run(tmp_path, CommandSuite(name="own", command=("{python}", "-c", code, line)))
    assert bool(result.cases) is runs
    assert runs or "ran no test" in result.problem


def test_a_report_of_skipped_cases_alone_passes_nothing(tmp_path: Path) -> None:
    write(tmp_path, {"test_it.py": "import pytest\n@pytest.mark.skip\ndef test_it(): pass\n"})
    result = run(tmp_path, CommandSuite(name="own", command=PYTEST))
    assert "it ran no case: 1 collected, all of them skipped" in result.problem


OLD_REPORT = '<testsuites><testsuite><testcase classname="old" name="test_it"/></testsuite></testsuites>'


def test_a_report_that_the_tree_brings_is_none_of_the_run(tmp_path: Path) -> None:
    tree = write(tmp_path / "tree", {"build/report.xml": OLD_REPORT})
    ended = run(tree, script("pass", junit="build/report.xml"))
    assert "left no report" in ended.problem
    assert (tree / "build/report.xml").read_text() == OLD_REPORT, "the tree itself stays as it was"


@pytest.mark.parametrize(
    "command",
    [
        ("{python}", "-c", "import sys; sys.exit(0)", "{junit}"),
        ("{python}", "-c", "import sys; open(sys.argv[1], 'w').write('<testsuites/>')", "{junit}"),
        (*PYTEST, "-k", "nothing_of_that_name", "--suppress-no-test-exit-code"),
    ],
    ids=["no report", "no case", "another exit code"],
)
def test_a_guard_that_ends_well_and_reports_no_test_is_no_pass(tmp_path: Path, command: tuple[str, ...]) -> None:
    conftest = (
        "def pytest_addoption(parser): parser.addoption('--suppress-no-test-exit-code', action='store_true')\n"
        "def pytest_sessionfinish(session): session.exitstatus = 0\n"
    )
    tree = write(tmp_path, {"test_it.py": "def test_it(): pass\n", "conftest.py": conftest})
    verdict = prove(tree, tree, CommandSuite(name="guard", command=command), device="cpu")
    assert verdict.outcome is VerdictOutcome.INCONCLUSIVE
    assert "left no report" in verdict.reason or "collected no case" in verdict.reason


def test_a_command_without_a_report_is_said_to_show_no_test(tmp_path: Path) -> None:
    verdict = prove(tmp_path, tmp_path, script("pass"), device="cpu")
    assert verdict.outcome is VerdictOutcome.NOT_REPRODUCED
    (note,) = verdict.notes
    assert note.startswith("`own` leaves no report: its exit code is all that is known, and not whether a test ran.")
    tree = write(tmp_path, {"test_it.py": "def test_it(): pass\n"})
    assert prove(tree, tree, CommandSuite(name="own", command=PYTEST), device="cpu").notes == ()


def test_an_abort_is_not_run_again(tmp_path: Path) -> None:
    """Each run prints once; the message holds the end of what was printed."""
    (case,) = run(tmp_path, script("import os; print('started', flush=True); os.abort()")).cases
    assert case.message.count("started") == 1


def test_a_command_that_is_not_there_allows_no_verdict(tmp_path: Path) -> None:
    result = run(tmp_path, CommandSuite(name="own", command=("no-such-command",)))
    assert "could not be started" in result.problem
    assert "no-such-command" in result.problem


def test_a_command_that_hangs_is_stopped(tmp_path: Path) -> None:
    assert "stopped after 2 s" in run(tmp_path, script("import time; time.sleep(600)", timeout=2)).problem


def test_it_runs_in_a_copy_and_the_tree_stays_as_it_was(tmp_path: Path) -> None:
    tree = write(tmp_path / "tree", {"widget.py": "A = 1\n", ".git/config": "[core]\n"})
    code = "import pathlib, widget; assert not pathlib.Path('.git').exists(); pathlib.Path('widget.py').unlink()"
    assert run(tree, script(code)).cases[0].outcome is CaseOutcome.PASSED
    assert (tree / "widget.py").exists()


def test_a_report_written_in_the_tree_is_read(tmp_path: Path) -> None:
    xml = '<testsuite><testcase classname="t" name="a"><failure message="m"/></testcase></testsuite>'
    code = f"import pathlib; pathlib.Path('out.xml').write_text({xml!r}); raise SystemExit(1)"
    result = run(tmp_path, script(code, junit="out.xml"))
    assert [(case.name, case.outcome) for case in result.cases] == [
        ("command::own", CaseOutcome.PASSED),
        ("t::a", CaseOutcome.FAILED),
    ]


def test_an_exit_code_that_the_report_does_not_explain_fails(tmp_path: Path) -> None:
    xml = '<testsuites><testsuite><testcase classname="t" name="a"/></testsuite></testsuites>'
    code = f"import pathlib; pathlib.Path('out.xml').write_text({xml!r}); raise SystemExit(1)"
    command, _ = run(tmp_path, script(code, junit="out.xml")).cases
    assert command.outcome is CaseOutcome.FAILED
    assert "exited with 1" in command.message


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("pass", "left no report"),
        ("open('out.xml', 'w').write('<testsuites><testsuite/></testsuites>')", "it collected no case."),
        ("open('out.xml', 'w').write('<')", "not well-formed"),
        ("import os; os.symlink('/etc/passwd', 'out.xml')", "left no report"),
    ],
    ids=["none", "empty", "broken", "a link to somewhere else"],
)
def test_a_report_that_says_nothing_allows_no_verdict(tmp_path: Path, code: str, text: str) -> None:
    assert text in run(tmp_path, script(code, junit="out.xml")).problem


def test_a_report_is_not_read_through_a_link_in_place_of_the_tree(tmp_path: Path) -> None:
    xml = "<testsuites><testcase name='secret'/></testsuites>"
    outside = write(tmp_path / "outside", {"out.xml": xml})
    code = f"import os; os.chdir('..'); os.rename('tree', 'away'); os.symlink({str(outside)!r}, 'tree')"
    result = run(tmp_path / "outside", script(code, junit="out.xml"))
    assert "left no report" in result.problem


# --- tests that come with the change ---------------------------------------------------------------------------------

_FIXED = "def size(n, width):\n    return n * width\n"
_BROKEN = "def size(n, width):\n    return n\n"
_TEST = "from widget import size\n\ndef test_size():\n    assert size(2, 3) == 6\n"


def own_tests(tmp_path: Path, base: dict[str, str], candidate: dict[str, str]) -> CommandSuite:
    write(tmp_path / "base", base)
    write(tmp_path / "candidate", candidate)
    files = tuple(name for name in candidate if name.startswith("tests/"))
    return CommandSuite(name="own-tests", command=(*PYTEST, "tests/test_size.py"), overlay=files)


def test_what_the_change_tests_fails_without_it_and_passes_with_it(tmp_path: Path) -> None:
    suite = own_tests(tmp_path, {"widget.py": _BROKEN}, {"widget.py": _FIXED, "tests/test_size.py": _TEST})
    verdict = prove(tmp_path / "base", tmp_path / "candidate", suite, device="cpu")
    assert verdict.outcome is VerdictOutcome.PROVEN, verdict.reason
    assert not (tmp_path / "base" / "tests").exists()


def test_a_test_that_imports_what_the_change_adds_counts_as_failing_without_it(tmp_path: Path) -> None:
    suite = own_tests(tmp_path, {"widget.py": ""}, {"widget.py": _FIXED, "tests/test_size.py": _TEST})
    verdict = prove(tmp_path / "base", tmp_path / "candidate", suite, device="cpu")
    assert verdict.outcome is VerdictOutcome.PROVEN, verdict.reason
    assert "cannot start without the change" in verdict.base.cases[-1].message


def test_tests_that_start_on_neither_tree_prove_nothing(tmp_path: Path) -> None:
    test = "import no_such_module\n" + _TEST
    suite = own_tests(tmp_path, {"widget.py": _BROKEN}, {"widget.py": _FIXED, "tests/test_size.py": test})
    verdict = prove(tmp_path / "base", tmp_path / "candidate", suite, device="cpu")
    assert verdict.outcome is VerdictOutcome.INCONCLUSIVE


def test_tests_that_pass_without_the_change_do_not_reproduce(tmp_path: Path) -> None:
    suite = own_tests(tmp_path, {"widget.py": _FIXED}, {"widget.py": _FIXED, "tests/test_size.py": _TEST})
    verdict = prove(tmp_path / "base", tmp_path / "candidate", suite, device="cpu")
    assert verdict.outcome is VerdictOutcome.NOT_REPRODUCED


def test_a_case_that_fails_on_both_is_known_only_where_it_is_declared(tmp_path: Path) -> None:
    test = _TEST + "\ndef test_network():\n    assert False, 'there is none'\n"
    suite = own_tests(tmp_path, {"widget.py": _BROKEN}, {"widget.py": _FIXED, "tests/test_size.py": test})
    verdict = prove(tmp_path / "base", tmp_path / "candidate", suite, device="cpu")
    assert verdict.outcome is VerdictOutcome.INCOMPLETE
    declared = KnownFailure("tests.test_size::test_network", "there is no network here")
    told = CommandSuite(
        name=suite.name, command=suite.command, overlay=suite.overlay, known_failures=(declared,), timeout=60
    )
    assert prove(tmp_path / "base", tmp_path / "candidate", told, device="cpu").outcome is VerdictOutcome.PROVEN


@pytest.mark.parametrize(
    "code",
    [
        "test.write_text(test.read_text().replace('== 6', '== 2'))",
        "text = test.read_text(); test.write_text(''); test.write_text(text)",
        "test.rename('away.py'); test.write_bytes(open('away.py', 'rb').read())",
        "test.unlink()",
        "test.parent.rename('away')",
    ],
    ids=["changed", "changed and put back", "replaced", "removed", "out of the way"],
)
def test_tests_that_the_code_under_test_changes_while_they_run_prove_nothing(tmp_path: Path, code: str) -> None:
    hostile = f"import pathlib\ntest = pathlib.Path('tests/test_size.py')\n{code}\n{_FIXED}"
    suite = own_tests(tmp_path, {"widget.py": _BROKEN}, {"widget.py": hostile, "tests/test_size.py": _TEST})
    verdict = prove(tmp_path / "base", tmp_path / "candidate", suite, device="cpu")
    assert verdict.outcome is VerdictOutcome.INCONCLUSIVE
    assert "it changed tests/test_size.py" in verdict.reason


def test_nothing_is_laid_over_through_a_link_that_leaves_the_tree(tmp_path: Path) -> None:
    source = write(tmp_path / "source", {"tests/test_a.py": "hostile"})
    copy, outside = tmp_path / "copy", tmp_path / "outside"
    copy.mkdir()
    outside.mkdir()
    (copy / "tests").symlink_to(outside)
    with pytest.raises(SuiteError, match="a link in its path"):
        lay_over(copy, source, ("tests/test_a.py",))
    assert list(outside.iterdir()) == []


def test_a_test_that_the_change_removes_goes_from_the_base_too(tmp_path: Path) -> None:
    copy = write(tmp_path / "copy", {"tests/test_a.py": "old"})
    lay_over(copy, write(tmp_path / "source", {"x": ""}), ("tests/test_a.py",))
    assert not (copy / "tests" / "test_a.py").exists()


def test_the_interpreter_is_ours_on_this_machine(tmp_path: Path) -> None:
    code = f"import sys; assert sys.executable == {sys.executable!r}, sys.executable"
    assert run(tmp_path, script(code)).cases[0].outcome is CaseOutcome.PASSED


def test_a_tree_that_is_gone_or_nested_without_an_end_is_a_reason_and_no_other_error(tmp_path: Path) -> None:
    (tmp_path / "candidate").mkdir()
    verdict = prove(tmp_path / "gone", tmp_path / "candidate", script("pass"), device="cpu")
    assert verdict.outcome is VerdictOutcome.INCONCLUSIVE
    assert "No such file" in verdict.reason
    with scratch_folder("tree-") as deep:
        nest(deep)
        with pytest.raises(SuiteError, match="nested too deeply"):
            prove(deep, tmp_path / "candidate", script("pass"), device="cpu")


def test_what_is_laid_over_is_a_file_or_a_link(tmp_path: Path) -> None:
    source, copy = write(tmp_path / "source", {"x": ""}), write(tmp_path / "copy", {"tests/test_a.py": "old"})
    (source / "tests").mkdir()
    os.mkfifo(source / "tests/test_a.py")
    with pytest.raises(SuiteError, match="neither a file nor a link"):
        lay_over(copy, source, ("tests/test_a.py",))
    (source / "tests/test_a.py").unlink()
    (source / "tests").rmdir()
    (source / "tests").symlink_to("/etc")
    with pytest.raises(SuiteError, match="a link in its path"):
        lay_over(copy, source, ("tests/passwd",))

"""A report counts only if the process that runs the cases wrote it: the folder it lies in is open to others."""

from __future__ import annotations

import textwrap
from pathlib import Path

from bot.models import CaseOutcome, Suite, SuiteRun
from bot.proof.pytest_suite import run_suite

FORGED = '<testsuites><testsuite><testcase classname="test_it" name="test_fails" time="0"/></testsuite></testsuites>'
FORGER = f"""
    import os, subprocess, sys, textwrap

    FORGERY = {FORGED!r}

    def test_fails():
        # What a process that the suite started knows of it, and what it may try.
        forger = textwrap.dedent('''
            import glob, os, sys, time
            parent, forged = sys.argv[1:]
            words = open("/proc/" + parent + "/cmdline").read().split(chr(0))
            place = [word.partition("=")[2] for word in words if word.startswith("--junitxml=")][0]
            while True:
                for name in (place, place + ".seal"):
                    try:
                        open(name, "w").write(forged if name == place else "00" * 32)
                    except OSError:
                        pass
        ''')
        subprocess.Popen([sys.executable, "-c", forger, str(os.getpid()), FORGERY], start_new_session=True)
        import time; time.sleep(0.5)
        assert False
"""
READER = """
    import os, subprocess, sys

    def test_nothing_of_the_judge_can_be_read():
        reader = "import os, sys; print(os.listdir(sys.argv[1] + '/fd'), open(sys.argv[1] + '/environ').read())"
        drop = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", "--"]
        command = [*drop, sys.executable, "-c", reader, f"/proc/{os.getpid()}"]
        ended = subprocess.run(command, capture_output=True, text=True)
        assert "PermissionError" in ended.stderr, ended.stdout + ended.stderr

    def test_the_secret_is_gone():
        place = [word for word in open("/proc/self/cmdline").read().split(chr(0)) if word.startswith("--junitxml=")][0]
        assert not os.path.exists(os.path.join(os.path.dirname(place.partition("=")[2]), "seal"))
"""


def ran(tmp_path: Path, text: str) -> SuiteRun:
    for name in ("suite", "tree"):
        (tmp_path / name).mkdir()
    (tmp_path / "suite/test_it.py").write_text(textwrap.dedent(text), encoding="utf-8")
    return run_suite(tmp_path / "tree", Suite(name="it", directory=tmp_path / "suite", timeout=60), name="candidate")


def test_a_report_that_another_process_wrote_is_not_believed(tmp_path: Path) -> None:
    ended = ran(tmp_path, FORGER)
    assert not [case for case in ended.cases if case.outcome is CaseOutcome.PASSED]
    assert ended.problem or [case.outcome for case in ended.cases] == [CaseOutcome.FAILED]


def test_the_process_that_judges_cannot_be_looked_into(tmp_path: Path) -> None:
    ended = ran(tmp_path, READER)
    assert ended.problem == ""
    assert [case.message for case in ended.cases if case.outcome is not CaseOutcome.PASSED] == []


def test_an_honest_report_is_believed(tmp_path: Path) -> None:
    ended = ran(tmp_path, "def test_fails(): assert False\n")
    assert ended.problem == ""
    assert [case.outcome for case in ended.cases] == [CaseOutcome.FAILED]

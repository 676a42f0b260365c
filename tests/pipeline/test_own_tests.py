"""An original that no carried patch has: the tests it brings prove it, and the target's own commands guard it.

#10 lets a ring tell its width, and brings a test for it; it picks cleanly onto release/1.2.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from bot.config import parse_config
from bot.models import NotProven, Opened, VerdictOutcome
from tests.pipeline.office import REPOSITORY, Office, commit, git, with_pick

_TOLD = "\n    def told(self):\n        return f'{self.width} wide'\n"
_FAILS_AFTER = "import widget.ring as r; raise SystemExit(hasattr(r.Ring, 'told'))"
_TEST = """from widget.ring import Ring


def test_a_ring_tells_its_width():
    ring = Ring()
    ring.allocate(2, 3)
    assert ring.told() == "3 wide"
"""


def merge(office: Office, checkout: Path, files: dict[str, str], *, removing: str = "") -> Office:
    """Merge #10 with these files and what a ring tells."""
    git(office.git_dir, "clone", "--quiet", str(office.git_dir), str(checkout))
    ring = (checkout / "widget/ring.py").read_text()
    if removing:
        (checkout / removing).unlink()
    commit(checkout, "Let a ring tell its width (#10)", {"widget/ring.py": ring + _TOLD, **files})
    git(checkout, "push", "--quiet", "origin", "HEAD:main", "HEAD:refs/heads/topic-10")
    office.fake_github.seed_pull_request(
        REPOSITORY,
        number=10,
        title="Let a ring tell its width",
        author="ann",
        head="topic-10",
        merged_by="mia",
        merge_commit_sha=git(checkout, "rev-parse", "HEAD"),
    )
    return office


def configured(office: Office, prove: str) -> Office:
    config = parse_config(f"repository: {REPOSITORY}\nprove:\n  device: cpu\n{prove}")
    return replace(office, context=with_pick(office.context, config=config))


def test_the_tests_that_an_original_brings_prove_it(office: Office, tmp_path: Path) -> None:
    merge(office, tmp_path / "checkout", {"tests/test_ring.py": _TEST})
    (result,) = office.say("/backport release/1.2", on=10)
    assert isinstance(result, Opened)
    assert result.verdict is not None
    assert result.verdict.proven
    name = "tests.test_ring::test_a_ring_tells_its_width"
    assert name in {case.name for case in result.verdict.base.cases}
    assert "**proven**" in office.backports()[0].body


def test_the_reports_of_a_proof_are_kept_on_the_machine_for_a_month(office: Office, tmp_path: Path) -> None:
    merge(office, tmp_path / "checkout", {"tests/test_ring.py": _TEST})
    root = tmp_path / "data/evidence"
    old = root / "release-1.1-0123456789ab"
    old.mkdir(parents=True)
    os.utime(old, (0, 0))
    kept = replace(office, context=with_pick(office.context, evidence_root=root))
    (result,) = kept.say("/backport release/1.2", on=10)
    assert isinstance(result, Opened)
    assert result.candidate is not None
    (folder,) = root.iterdir()
    assert folder.name == f"release-1.2-{result.candidate.commit[:12]}"
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert names >= {"verdict.json", "report.html", "own-tests/base.xml", "own-tests/candidate.xml"}


def test_tests_that_pass_without_the_original_do_not_prove_it(office: Office, tmp_path: Path) -> None:
    merge(office, tmp_path / "checkout", {"tests/test_ring.py": "def test_nothing():\n    pass\n"})
    (result,) = office.say("/backport release/1.2", on=10)
    assert isinstance(result, NotProven)
    assert result.verdict.outcome is VerdictOutcome.NOT_REPRODUCED
    assert office.backports() == []


def test_what_a_proof_does_not_bring_along_is_named_where_it_did_not_prove(office: Office, tmp_path: Path) -> None:
    for branch in ("main", "release/1.2"):
        checkout = tmp_path / branch.replace("/", "-")
        git(office.git_dir, "clone", "--quiet", "--branch", branch, str(office.git_dir), str(checkout))
        git(checkout, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},vendor/lib")
        (checkout / ".gitmodules").write_text('[submodule "lib"]\n\tpath = vendor/lib\n\turl = https://x.invalid/lib\n')
        (checkout / ".gitattributes").write_text("*.bin filter=lfs diff=lfs merge=lfs -text\n")
        git(checkout, "add", ".gitmodules", ".gitattributes")
        git(checkout, "commit", "--quiet", "--message", "Bring the library")
        git(checkout, "push", "--quiet", "origin", f"HEAD:{branch}")
    merge(office, tmp_path / "checkout", {"tests/test_ring.py": "import vendor.lib.missing\n\n" + _TEST})
    (result,) = office.say("/backport release/1.2", on=10)
    assert isinstance(result, NotProven)
    assert "A proof brings no submodules along (`vendor/lib`)" in office.answers(10)[-1]
    assert "no files of Git LFS along" in office.answers(10)[-1]


def test_a_test_that_the_original_moves_is_run_where_it_is_now(office: Office, tmp_path: Path) -> None:
    for branch in ("main", "release/1.2"):
        checkout = tmp_path / branch.replace("/", "-")
        git(office.git_dir, "clone", "--quiet", "--branch", branch, str(office.git_dir), str(checkout))
        commit(checkout, "Test the ring", {"tests/test_old.py": "def test_nothing():\n    pass\n"})
        git(checkout, "push", "--quiet", "origin", f"HEAD:{branch}")
    merge(office, tmp_path / "checkout", {"tests/test_ring.py": _TEST}, removing="tests/test_old.py")
    (result,) = office.say("/backport release/1.2", on=10)
    assert isinstance(result, Opened)


def document(office: Office, checkout: Path, files: dict[str, str]) -> Office:
    """Merge #10, which changes these files and nothing else."""
    git(office.git_dir, "clone", "--quiet", str(office.git_dir), str(checkout))
    commit(checkout, "Explain the ring (#10)", files)
    git(checkout, "push", "--quiet", "origin", "HEAD:main", "HEAD:refs/heads/topic-10")
    office.fake_github.seed_pull_request(
        REPOSITORY,
        number=10,
        title="Explain the ring",
        author="ann",
        head="topic-10",
        merged_by="mia",
        merge_commit_sha=git(checkout, "rev-parse", "HEAD"),
    )
    return office


def test_documentation_is_opened_normally_and_said_to_need_no_tests(office: Office, tmp_path: Path) -> None:
    document(office, tmp_path / "checkout", {"docs/ring.md": "A ring is round.\n"})
    (result,) = office.say("/backport release/1.2", on=10)
    assert isinstance(result, Opened)
    assert result.verdict is not None
    assert result.verdict.outcome is VerdictOutcome.NO_TESTS
    assert not office.backports()[0].draft
    for text in (office.answers(10)[-1], office.backports()[0].body):
        assert "The change is documentation only (docs/ring.md), which needs no tests." in text.replace("`", "")
        assert "no tests to prove it" in text.lower()


def test_code_without_tests_is_opened_and_told_what_was_checked_instead(office: Office, tmp_path: Path) -> None:
    merge(office, tmp_path / "checkout", {"checks/ring.py": _TEST})
    (result,) = office.say("/backport release/1.2", on=10)
    assert isinstance(result, Opened)
    assert result.verdict is not None
    assert result.verdict.outcome is VerdictOutcome.NO_TESTS
    assert not office.backports()[0].draft
    said = office.answers(10)[-1]
    assert "it changes no tests" in said
    assert "prove.tests.paths" in said
    assert "that they use no name that the branch lacks" in said


def test_where_each_backport_needs_a_proof_one_without_tests_is_not_opened(office: Office, tmp_path: Path) -> None:
    document(office, tmp_path / "checkout", {"docs/ring.md": "A ring is round.\n"})
    (result,) = configured(office, "  required: always\n").say("/backport release/1.2", on=10)
    assert isinstance(result, NotProven)
    assert result.verdict.outcome is VerdictOutcome.NO_TESTS
    assert "prove.required: when-tests" in office.answers(10)[-1]
    assert office.backports() == []


@pytest.mark.parametrize(("code", "is_opened"), [("pass", True), ("raise SystemExit(1)", True), (_FAILS_AFTER, False)])
def test_without_tests_the_target_s_own_commands_decide(
    office: Office, tmp_path: Path, code: str, is_opened: bool
) -> None:
    merge(office, tmp_path / "checkout", {"checks/ring.py": _TEST})
    command = f'[{{name: smoke, branches: [release/1.2], command: ["{{python}}", -c, "{code}"]}}]'
    (result,) = configured(office, f"  commands: {command}\n").say("/backport release/1.2", on=10)
    assert isinstance(result, Opened if is_opened else NotProven)
    assert result.verdict is not None
    assert result.verdict.outcome is (VerdictOutcome.NO_TESTS if is_opened else VerdictOutcome.REGRESSED)
    if is_opened:
        assert "The target's own commands are no worse with the change." in office.answers(10)[-1]


def test_a_command_that_comes_to_no_result_is_no_pass_for_a_change_without_tests(
    office: Office, tmp_path: Path
) -> None:
    merge(office, tmp_path / "checkout", {"checks/ring.py": _TEST})
    command = "[{name: smoke, command: [no-such-program]}]"
    (result,) = configured(office, f"  commands: {command}\n").say("/backport release/1.2", on=10)
    assert isinstance(result, NotProven)
    assert result.verdict.outcome is VerdictOutcome.INCONCLUSIVE


def test_tests_that_a_backport_leaves_out_are_not_the_same_as_none(office: Office, tmp_path: Path) -> None:
    merge(office, tmp_path / "checkout", {"tests/test_ring.py": _TEST})
    config = parse_config(f"repository: {REPOSITORY}\npick: {{leave_out: ['tests/**']}}\nprove: {{device: cpu}}\n")
    (result,) = replace(office, context=with_pick(office.context, config=config)).say("/backport release/1.2", on=10)
    assert isinstance(result, NotProven)
    assert result.verdict.outcome is VerdictOutcome.INCONCLUSIVE
    assert "`pick.leave_out` leaves out" in result.verdict.reason


def test_tests_that_the_branch_has_already_are_not_the_same_as_none(office: Office, tmp_path: Path) -> None:
    checkout = tmp_path / "release"
    git(office.git_dir, "clone", "--quiet", "--branch", "release/1.2", str(office.git_dir), str(checkout))
    commit(checkout, "Test the ring before it is mended", {"tests/test_ring.py": _TEST})
    git(checkout, "push", "--quiet", "origin", "HEAD:release/1.2")
    merge(office, tmp_path / "checkout", {"tests/test_ring.py": _TEST})
    (result,) = office.say("/backport release/1.2", on=10)
    assert isinstance(result, NotProven)
    assert result.verdict.outcome is VerdictOutcome.INCONCLUSIVE
    assert "The original has tests (tests/test_ring.py)" in result.verdict.reason


def test_where_tests_lie_and_how_they_run_is_configured(office: Office, tmp_path: Path) -> None:
    check = _TEST.replace("def test_", "def ") + "\n\na_ring_tells_its_width()\n"
    merge(office, tmp_path / "checkout", {"checks/ring.check": check})
    custom_office = configured(office, "  tests: {paths: ['*.check'], command: ['{python}', '{files}']}\n")
    (result,) = custom_office.say("/backport release/1.2", on=10)
    assert isinstance(result, Opened)
    assert result.verdict is not None
    assert [case.name for case in result.verdict.base.cases] == ["command::own-tests"]


@pytest.mark.parametrize(
    ("code", "is_opened"),
    [
        ("pass", True),
        ("raise SystemExit(1)", True),
        (_FAILS_AFTER, False),
    ],
    ids=["passes on both", "fails on both", "fails with the fix"],
)
def test_a_command_of_the_target_must_not_get_worse(office: Office, tmp_path: Path, code: str, is_opened: bool) -> None:
    merge(office, tmp_path / "checkout", {"tests/test_ring.py": _TEST})
    command = f'[{{name: smoke, branches: [release/1.2], command: ["{{python}}", -c, "{code}"]}}]'
    (result,) = configured(office, f"  commands: {command}\n").say("/backport release/1.2", on=10)
    assert isinstance(result, Opened if is_opened else NotProven)
    assert result.verdict is not None
    assert "smoke.command::smoke" in {case.name for case in result.verdict.candidate.cases}
    if "SystemExit(1)" in code:
        assert "smoke: 1 case still failed on the candidate" in result.verdict.reason

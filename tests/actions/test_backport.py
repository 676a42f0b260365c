"""The backport workflow really run: an event in, pull requests out, each job in a process of its own."""

from __future__ import annotations

import platform

import pytest

from tests.actions.conftest import FORK, Project
from tests.actions.runner import dispatching_caller
from tests.pipeline.landing import write
from tests.pipeline.office import REPOSITORY, git

pytestmark = [pytest.mark.actions, pytest.mark.long]
ACCOUNT = "github-actions[bot]"


SAYS_ITS_DEVICE = """
import pytest

@pytest.fixture(scope="session", autouse=True)
def device(record_testsuite_property):
    for key, value in {"kind": "cpu", "name": "CPU", "arch": "ARCH"}.items():
        record_testsuite_property(f"device.{key}", value)
"""


def _answers(project: Project, on: int = 7) -> list[str]:
    return [comment.body for comment in project.office.issue(on).get_comments() if comment.user.login == ACCOUNT]


def _opened(project: Project) -> list[tuple[str, str]]:
    pulls = project.office.people["mia"].get_repo(REPOSITORY).get_pulls(state="open")
    return sorted((pull.base.ref, pull.head.sha) for pull in pulls if pull.user.login == ACCOUNT)


def test_a_comment_becomes_pull_requests_and_a_dying_proof_stops_no_other(project: Project) -> None:
    event = project.comment("/backport release/1.0 release/1.1 release/1.2")
    forge = "mkdir -p run/prove run/evidence/2 && touch run/evidence/2/page && echo '{}' > run/prove/2.json"
    ran = project.act.run("issue_comment", event, crash="prove 2", meanwhile=forge)
    assert ran.jobs() == {"plan", "pick", "seal", "prove", "publish"}, ran.log
    artifacts = project.act.directory / "artifacts"
    assert sorted(artifacts.glob("prove-*/*")) == [artifacts / "prove-1-3/3.json"], "a job hands on its own verdict"
    assert not list(artifacts.glob("evidence-*/**/page"))
    (pull,) = _opened(project)
    assert pull == ("release/1.2", project.office.branches()["backport/7-to-release-1.2"])
    (answer,) = _answers(project)
    rows = {line.split("`")[1]: line for line in answer.splitlines() if line.startswith("| `")}
    assert "not affected" in rows["release/1.0"]
    assert "not proven" in rows["release/1.1"]
    assert "opened" in rows["release/1.2"]
    assert "left no verdict" in answer
    token = project.act.token
    assert token not in ran.log
    assert token in ran.saw("publish")
    assert token not in ran.saw("prove")
    assert token not in ran.saw("seal")


def test_a_comment_about_something_else_starts_no_job(project: Project) -> None:
    """The condition is in the called workflow: the file of the project has none."""
    ran = project.act.run("issue_comment", project.comment("Shall we backport this?"))
    assert (ran.code, ran.jobs()) == (0, set()), ran.log


def test_a_branch_that_moves_during_the_proof_gets_another_round(project: Project) -> None:
    git_dir = project.office.git_dir
    moved_sha = git(git_dir, "commit-tree", "release/1.2^{tree}", "-p", "release/1.2", "-m", "Meanwhile")
    meanwhile = f"git --git-dir='{git_dir}' update-ref refs/heads/release/1.2 {moved_sha}"
    ran = project.act.run("issue_comment", project.comment("/backport release/1.2"), meanwhile=meanwhile)
    (pull,) = _opened(project)
    assert pull[0] == "release/1.2", ran.log
    assert git(git_dir, "rev-parse", f"{pull[1]}^") == moved_sha
    (answer,) = _answers(project)
    assert "1 pull request opened" in answer


def _configure(project: Project, settings: str) -> None:
    config = f"repository: {REPOSITORY}\npatches: [backports]\n{settings}"
    write(project.office, "main", {"backport.yaml": config}, "Configure it otherwise")


def test_commits_that_github_writes_are_proven_and_opened(project: Project) -> None:
    _configure(project, "prove: {device: cpu}\ncommit: {verified: true}\n")
    ran = project.act.run("issue_comment", project.comment("/backport release/1.2"))
    (pull,) = _opened(project)
    assert pull[0] == "release/1.2", ran.log
    assert git(project.office.git_dir, "show", "--no-patch", "--format=%an", pull[1]) == ACCOUNT
    assert project.act.token not in ran.saw("prove")


def test_the_proof_goes_to_the_runner_that_the_configuration_names(project: Project) -> None:
    _configure(project, "prove: {device: cpu, runner: github-actions, actions: {labels: [linux-mi325-1gpu]}}\n")
    ran = project.act.run("issue_comment", project.comment("/backport release/1.2"))
    assert "linux-mi325-1gpu" in ran.log, "act has no such machine, and says so"
    assert ran.jobs() == {"plan", "pick", "seal", "publish"}
    assert "left no verdict" in _answers(project)[0]


def test_each_device_is_proven_in_a_job_of_its_own(project: Project) -> None:
    conftest = SAYS_ITS_DEVICE.replace("ARCH", platform.machine())
    write(project.office, "main", {"backports/widget-7/suite/conftest.py": conftest}, "Say the device")
    devices = f"[{{name: cpu}}, {{name: {platform.machine()}, device: cpu, labels: [ubuntu-24.04]}}]"
    _configure(project, f"prove: {{devices: {devices}}}\n")
    ran = project.act.run("issue_comment", project.comment("/backport release/1.2"))
    artifacts = project.act.directory / "artifacts"
    proofs = {f"prove-1-1-{name}/1-{name}.json" for name in ("cpu", platform.machine())}
    assert {str(path.relative_to(artifacts)) for path in artifacts.glob("prove-*/*")} == proofs, ran.log
    assert [base for base, _ in _opened(project)] == ["release/1.2"], ran.log
    assert project.act.token not in ran.saw("prove")


def test_a_pick_that_dies_ends_every_branch_with_a_word_about_it(project: Project) -> None:
    ran = project.act.run("issue_comment", project.comment("/backport release/1.2"), crash="pick ")
    assert ran.jobs() == {"plan", "pick", "publish"}, ran.log
    assert "The pick left no result" in _answers(project)[0]


def test_a_label_on_a_forks_pull_request_is_served_without_its_code(project: Project) -> None:
    event = project.label("backport release/1.2", on=FORK)
    ran = project.act.run("pull_request_target", event)
    assert ran.code == 0, ran.log
    assert [base for base, _ in _opened(project)] == ["release/1.2"], ran.log


def test_an_outsiders_comment_is_refused_and_starts_no_other_job(project: Project) -> None:
    event = project.comment("/backport release/1.2", as_="otto")
    ran = project.act.run("issue_comment", event)
    assert ran.jobs() == {"plan"}, ran.log
    # act's own exit code says nothing here: it evaluates the matrix of a job that it is about to skip.
    assert "Job succeeded" in ran.log
    assert "Job failed" not in ran.log
    assert "`write`" in _answers(project)[0]
    assert _opened(project) == []


def test_neither_a_comment_nor_a_branch_name_reaches_a_shell(project: Project) -> None:
    marker = project.act.directory / "touched"
    words = f"$(touch${{IFS}}{marker})"
    git(project.office.git_dir, "branch", f"release/{words}", "release/1.2")
    _configure(project, 'branches: ["release/**"]\nprove: {device: cpu}\n')
    event = project.comment(f"/backport release/*touch*/**\n\n{words} `touch {marker}` '; touch {marker} #")
    ran = project.act.run("issue_comment", event)
    assert ran.code == 0, ran.log
    assert [base for base, _ in _opened(project)] == [f"release/{words}"], ran.log
    assert not marker.exists()


def test_a_comment_without_a_command_starts_nothing(project: Project) -> None:
    before = len(project.office.fake_github.requests())
    event = project.comment("Thank you!")
    ran = project.act.run("issue_comment", event)
    assert ran.jobs() == set()
    assert all(request.login != ACCOUNT for request in project.office.fake_github.requests()[before:])


def test_a_run_by_hand_opens_and_gives_the_numbers_as_outputs(project: Project) -> None:
    """`act` starts no job that needs a called workflow, so the outputs are looked at where the job sets them."""
    project.act.stage_caller(dispatching_caller())
    event = {
        "inputs": {"pull_request": "7", "branches": "release/1.0 release/1.2", "options": ""},
        "repository": {"full_name": REPOSITORY},
        "sender": {"login": "mia", "type": "User"},
    }
    ran = project.act.run("workflow_dispatch", event)
    (pull,) = _opened(project)
    assert pull[0] == "release/1.2", ran.log
    pulls = project.office.people["mia"].get_repo(REPOSITORY).get_pulls()
    (number,) = [pull.number for pull in pulls if pull.user.login == ACCOUNT]
    assert f"created=[{number}]" in ran.log
    assert 'results=[{"branch": "release/1.0", "status": "not-affected"' in ran.log

"""The runner `github-actions` over real HTTP and real git: a machine beside the forge takes the runs dispatched there.

The workflow file is the one that the documentation gives. `prove` does what the steps of the workflow that it calls do:
two checkouts, one command, one archive.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.config import parse_config
from bot.fake_github import FakeGitHub
from bot.models import (
    CaseOutcome,
    CaseResult,
    Device,
    NotProven,
    Opened,
    Sha,
    SuiteRun,
    TargetOutcome,
    Verdict,
    VerdictOutcome,
)
from bot.pipeline.remote_proof import actions_runner
from bot.proof.artifacts import write_evidence
from bot.proof.runner import ProofRequest
from tests.pipeline.office import REPOSITORY, Office, commit, git, with_pick

ROOT = Path(__file__).parents[2]
WORKFLOW = ROOT / ".github" / "workflows" / "regression.yml"
CALLER = re.search(r"```yaml\n(name: Regression\n.*?)```", (ROOT / "docs" / "ci.md").read_text("utf-8"), re.DOTALL)
PROVE = """prove:
  device: cpu
  runner: github-actions
  actions: {{labels: [linux-mi325], poll_seconds: 0.05, queue_minutes: {queue}, run_minutes: {run}}}
"""
ASK = "/backport release/1.2"
Ending = Callable[["Machine", int], None]


@dataclass
class Machine:
    """Ends the runs that appear, each by the next of `endings`; a run beyond them stays in the queue."""

    fake_github: FakeGitHub
    office: Office
    folder: Path
    endings: list[Ending]
    inputs: list[Mapping[str, Any]] = field(default_factory=list)
    seen_branches: list[list[str]] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def work(self) -> None:
        done_set: set[int] = set()
        while not self.stop.wait(0.05):
            queue = [run for run in self.fake_github.runs(REPOSITORY) if run not in done_set]
            for run in queue[: len(self.endings) - len(done_set)]:
                self.seen_branches.append([name for name in self.office.branches() if "candidates" in name])
                self.endings[len(done_set)](self, run)
                done_set.add(run)

    def take(self, run: int) -> Mapping[str, Any]:
        self.inputs.append(self.fake_github.start_run(REPOSITORY, run))
        return self.inputs[-1]

    def finish(self, run: int, conclusion: str = "success", archive: bytes | None = None) -> None:
        self.fake_github.finish_run(REPOSITORY, run, conclusion, {} if archive is None else {"evidence": archive})

    def checkout(self, name: str, commit_or_branch: str) -> Path:
        place = self.folder / name
        git(self.folder, "clone", "--quiet", self.fake_github.clone_url(REPOSITORY), str(place))
        git(place, "checkout", "--quiet", "--detach", commit_or_branch)
        return place


def prove(machine: Machine, run: int) -> None:
    """Do what the workflow's steps do."""
    inputs = machine.take(run)
    settings = machine.checkout("settings", "origin/main")
    base, candidate = (machine.checkout(name, inputs[name]) for name in ("base", "candidate"))
    evidence = machine.folder / "evidence"
    command = [sys.executable, "-m", "bot", "prove", str(base), "--candidate", str(candidate)]
    command += ["--config", str(settings / "backport.yaml"), "--branch", inputs["branch"], "--device", inputs["device"]]
    command += ["--evidence", str(evidence), "--patch", inputs["patch"]]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(machine.folder)}
    process = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert process.returncode in (0, 1), process.stderr
    machine.finish(run, "success", zipped(evidence))


def zipped(folder: Path) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as written:
        for path in sorted(folder.rglob("*")):
            written.write(path, path.relative_to(folder))
    return archive.getvalue()


def reported(
    machine: Machine,
    run: int,
    *,
    base: str = "",
    suite: str = "widget-7",
    is_fixed: bool = True,
    image: str = "",
    problem: str = "",
    device: Device | None = None,
) -> None:
    """Report a suite whose case fails on the base, and that all is proven, whatever the candidate did."""
    inputs = machine.take(run)
    runs = [
        SuiteRun(
            tree=name,
            cases=(CaseResult(name="test_ring::test_it", outcome=outcome),),
            device=device,
            seconds=1.0,
            commit=sha,
            image=image,
            problem=problem,
        )
        for name, outcome, sha in (
            ("base", CaseOutcome.FAILED, base or inputs["base"]),
            ("candidate", CaseOutcome.PASSED if is_fixed else CaseOutcome.FAILED, inputs["candidate"]),
        )
    ]
    claim = Verdict(outcome=VerdictOutcome.PROVEN, reason="trust me", base=runs[0], candidate=runs[1])
    folder = machine.folder / f"report-{run}"
    write_evidence(folder, claim, {suite: claim})
    machine.finish(run, "success", zipped(folder))


def cancelled(machine: Machine, run: int) -> None:
    machine.take(run)
    machine.finish(run, "cancelled")


def lost(machine: Machine, run: int) -> None:
    """Vanish once the bot has had a look at the run."""
    machine.take(run)
    while not any(request.path.endswith(f"/actions/runs/{run}") for request in machine.fake_github.requests()):
        assert not machine.stop.wait(0.05)
    machine.fake_github.lose_run(REPOSITORY, run)


def without_report(machine: Machine, run: int) -> None:
    machine.take(run)
    machine.finish(run, "failure")


def no_archive(machine: Machine, run: int) -> None:
    machine.take(run)
    machine.finish(run, "success", b"not a zip")


def never_ending(machine: Machine, run: int) -> None:
    machine.take(run)


def staying_in_the_queue(machine: Machine, run: int) -> None:
    """Leave it there."""


@pytest.fixture
def forge(office: Office, tmp_path: Path) -> Office:
    """The office with the documented workflow, the configuration and the carried patch on main."""
    main = tmp_path / "main"
    git(office.git_dir, "clone", "--quiet", str(office.git_dir), str(main))
    shutil.copytree(Path(__file__).parent / "patches", main / "carried")
    assert CALLER is not None
    text = f"repository: {REPOSITORY}\npatches: [carried]\n"
    commit(main, "Set up the bot", {".github/workflows/regression.yml": CALLER[1], "backport.yaml": text})
    git(main, "push", "--quiet", "origin", "HEAD:main")
    return office


@contextmanager
def machine_for(forge: Office, tmp_path: Path, *endings: Ending) -> Iterator[Machine]:
    folder = tmp_path / "machine"
    folder.mkdir()
    machine = Machine(forge.fake_github, forge, folder, list(endings))
    worker = threading.Thread(target=machine.work, daemon=True)
    worker.start()
    try:
        yield machine
    finally:
        machine.stop.set()
        worker.join(30)


def ask(forge: Office, *, queue: float = 1, run: float = 1) -> TargetOutcome:
    config = parse_config(f"repository: {REPOSITORY}\n" + PROVE.format(queue=queue, run=run))
    (result,) = replace(forge, context=with_pick(forge.context, config=config)).say(ASK)
    return result


def not_proven(result: TargetOutcome) -> Verdict:
    assert isinstance(result, NotProven)
    return result.verdict


def test_a_run_on_another_machine_proves_the_very_commit_that_is_opened(forge: Office, tmp_path: Path) -> None:
    with machine_for(forge, tmp_path, prove) as machine:
        result = ask(forge)
    assert isinstance(result, Opened)
    assert result.verdict is not None
    assert result.candidate is not None
    (given,) = machine.inputs
    assert given["labels"] == '["linux-mi325"]'
    assert (given["candidate"], result.verdict.candidate.commit) == (result.candidate.commit,) * 2
    assert forge.backports()[0].head.sha == result.candidate.commit
    assert "workflow run" in result.verdict.notes[-1]
    assert result.verdict.evidence_url in forge.backports()[0].body


def test_a_default_branch_that_is_renamed_while_serving_still_has_the_workflow(forge: Office, tmp_path: Path) -> None:
    assert forge.context.github.default_branch == "main"
    forge.fake_github.rename_default_branch(REPOSITORY, "trunk")
    with machine_for(forge, tmp_path, reported):
        result = ask(forge)
    assert isinstance(result, Opened), result


def test_the_candidate_is_to_be_seen_while_the_run_lasts_and_no_longer(forge: Office, tmp_path: Path) -> None:
    with machine_for(forge, tmp_path, reported) as machine:
        ask(forge)
    (candidate,) = (given["candidate"] for given in machine.inputs)
    assert machine.seen_branches == [[f"backport-bot/candidates/{candidate}"]]
    assert not [name for name in forge.branches() if "candidates" in name]


@pytest.mark.parametrize("ending", [cancelled, lost])
def test_a_run_that_is_cancelled_or_lost_is_tried_once_more_and_told(
    forge: Office, tmp_path: Path, ending: Ending
) -> None:
    with machine_for(forge, tmp_path, ending, reported) as machine:
        result = ask(forge)
    assert isinstance(result, Opened)
    assert result.verdict is not None
    assert len(result.verdict.notes) == 2
    assert result.verdict.notes[0].startswith("Workflow run ")
    assert len({given["correlation"] for given in machine.inputs}) == 2


def test_a_second_loss_is_inconclusive(forge: Office, tmp_path: Path) -> None:
    with machine_for(forge, tmp_path, cancelled, lost, reported) as machine:
        verdict = not_proven(ask(forge))
    assert verdict.outcome is VerdictOutcome.INCONCLUSIVE
    assert len(verdict.notes) == len(machine.inputs) == 2
    assert not [name for name in forge.branches() if "candidates" in name]


@pytest.mark.parametrize(
    ("ending", "text"),
    [
        (without_report, "left no report"),
        (no_archive, "no archive that can be read"),
        (lambda machine, run: reported(machine, run, base="b" * 40), "is about bbbbbbbbbbbb and"),
        (lambda machine, run: reported(machine, run, suite="widget-8"), "has no runs of widget-7"),
    ],
    ids=["no artifact", "no archive", "other commits", "another suite"],
)
def test_a_report_that_cannot_be_believed_is_inconclusive_and_not_asked_for_again(
    forge: Office, tmp_path: Path, ending: Ending, text: str
) -> None:
    with machine_for(forge, tmp_path, ending, reported) as machine:
        verdict = not_proven(ask(forge))
    assert verdict.outcome is VerdictOutcome.INCONCLUSIVE
    assert text in verdict.reason
    assert len(machine.inputs) == 1


def test_a_verdict_that_its_cases_do_not_bear_out_is_not_taken_over(forge: Office, tmp_path: Path) -> None:
    with machine_for(forge, tmp_path, lambda machine, run: reported(machine, run, is_fixed=False)):
        verdict = not_proven(ask(forge))
    assert verdict.outcome is VerdictOutcome.INCOMPLETE


def test_a_run_that_reached_no_device_still_names_its_image(forge: Office, tmp_path: Path) -> None:
    image = f"widget/spring@sha256:{'5' * 64}"
    with machine_for(forge, tmp_path, lambda machine, run: reported(machine, run, image=image, problem="no device")):
        verdict = not_proven(ask(forge))
    assert (verdict.outcome, verdict.candidate.image) == (VerdictOutcome.INCONCLUSIVE, image)
    assert f"It ran in the image {image}." in verdict.notes


DEVICES = """prove:
  runner: github-actions
  actions: {labels: [mi300], poll_seconds: 0.05, queue_minutes: 1, run_minutes: 1}
  devices: [{name: gfx942}, {name: gfx950, labels: [mi35x]}]
"""


def on_its_device(machine: Machine, run: int, *, after: int = 2, is_fixed: bool = True) -> None:
    """Report the device that was asked for, but not before so many runs were dispatched."""
    while len(machine.fake_github.runs(REPOSITORY)) < after:
        assert not machine.stop.wait(0.05), "the other run was not dispatched meanwhile"
    asked = machine.fake_github.start_run(REPOSITORY, run)["device"]
    device = Device(kind="rocm", name=f"Example {asked}", arch=asked)
    reported(machine, run, image=f"a/b@sha256:{asked}", device=device, is_fixed=is_fixed)


def ask_on_both(forge: Office) -> TargetOutcome:
    config = parse_config(f"repository: {REPOSITORY}\n{DEVICES}")
    (result,) = replace(forge, context=with_pick(forge.context, config=config)).say(ASK)
    return result


def test_several_devices_are_proven_side_by_side_each_on_its_runner(forge: Office, tmp_path: Path) -> None:
    with machine_for(forge, tmp_path, on_its_device, on_its_device) as machine:
        result = ask_on_both(forge)
    assert isinstance(result, Opened), result
    assert {given["device"]: given["labels"] for given in machine.inputs} == {
        "gfx942": '["mi300"]',
        "gfx950": '["mi35x"]',
    }
    assert len({given["candidate"] for given in machine.inputs}) == 1
    assert not [name for name in forge.branches() if "candidates" in name]
    (pull,) = forge.backports()
    assert not pull.draft
    rows = [line for line in pull.body.splitlines() if line.startswith("| `gfx9")]
    assert [row.split(" | ")[3:6] for row in rows] == [
        ["1 of 1 failed", "0 of 1 failed", f"`a/b@sha256:{arch}`"] for arch in ("gfx942", "gfx950")
    ]
    assert all("[proven](" in row for row in rows), "each links the run that it comes from"


def test_one_device_that_is_not_proven_keeps_the_pull_request_closed(forge: Office, tmp_path: Path) -> None:
    def unfixed(machine: Machine, run: int) -> None:
        on_its_device(machine, run, is_fixed=False)

    with machine_for(forge, tmp_path, on_its_device, unfixed):
        verdict = not_proven(ask_on_both(forge))
    assert verdict.outcome is VerdictOutcome.INCOMPLETE
    assert [entry.outcome for entry in verdict.devices] == [VerdictOutcome.PROVEN, VerdictOutcome.INCOMPLETE]
    assert "The proof on each device" in forge.answers()[-1]


def test_an_error_on_one_device_cancels_its_run_and_no_other(forge: Office, tmp_path: Path) -> None:
    def refused(machine: Machine, run: int) -> None:
        machine.fake_github.fail_next("GET", f"/actions/runs/{run}$", 403)
        machine.take(run)

    with machine_for(forge, tmp_path, refused, on_its_device):
        verdict = not_proven(ask_on_both(forge))
    assert [entry.outcome for entry in verdict.devices] == [VerdictOutcome.INCONCLUSIVE, VerdictOutcome.PROVEN]
    first, second = (
        forge.people["mia"].get_repo(REPOSITORY).get_workflow_run(run) for run in forge.fake_github.runs(REPOSITORY)
    )
    assert (first.conclusion, second.conclusion) == ("cancelled", "success")


def test_a_run_on_another_device_than_its_own_counts_for_none(forge: Office, tmp_path: Path) -> None:
    def elsewhere(machine: Machine, run: int) -> None:
        reported(machine, run, device=Device(kind="rocm", name="Example", arch="gfx942"))

    with machine_for(forge, tmp_path, elsewhere, elsewhere):
        verdict = not_proven(ask_on_both(forge))
    assert [entry.outcome for entry in verdict.devices] == [VerdictOutcome.PROVEN, VerdictOutcome.INCONCLUSIVE]
    assert "This says nothing about gfx950" in verdict.reason


@pytest.mark.parametrize(
    ("ending", "limits", "text"),
    [
        (staying_in_the_queue, {"queue": 0.01}, "still in the queue after 0.01 min"),
        (never_ending, {"run": 0.01}, "still running after 0.01 min"),
    ],
    ids=["queue", "run"],
)
def test_queue_and_run_have_time_limits_of_their_own(
    forge: Office, tmp_path: Path, ending: Ending, limits: dict[str, float], text: str
) -> None:
    with machine_for(forge, tmp_path, ending):
        verdict = not_proven(ask(forge, **limits))
    assert text in verdict.reason
    (run,) = forge.fake_github.runs(REPOSITORY)
    code = forge.people["mia"].get_repo(REPOSITORY).get_workflow_run(run)
    assert code.conclusion == "cancelled"


def test_a_cancelled_request_cancels_its_run(forge: Office, tmp_path: Path) -> None:
    base, fixed_sha = forge.branches()["release/1.2"], git(forge.git_dir, "rev-parse", "pull-7^{commit}")
    forge.context.mirror.fetch([base, fixed_sha])
    config = parse_config(f"repository: {REPOSITORY}\n" + PROVE.format(queue=1, run=1))
    context = with_pick(forge.context, config=config, stop_when=lambda: True)
    request = ProofRequest(branch="release/1.2", base_commit=Sha(base), commit=Sha(fixed_sha), patch="widget-7")
    verdict = actions_runner(context).prove(request)
    assert verdict.outcome is VerdictOutcome.INCONCLUSIVE
    assert "as the request was" in verdict.reason
    (run,) = forge.fake_github.runs(REPOSITORY)
    assert forge.people["mia"].get_repo(REPOSITORY).get_workflow_run(run).conclusion == "cancelled"
    assert not [name for name in forge.branches() if "candidates" in name]


def test_a_dispatch_whose_answer_is_lost_makes_one_run(forge: Office, tmp_path: Path) -> None:
    forge.fake_github.fail_next("POST", "/dispatches$", 502, after_effect=True)
    with machine_for(forge, tmp_path, reported):
        assert isinstance(ask(forge), Opened)
    assert len(forge.fake_github.runs(REPOSITORY)) == 1


def test_the_documented_workflow_passes_on_what_the_called_one_takes() -> None:
    assert CALLER is not None
    caller, callee = yaml.safe_load(CALLER[1]), yaml.safe_load(WORKFLOW.read_text())
    # YAML takes the key `on` for a truth value.
    dispatched, callee_inputs = caller[True]["workflow_dispatch"]["inputs"], callee[True]["workflow_call"]["inputs"]
    inputs = caller["jobs"]["prove"]["with"]
    assert inputs == {name: f"${{{{ inputs.{name} }}}}" for name in dispatched if name != "correlation"}
    assert inputs.keys() == callee_inputs.keys() - {"extras"}


def test_the_workflow_that_runs_the_code_holds_nothing() -> None:
    workflow = yaml.safe_load(WORKFLOW.read_text())
    (job,) = workflow["jobs"].values()
    assert workflow["permissions"] == {}
    assert job["permissions"] == {"contents": "read"}
    assert "secrets." not in WORKFLOW.read_text()
    for step in job["steps"]:
        assert "${{" not in step.get("run", ""), "an input that a shell reads is a command"
        if "checkout" in step.get("uses", ""):
            assert step["with"]["persist-credentials"] is False

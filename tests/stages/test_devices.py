"""Separate jobs for several devices: a job for each target and device, whose verdicts the last stage puts together."""

from __future__ import annotations

import json
import platform
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from bot.errors import RunFolderError
from bot.handlers import ci_jobs, ci_outputs
from bot.models import NotProven, Opened, VerdictOutcome
from tests.pipeline.office import REPOSITORY
from tests.stages.pipeline import PATCHES, Pipeline

ARCH = platform.machine()
SAYS_ITS_DEVICE = f"""
import pytest

@pytest.fixture(scope="session", autouse=True)
def device(record_testsuite_property):
    for key, value in {{"kind": "cpu", "name": "CPU", "arch": {ARCH!r}}}.items():
        record_testsuite_property(f"device.{{key}}", value)
"""
ASK = "/backport release/1.2"


@pytest.fixture
def two(pipeline: Pipeline) -> tuple[Pipeline, str]:
    """The pipeline up to the seal, for two devices that this machine has: by its kind, and by its architecture."""
    patches = pipeline.directory / "patches"
    shutil.copytree(PATCHES, patches)
    (patches / "widget-7" / "suite" / "conftest.py").write_text(SAYS_ITS_DEVICE)
    devices = f"[{{name: cpu, labels: [small]}}, {{name: {ARCH}, device: cpu}}]"
    text = f"repository: {REPOSITORY}\npatches: [{patches}]\nprove: {{devices: {devices}}}\n"
    (pipeline.directory / "backport.yaml").write_text(text)
    pipeline.plan(pipeline.event(ASK))
    pipeline.pick()
    return pipeline, pipeline.seal()


def test_each_target_has_a_job_for_each_device_on_its_runner(two: tuple[Pipeline, str]) -> None:
    pipeline, _ = two
    _, proofs = ci_jobs.run_seal(pipeline.folder)
    common = {"id": "1", "branch": "release/1.2", "original": 7, "extras": "suite"}
    assert ci_outputs.proof_matrix(proofs) == [
        {**common, "proof": "1-cpu", "device": "cpu", "runner": ["small"]},
        {**common, "proof": f"1-{ARCH}", "device": ARCH},
    ]


def test_the_verdicts_of_all_devices_open_the_pull_request(two: tuple[Pipeline, str]) -> None:
    pipeline, seal = two
    assert set(pipeline.prove()) == {"1-cpu", f"1-{ARCH}"}
    assert pipeline.folder.path("evidence/1-cpu/verdict.json").exists()
    (result,) = pipeline.publish(seal)
    assert isinstance(result, Opened), result
    (pull,) = pipeline.office.backports()
    rows = [line for line in pull.body.splitlines() if line.startswith(("| `cpu`", f"| `{ARCH}`"))]
    assert len(rows) == 2
    assert all("proven" in row for row in rows)


def test_a_device_whose_job_died_keeps_it_closed(two: tuple[Pipeline, str]) -> None:
    pipeline, seal = two
    verdicts = ci_jobs.run_prove(pipeline.folder, (), device="cpu", seal=seal, progress=lambda _: None)
    pipeline.proven |= verdicts.keys()
    assert set(verdicts) == {"1-cpu"}
    (result,) = pipeline.publish(seal)
    assert isinstance(result, NotProven)
    assert result.verdict.outcome is VerdictOutcome.INCONCLUSIVE
    assert result.verdict.reason.startswith(f"{ARCH}: The proof left no verdict")
    assert [entry.outcome for entry in result.verdict.devices] == [VerdictOutcome.PROVEN, VerdictOutcome.INCONCLUSIVE]


def test_a_device_s_job_speaks_of_no_other_device(two: tuple[Pipeline, str]) -> None:
    """The second device's job died; the first one's leaves a verdict in its name, and claims to speak for both."""
    pipeline, seal = two
    ci_jobs.run_prove(pipeline.folder, (), device="cpu", seal=seal, progress=lambda _: None)
    pipeline.proven.add("1-cpu")
    verdict = json.loads(pipeline.folder.path("prove/1-cpu.json").read_text())
    verdict["verdict"]["devices"] = [
        {"name": name, "outcome": "proven", "reason": "trust me"} for name in ("cpu", ARCH)
    ]
    text = json.dumps(verdict)
    for name in ("1-cpu", f"1-{ARCH}", "1"):
        pipeline.folder.path(f"prove/{name}.json").write_text(text)
    (result,) = pipeline.publish(seal)
    assert isinstance(result, NotProven)
    assert [entry.outcome for entry in result.verdict.devices] == [VerdictOutcome.PROVEN, VerdictOutcome.INCONCLUSIVE]


def test_a_verdict_from_another_device_counts_for_none(two: tuple[Pipeline, str]) -> None:
    pipeline, seal = two
    pipeline.prove()
    file = pipeline.folder.path(f"prove/1-{ARCH}.json")
    file.write_text(file.read_text().replace(f'"{ARCH}"', '"another"'))
    (result,) = pipeline.publish(seal)
    assert isinstance(result, NotProven)
    assert f"This says nothing about {ARCH}" in result.verdict.reason


def test_a_device_that_is_not_configured_is_refused(two: tuple[Pipeline, str], pipeline: Pipeline) -> None:
    with pytest.raises(RunFolderError, match="has no device gfx942"):
        ci_jobs.run_prove(pipeline.folder, (), device="gfx942", progress=lambda _: None)


def test_torch_is_asked_for_only_where_a_carried_patch_is_proven_without_an_image(pipeline: Pipeline) -> None:
    """#9 has no carried patch, and an image brings what a suite needs."""
    for number, prove, extras in ((9, "{}", "tests"), (7, "{}", "suite"), (7, "{containers: [{image: a/b}]}", "tests")):
        patches = Path(__file__).parents[1] / "pipeline/patches"
        text = f"repository: {REPOSITORY}\npatches: [{patches}]\nprove: {prove}\n"
        run = replace(pipeline, run_folder=pipeline.directory / f"run-{number}-{extras}")
        pipeline.directory.mkdir(exist_ok=True)
        (pipeline.directory / "backport.yaml").write_text(text)
        run.plan(run.event(ASK, on=number))
        run.pick()
        _, proofs = ci_jobs.run_seal(run.folder)
        assert [proof.extras for proof in proofs] == [extras]


def test_without_devices_a_proof_is_called_as_its_target(pipeline: Pipeline, tmp_path: Path) -> None:
    pipeline.plan(pipeline.event(ASK))
    pipeline.pick()
    _, proofs = ci_jobs.run_seal(pipeline.folder)
    common = {"id": "1", "branch": "release/1.2", "original": 7}
    assert ci_outputs.proof_matrix(proofs) == [{**common, "proof": "1", "extras": "suite"}]
    with pytest.raises(RunFolderError, match="has no device cpu"):
        ci_jobs.run_prove(pipeline.folder, (), device="cpu", progress=lambda _: None)

"""Suites in a container, through a runtime that is a program of our own: it runs what it is told and keeps a record.

What the stand-in cannot show is that a real runtime puts up the walls. `test_real_container.py` does, if it finds one.
"""

from __future__ import annotations

import csv
import json
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from bot.models import Suite, VerdictOutcome
from bot.proof import gpu_devices, prove
from bot.proof.container import container_command
from bot.proof.isolated_command import GIB, IsolationSettings, Launch

RUNTIME = f"""#!{sys.executable}
import json, os, pathlib, subprocess, sys

log = pathlib.Path(__file__).with_name("log.jsonl")
words = sys.argv[1:]
if words[0] == "run" and "--name" not in words:  # whether the image has pytest
    sys.exit(0)
with log.open("a") as file:
    file.write(json.dumps({{"words": words, "environment": sorted(os.environ)}}) + "\\n")
if words[0] == "rm":
    sys.exit(0)
if words[:2] == ["image", "inspect"]:
    print(json.dumps([{{"Id": "sha256:" + "4" * 64}}]))
    sys.exit(0)
values = {{"--name", "--workdir", "--network", "--user", "--cap-drop", "--security-opt", "--tmpfs", "--pids-limit",
          "--ulimit", "--memory", "--mount", "--env", "--entrypoint", "--gpus", "--device", "--group-add", "--ipc",
          "--shm-size"}}
options, place = [], 1
while words[place].startswith("--"):
    step = 2 if words[place] in values else 1
    options.append(words[place : place + step])
    place += step
given = lambda name: [option[1] for option in options if option[0] == name]
environment = dict(value.split("=", 1) for value in given("--env"))
program = {sys.executable!r} if given("--entrypoint") == ["python3"] else given("--entrypoint")[0]
done = subprocess.run([program, *words[place + 1 :]], cwd=given("--workdir")[0],
                      env={{"PATH": os.environ["PATH"], **environment}})
sys.exit(done.returncode if done.returncode >= 0 else 128 - done.returncode)
"""


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put the stand-in first on the path and a token into our environment; returns the folder it writes its log to."""
    home = tmp_path / "bin"
    home.mkdir()
    (home / "docker").write_text(RUNTIME, encoding="utf-8")
    (home / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", str(home), prepend=":")
    monkeypatch.setenv("BACKPORT_BOT_TOKEN", "ghs_0123456789abcdef")
    return home


def calls(runtime: Path) -> list[dict[str, list[str]]]:
    return [json.loads(line) for line in (runtime / "log.jsonl").read_text().splitlines()]


def prove_in_container(tmp_path: Path, test: str) -> VerdictOutcome:
    for name, text in (("base", "1"), ("candidate", "2"), ("suite", "")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "size").write_text(text)
    (tmp_path / "suite" / "test_it.py").write_text(test)
    suite = Suite(name="it", directory=tmp_path / "suite", timeout=60)
    isolation = IsolationSettings(image="widget/spring@sha256:" + "0" * 64)
    return prove(tmp_path / "base", tmp_path / "candidate", suite, device="cpu", isolation=isolation).outcome


_SIZE = """
import os, pathlib

def test_it():
    assert pathlib.Path(os.environ["SUITE_TARGET"], "size").read_text() == "2"
"""


def test_both_runs_go_through_the_configured_image(tmp_path: Path, runtime: Path) -> None:
    assert prove_in_container(tmp_path, _SIZE) is VerdictOutcome.PROVEN
    runs = [call["words"] for call in calls(runtime) if call["words"][0] == "run"]
    assert len(runs) == 2
    assert all("widget/spring@sha256:" + "0" * 64 in words for words in runs)


def test_a_container_gets_no_network_no_capability_and_no_token(tmp_path: Path, runtime: Path) -> None:
    prove_in_container(tmp_path, _SIZE)
    for call in calls(runtime):
        assert "BACKPORT_BOT_TOKEN" not in call["environment"]
        assert "ghs_" not in " ".join(call["words"])
    words = calls(runtime)[0]["words"]
    pairs = list(pairwise(words))
    assert {("--network", "none"), ("--cap-drop", "ALL"), ("--security-opt", "no-new-privileges")} <= set(pairs)
    assert "--read-only" in words


def test_the_trees_and_the_suite_are_mounted_read_only(tmp_path: Path, runtime: Path) -> None:
    prove_in_container(tmp_path, _SIZE)
    words = [call["words"] for call in calls(runtime) if call["words"][0] == "run"]
    mounts = {value for run in words for option, value in pairwise(run) if option == "--mount"}
    for folder in ("base", "candidate"):
        assert f"type=bind,source={tmp_path / folder},target={tmp_path / folder},readonly" in mounts
    assert any("/backport-suite-files-" in mount and mount.endswith("/0,readonly") for mount in mounts)


def test_each_container_is_removed_by_its_name(tmp_path: Path, runtime: Path) -> None:
    prove_in_container(tmp_path, _SIZE)
    words = [call["words"] for call in calls(runtime)]
    container_names = {word[word.index("--name") + 1] for word in words if word[0] == "run"}
    assert {word[-1] for word in words if word[0] == "rm"} == container_names
    assert len(container_names) == 2


def test_a_runtime_that_is_not_there_allows_no_verdict(tmp_path: Path) -> None:
    suite = Suite(name="it", directory=tmp_path, timeout=60)
    isolation = IsolationSettings(image="widget/spring", runtime="no-such-runtime")
    verdict = prove(tmp_path, tmp_path, suite, device="cpu", isolation=isolation)
    assert verdict.outcome is VerdictOutcome.INCONCLUSIVE
    assert "it could not be started (exit code 127): no-such-runtime cannot be started" in verdict.reason


def words_for(tmp_path: Path, isolation: IsolationSettings, *, device: str = "cpu", **variables: str) -> list[str]:
    launch = Launch(command=["true"], directory=tmp_path, environment=variables, device=device, readable=[tmp_path])
    return container_command(launch, isolation, "name")


def options_of(words: list[str], name: str) -> list[str]:
    return [value for option, value in pairwise(words) if option == name]


@pytest.fixture
def pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A node with four GPUs of which this pod owns two, and the groups by which the nodes can be opened."""
    devices, topology = tmp_path / "dri", tmp_path / "topology"
    devices.mkdir()
    (tmp_path / "kfd").touch()
    for number, minor in enumerate((130, 128, 131, 129), start=1):  # ROCr's order is not the nodes' order
        (devices / f"renderD{minor}").touch()
        (topology / str(number)).mkdir(parents=True)
        properties = f"simd_count 304\ndrm_render_minor {minor}\nunique_id {minor}\n"
        (topology / str(number) / "properties").write_text(properties)
    (topology / "0").mkdir()
    (topology / "0" / "properties").write_text("cpu_cores_count 96\nsimd_count 0\n")
    for name, path in (("KFD", "kfd"), ("RENDER_FOLDER", "dri"), ("TOPOLOGY", "topology"), ("POD_DEVICES", "podinfo")):
        monkeypatch.setattr(gpu_devices, name, tmp_path / path)
    for name in gpu_devices.SELECTIONS:
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def nodes_of(words: list[str]) -> list[str]:
    return [Path(node).name for node in options_of(words, "--device")]


def test_a_container_gets_this_pod_s_gpus_alone(pod: Path) -> None:
    (pod / "podinfo").write_text(f"--device {pod}/dri/renderD129 --device={pod}/dri/renderD131\n")
    words = words_for(pod, IsolationSettings(image="widget"), device="rocm")
    assert nodes_of(words) == ["kfd", "renderD129", "renderD131"]


@pytest.mark.parametrize(
    ("value", "nodes"),
    [("0", ["renderD130"]), ("3,1", ["renderD129", "renderD128"]), ("GPU-0000000000000083", ["renderD131"]), ("", [])],
)
def test_a_container_gets_the_selected_gpus_alone(
    pod: Path, monkeypatch: pytest.MonkeyPatch, value: str, nodes: list[str]
) -> None:
    monkeypatch.setenv("ROCR_VISIBLE_DEVICES", value)
    words = words_for(pod, IsolationSettings(image="widget"), device="rocm", ROCR_VISIBLE_DEVICES=value, OTHER="1")
    assert nodes_of(words) == ["kfd", *nodes]
    assert options_of(words, "--env") == ["OTHER=1"], "inside, the numbers begin at 0 again"


@pytest.mark.parametrize("text", ["", "\n", "--privileged"])
def test_a_pod_that_names_no_devices_has_those_that_it_sees(pod: Path, text: str) -> None:
    (pod / "podinfo").write_text(text)
    words = words_for(pod, IsolationSettings(image="widget"), device="auto")
    assert nodes_of(words) == ["kfd", "renderD128", "renderD129", "renderD130", "renderD131"]


def test_the_groups_are_those_of_the_nodes_by_number(pod: Path) -> None:
    words = words_for(pod, IsolationSettings(image="widget"), device="rocm")
    assert options_of(words, "--group-add") == [str((pod / "kfd").stat().st_gid)]


def test_a_path_with_a_colon_or_a_comma_is_one_path(tmp_path: Path) -> None:
    folder = tmp_path / "a:b,c"
    folder.mkdir()
    (mount,) = options_of(words_for(folder, IsolationSettings(image="widget")), "--mount")
    assert next(csv.reader([mount])) == ["type=bind", f"source={folder}", f"target={folder}", "readonly"]


def test_a_site_s_options_volumes_and_shared_memory_come_besides(tmp_path: Path) -> None:
    isolation = IsolationSettings(
        image="widget",
        container_options=("--security-opt=seccomp=unconfined",),
        volumes=((tmp_path, Path("/models")),),
        shared_memory=32 * GIB,
    )
    words = words_for(tmp_path, isolation)
    assert words.index("--security-opt=seccomp=unconfined") < words.index("widget")
    assert options_of(words, "--shm-size") == [str(32 * GIB)]
    assert f"type=bind,source={tmp_path},target=/models,readonly" in options_of(words, "--mount")
    assert ("--cap-drop", "ALL") in set(pairwise(words)), "what confines the process stays"


def test_a_container_with_a_network_does_not_get_the_machine_s(tmp_path: Path) -> None:
    launch = Launch(command=["true"], directory=tmp_path, environment={}, device="cpu")
    assert "--network" not in container_command(launch, IsolationSettings(image="widget", network=True), "name")

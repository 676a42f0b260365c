"""Suites in a container, through a runtime that is a program of our own: it runs what it is told and keeps a record.

There is no container runtime to be had in a test; what the stand-in cannot show is that a real one puts up the walls.
"""

from __future__ import annotations

import json
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from bot.models import Suite, VerdictOutcome
from bot.proof import prove
from bot.proof.container import container_command
from bot.proof.isolation import IsolationSettings, Launch

RUNTIME = f"""#!{sys.executable}
import json, os, pathlib, subprocess, sys

log = pathlib.Path(__file__).with_name("log.jsonl")
words = sys.argv[1:]
with log.open("a") as file:
    file.write(json.dumps({{"words": words, "environment": sorted(os.environ)}}) + "\\n")
if words[0] == "rm":
    sys.exit(0)
values = {{"--name", "--workdir", "--network", "--user", "--cap-drop", "--security-opt", "--tmpfs", "--pids-limit",
          "--ulimit", "--memory", "--volume", "--env", "--entrypoint", "--gpus", "--device", "--group-add", "--ipc"}}
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
    volumes = {value for each in words for option, value in pairwise(each) if option == "--volume"}
    for folder in ("base", "candidate", "suite"):
        assert f"{tmp_path / folder}:{tmp_path / folder}:ro" in volumes


def test_each_container_is_removed_by_its_name(tmp_path: Path, runtime: Path) -> None:
    prove_in_container(tmp_path, _SIZE)
    words = [call["words"] for call in calls(runtime)]
    started = {each[each.index("--name") + 1] for each in words if each[0] == "run"}
    assert {each[-1] for each in words if each[0] == "rm"} == started
    assert len(started) == 2


def test_a_runtime_that_is_not_there_allows_no_verdict(tmp_path: Path) -> None:
    suite = Suite(name="it", directory=tmp_path, timeout=60)
    isolation = IsolationSettings(image="widget/spring", runtime="no-such-runtime")
    verdict = prove(tmp_path, tmp_path, suite, device="cpu", isolation=isolation)
    assert verdict.outcome is VerdictOutcome.INCONCLUSIVE
    assert "it could not be started (exit code 127): no-such-runtime cannot be started" in verdict.reason


def test_a_container_with_a_network_does_not_get_the_machine_s(tmp_path: Path) -> None:
    launch = Launch(command=["true"], directory=tmp_path, environment={}, device="cpu")
    assert "--network" not in container_command(launch, IsolationSettings(image="widget", network=True), "name")

"""The examples of deploy/ and the container file fit the program, each other, and the tools that read them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from bot.cli import app
from bot.environment import credentials
from bot.server.worker import Worker

ROOT = Path(__file__).parents[1]
CONTAINERFILE = (ROOT / "Containerfile").read_text(encoding="utf-8")
UNIT = (ROOT / "deploy/backport-bot.service").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text(encoding="utf-8"))
KUBERNETES = list(yaml.safe_load_all((ROOT / "deploy/kubernetes.yaml").read_text(encoding="utf-8")))
GRACE = Worker("", (), {}, lambda: None).grace


def kubernetes(kind: str) -> Any:
    (spec,) = [document["spec"] for document in KUBERNETES if document["kind"] == kind]
    return spec


def parsed(words: list[str]) -> dict[str, Any]:
    """Return what the command line reads in these words; nothing is run."""
    name, *arguments = words
    command = typer.main.get_group(app).commands[name]
    return command.make_context(name, arguments).params


def test_all_of_them_serve_and_listen_where_they_are_asked() -> None:
    pod = kubernetes("StatefulSet")["template"]["spec"]
    (container,) = pod["containers"]
    (unit_command,) = re.findall(r"^ExecStart=\S+/backport-bot (.*)", UNIT, re.MULTILINE)
    (image_command,) = re.findall(r"^CMD (.*)", CONTAINERFILE, re.MULTILINE)
    (port,) = re.findall(r"^EXPOSE (\d+)", CONTAINERFILE, re.MULTILINE)
    for words in (container["args"], unit_command.split(), json.loads(image_command)):
        assert words[0] == "serve"
        assert parsed(words)["port"] == int(port)
    assert parsed(container["args"])["host"] == parsed(json.loads(image_command))["host"] == "0.0.0.0"  # noqa: S104
    assert [entry["containerPort"] for entry in container["ports"]] == [int(port)]
    assert COMPOSE["services"]["bot"]["ports"] == [f"127.0.0.1:{port}:{port}"]
    paths = {container[probe]["httpGet"]["path"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")}
    (monitored,) = kubernetes("ServiceMonitor")["endpoints"]
    routes = (ROOT / "bot/server/operation.py").read_text(encoding="utf-8")
    assert all(f'Route("{path}"' in routes for path in {*paths, monitored["path"], "/healthz"})
    assert f"http://127.0.0.1:{port}/healthz" in CONTAINERFILE


def test_what_selects_pods_selects_these() -> None:
    labels = kubernetes("StatefulSet")["template"]["metadata"]["labels"]
    selectors = [
        kubernetes("StatefulSet")["selector"]["matchLabels"],
        kubernetes("Service")["selector"],
        kubernetes("PodDisruptionBudget")["selector"]["matchLabels"],
    ]
    assert all(selector == labels for selector in selectors)
    (service,) = [document["metadata"] for document in KUBERNETES if document["kind"] == "Service"]
    assert kubernetes("ServiceMonitor")["selector"]["matchLabels"] == service["labels"]


def test_no_secret_stands_in_a_command_and_each_has_its_name() -> None:
    names = set(re.findall(r"BACKPORT_BOT_\w+", "".join(map(str, [COMPOSE, KUBERNETES]))))
    assert names <= set(credentials.SECRETS)
    assert "--database" not in json.dumps([COMPOSE, KUBERNETES])


def test_they_leave_the_service_the_time_that_it_takes_to_end() -> None:
    pod = kubernetes("StatefulSet")["template"]["spec"]
    pause = int(pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][1])
    (unit_seconds,) = re.findall(r"^TimeoutStopSec=(\d+)", UNIT, re.MULTILINE)
    assert pod["terminationGracePeriodSeconds"] >= pause + GRACE + 20
    assert int(unit_seconds) >= GRACE + 20 + 60, "its own PostgreSQL gets a minute"
    assert COMPOSE["services"]["bot"]["stop_grace_period"] == "1m"


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not on this machine")
    unit = tmp_path / "backport-bot.service"
    unit.write_text(UNIT.replace("/opt/backport-bot/bin/backport-bot", shutil.which("true") or ""), encoding="utf-8")
    checked = subprocess.run([program, "verify", unit], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")

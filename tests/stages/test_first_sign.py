"""What happens in a plan job before its person sees that the comment was read, and what the job imports at all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.pipeline.office import BOT, REPOSITORY
from tests.stages.pipeline import Pipeline

FIRST = {"typer", "github", "markdown_it"}
"""Packages that the plan needs to read its event and to react: the command line, GitHub, a comment's Markdown."""
LATER = {
    "pydantic",
    "yaml",
    "jinja2",
    "ast_grep_py",
    "rich",
    "bot.config",
    "bot.pipeline",
    "bot.pick",
    "bot.report",
}
NEVER = {
    "torch",
    "triton",
    "numpy",
    "black",
    "pytest",
    "starlette",
    "uvicorn",
    "graphql",
    "bot.fake_github",
    "bot.server",
}
LIST = "import json, sys; print(json.dumps(sorted(sys.modules)))"


def _modules(script: str, *arguments: str, environment: dict[str, str] | None = None) -> set[str]:
    """Run a script in a process of its own; return the modules that it listed at last."""
    command = [sys.executable, "-c", script, *arguments]
    process = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    return set(json.loads(process.stdout.splitlines()[-1]))


def test_little_is_imported_before_the_first_sign() -> None:
    modules = _modules(f"import bot.cli.stage\n{LIST}")
    assert modules >= FIRST
    assert not modules & (LATER | NEVER)


@dataclass(frozen=True)
class PlanRun:
    """A run of `stage plan` as a process of its own: what it imported, and what it asked of GitHub's API."""

    modules: set[str]
    requests: list[tuple[str, str]]


@pytest.fixture
def plan_run(pipeline: Pipeline, tmp_path: Path) -> PlanRun:
    """Run `stage plan` for a comment."""
    office = pipeline.office
    event = tmp_path / "event.json"
    body = "/backport release/1.2"
    comment = office.issue(7).create_comment(body)
    event.write_text(json.dumps(pipeline.payload(comment.id, body, on=7, author="mia")))
    script = f"import atexit, sys\nfrom bot.cli import app\napp(sys.argv[1:], standalone_mode=False)\n{LIST}"
    options: dict[str, object] = {
        "run": tmp_path / "run",
        "event": event,
        "config": pipeline.directory / "backport.yaml",
    }
    options |= {
        "data": tmp_path / "data",
        "api-url": office.fake_github.api_url,
        "login": BOT,
        "repository": REPOSITORY,
    }
    arguments = [f"--{name}={value}" for name, value in options.items()]
    environment = {**os.environ, "BACKPORT_BOT_TOKEN": pipeline.token}
    before = len(office.fake_github.requests())
    modules = _modules(script, "stage", "plan", *arguments, environment=environment)
    requests = office.fake_github.requests()[before:]
    return PlanRun(
        modules, [(request.method, request.path) for request in requests if request.path.startswith("/api/")]
    )


def test_a_plan_imports_no_heavy_package_that_it_does_not_use(plan_run: PlanRun, pipeline: Pipeline) -> None:
    assert len(pipeline.office.answers()) == 1
    assert not plan_run.modules & NEVER


def test_the_sign_comes_first_and_once(plan_run: PlanRun, pipeline: Pipeline) -> None:
    repository, sign, *others = plan_run.requests
    assert repository == ("GET", f"/api/v3/repos/{REPOSITORY}")
    assert sign[1].endswith("/reactions")
    assert not [path for _, path in others if path.endswith("/reactions")]
    assert pipeline.office.reactions() == ["eyes"]

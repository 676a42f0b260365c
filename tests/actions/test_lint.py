"""The workflows and the action are clean by both linters at their strictest, and the README's example is clean, too."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from bot import MAJOR_TAG
from tests.actions.runner import ROOT, dispatching_caller, readme_caller, tool

pytestmark = pytest.mark.actions
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """Return a repository with the README's workflow."""
    file = tmp_path / ".github/workflows/backport.yml"
    file.parent.mkdir(parents=True)
    file.write_text(readme_caller().replace(f"@{MAJOR_TAG}", f"@{'0' * 40}"), encoding="utf-8")
    return tmp_path


def _zizmor(place: Path, persona: str = "auditor") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [tool("zizmor"), "--offline", f"--persona={persona}", "--strict-collection", "--no-progress", str(place)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_zizmor_finds_nothing_at_its_strictest() -> None:
    result = _zizmor(ROOT / ".github")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "No findings to report" in result.stdout


def test_zizmor_finds_nothing_in_the_readmes_example(example: Path) -> None:
    # Beyond this it asks for a comment behind each permission, and the file is to be short.
    result = _zizmor(example / ".github", "regular")
    assert result.returncode == 0, result.stdout + result.stderr


def test_zizmor_would_find_something(example: Path) -> None:
    file = example / ".github/workflows/backport.yml"
    file.write_text(file.read_text().replace("permissions: {}", "permissions: write-all"))
    assert _zizmor(example / ".github").returncode != 0


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_actionlint_finds_nothing(workflow: Path) -> None:
    result = subprocess.run([tool("actionlint"), str(workflow)], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_actionlint_finds_nothing_in_the_readmes_example(example: Path) -> None:
    file = example / ".github/workflows/backport.yml"
    result = subprocess.run([tool("actionlint"), str(file)], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_every_action_is_pinned_by_a_commit(workflow: Path) -> None:
    used = re.findall(r"uses: (\S+)", workflow.read_text(encoding="utf-8"))
    assert used
    assert all(re.fullmatch(r"\$/\S+|[\w./-]+@[0-9a-f]{40}", action) for action in used)


def test_the_backport_workflow_checks_nothing_out_and_gives_the_proof_nothing() -> None:
    texts = [(ROOT / f".github/workflows/{name}.yml").read_text("utf-8") for name in ("backport", "backport-round")]
    calling, callee = ({**yaml.safe_load(text)["jobs"]} for text in texts)
    rounds = {calling.pop("first")["uses"], calling.pop("second")["uses"]}
    assert rounds == {"$/.github/workflows/backport-round.yml"}
    jobs = calling | callee
    assert not any("actions/checkout" in text for text in texts)
    assert jobs["prove"]["permissions"] == {}
    assert "secrets" not in str(jobs["prove"])
    assert "token" not in str(jobs["prove"])
    assert {name for name, job in jobs.items() if "write" in str(job["permissions"])} == {"plan", "publish"}
    assert not any("${{" in step.get("run", "") for job in jobs.values() for step in job["steps"])


def _proof_caller() -> str:
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/ci.md").read_text(encoding="utf-8"), re.DOTALL)
    (caller,) = [block for block in blocks if "/.github/workflows/regression.yml@" in block]
    return str(caller)


@pytest.mark.parametrize(
    ("caller", "persona"),
    [(_proof_caller(), "auditor"), (dispatching_caller(), "regular")],
    ids=["proofs", "by hand"],
)
def test_both_find_nothing_in_the_documented_workflows(example: Path, caller: str, persona: str) -> None:
    file = example / ".github/workflows/backport.yml"
    file.write_text(caller.replace(f"@{MAJOR_TAG}", f"@{'0' * 40}"), encoding="utf-8")
    linted = subprocess.run([tool("actionlint"), str(file)], capture_output=True, text=True, check=False)
    assert linted.returncode == 0, linted.stdout + linted.stderr
    result = _zizmor(example / ".github", persona)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_outputs_of_the_last_round_that_ran_are_those_of_the_workflow() -> None:
    whole, per_round = (
        yaml.safe_load((ROOT / f".github/workflows/{name}.yml").read_text()) for name in ("backport", "backport-round")
    )
    for name in ("results", "created"):
        sources = [f"jobs.{job}.outputs.{name}" for job in ("second", "first", "plan")]
        # YAML 1.1 reads `on` as true.
        assert whole[True]["workflow_call"]["outputs"][name]["value"] == f"${{{{ {' || '.join(sources)} }}}}"
        assert whole["jobs"]["plan"]["outputs"][name] == f"${{{{ steps.plan.outputs.{name} }}}}"
        assert per_round["jobs"]["publish"]["outputs"][name] == f"${{{{ steps.publish.outputs.{name} }}}}"

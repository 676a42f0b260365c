"""Where a command takes its configuration from if no option names a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli import app
from bot.environment.credentials import TOKEN
from tests.pipeline.conftest import history, office
from tests.pipeline.landing import write
from tests.pipeline.office import BOT, REPOSITORY, Office, git

__all__ = ["history", "office"]

CONFIG = f"repository: {REPOSITORY}\nbranches: [release/1.2]\n"


@pytest.fixture
def clone(office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person's clone, which the command runs in."""
    git(tmp_path, "clone", "--quiet", str(office.git_dir), "clone")
    git(tmp_path / "clone", "config", "remote.origin.url", office.fake_github.clone_url(REPOSITORY))
    monkeypatch.chdir(tmp_path / "clone")
    return tmp_path / "clone"


def preflight(office: Office, *options: object) -> Result:
    """Run a command that needs a repository; its branches show which configuration was read."""
    arguments = ["preflight", "--pr", "7", "--no-check-run", "--json", "--api-url", office.fake_github.api_url]
    environment = {TOKEN: office.fake_github.add_token(BOT)}
    return CliRunner().invoke(app, [*arguments, *map(str, options)], env=environment)


def branches(result: Result) -> list[str]:
    assert result.exit_code == 0, result.output
    return [forecast["branch"] for forecast in json.loads(result.stdout)]


def test_the_default_branch_of_the_clones_repository_counts_and_its_commit_is_named(
    office: Office, clone: Path
) -> None:
    commit = write(office, "main", {"backport.yaml": CONFIG}, "Configure", onto="main")
    (clone / "backport.yaml").write_text(f"repository: {REPOSITORY}\nbranches: [release/1.0]\n")
    result = preflight(office)
    assert branches(result) == ["release/1.2"]
    assert f"Configuration: backport.yaml on `main` of {REPOSITORY} at {commit[:12]}." in result.stderr
    assert result.stderr.count("Configuration:") == 1
    assert branches(preflight(office, "--config", "backport.yaml")) == ["release/1.0"]


def test_without_a_file_upstream_every_key_has_its_default(office: Office, clone: Path) -> None:
    result = preflight(office)
    assert branches(result) == ["release/1.2", "release/1.1", "release/1.0"]
    assert f"`main` of {REPOSITORY} at {office.branches()['main'][:12]} has no backport.yaml" in result.stderr


def test_outside_of_a_clone_the_environment_names_the_repository(
    office: Office, clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(office, "main", {"backport.yaml": CONFIG}, "Configure", onto="main")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    result = preflight(office)
    assert result.exit_code != 0
    assert "nothing else names the repository" in str(result.exception)
    monkeypatch.setenv("GITHUB_REPOSITORY", REPOSITORY)
    assert branches(preflight(office)) == ["release/1.2"]


def test_a_file_that_is_no_clones_or_of_another_repository_is_read_as_it_is(
    office: Office, clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that a service is started in, and a repository that holds the configuration of another one."""
    write(office, "main", {"backport.yaml": CONFIG}, "Configure", onto="main")
    git(clone, "config", "remote.origin.url", office.fake_github.clone_url("acme/operations"))
    (clone / "backport.yaml").write_text(f"repository: {REPOSITORY}\nbranches: [release/1.1]\n")
    result = preflight(office)
    assert branches(result) == ["release/1.1"]
    assert "Configuration: backport.yaml." in result.stderr


def test_carried_patches_come_from_the_same_commit(office: Office, clone: Path) -> None:
    """#7 is carried by a patch that only the default branch has, and that gives its own reason."""
    patch = Path(__file__).parents[1] / "pipeline/patches/widget-7"
    files = {
        f"carried/widget-7/{path.relative_to(patch)}": path.read_text() for path in patch.rglob("*.*") if path.is_file()
    }
    config = f"repository: {REPOSITORY}\nbranches: [release/1.0]\n"
    write(office, "main", {"backport.yaml": config}, "Configure", onto="main")
    (before,) = json.loads(preflight(office).stdout)
    write(office, "main", {"backport.yaml": f"{config}patches: [carried]\n", **files}, "Carry", onto="main")
    (after,) = json.loads(preflight(office).stdout)
    assert (before["outlook"], after["reason"]) == ("not-affected", "There is no ring yet.")
    assert before["reason"] != after["reason"]


def test_a_file_upstream_that_cannot_be_used_says_where(office: Office, clone: Path) -> None:
    write(office, "main", {"backport.yaml": f"repository: {REPOSITORY}\nbranch: x\n"}, "Configure", onto="main")
    result = preflight(office)
    assert "backport.yaml, line 2: `branch`" in str(result.exception)

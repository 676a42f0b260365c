"""What the documents name is there: modules, tests, packages in their order, and the commands of make."""

from __future__ import annotations

import re
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest

from bot import MAJOR_TAG, REPOSITORY
from bot.adoption.workflow_file import render_workflow

ROOT = Path(__file__).parents[2]
NAMES = re.findall(r"`([^`\n]+)`", (ROOT / "docs/security.md").read_text(encoding="utf-8"))


def test_every_path_that_the_threat_table_names_is_there() -> None:
    paths = [name for name in NAMES if name.startswith(("bot/", "tests/", "patches/", "requirements/"))]
    assert len(paths) > 40
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_every_test_that_the_threat_table_names_is_there() -> None:
    sources = "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "tests").rglob("test_*.py"))
    functions = [name for name in NAMES if name.startswith("test_")]
    assert len(functions) > 15
    assert [name for name in functions if f"def {name}" not in sources] == []


DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob(".github/workflows/*.yml")])


def test_each_document_names_the_bot_by_its_address_and_its_major_tag() -> None:
    """If it moves: `REPOSITORY` in bot/__init__.py, `project.urls` in pyproject.toml, and what this test names."""
    called = re.compile(r"uses: ([\w.-]+/[\w.-]+)/\.github/workflows/[\w-]+\.yml@(\S+)")
    used = [call for document in DOCUMENTS for call in called.findall(document.read_text(encoding="utf-8"))]
    assert len(used) >= 3
    assert set(used) == {(REPOSITORY, MAJOR_TAG)}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert all(url.startswith(f"https://github.com/{REPOSITORY}") for url in project["urls"].values())
    assert f"--repo {REPOSITORY}`" in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_the_readme_has_the_workflow_that_init_writes() -> None:
    assert f"```yaml\n{render_workflow()}```" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("document", ["docs/architecture.md", "CONTRIBUTING.md"])
def test_every_module_that_contributors_are_sent_to_is_there(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    paths = set(re.findall(r"`((?:[\w.-]+/)+[\w.-]*)`", text)) - {"docs/measurements.md"}
    own = {path for path in paths if re.search("my_strategy|ping|PROJECT|^suite/|^release/", path)}
    assert len(paths - own) >= 10
    assert [path for path in paths - own if not any((ROOT / base / path).exists() for base in (".", "bot"))] == []


def test_the_table_of_packages_has_every_package() -> None:
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    rows = text[text.index("| package | holds |") : text.index("## One comment")]
    first = "".join(line.split("|")[1] for line in rows.splitlines() if line.startswith("| `"))
    packages = {path.parent.name for path in (ROOT / "bot").glob("*/__init__.py")}
    assert set(re.findall(r"`(\w+)`", first)) == packages | {"errors"}


def test_the_picture_of_packages_points_down_as_the_contract_does() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    layers = [layer.replace(" ", "").split("|") for layer in contracts[0]["layers"]]
    height = {name: -index for index, layer in enumerate(layers) for name in layer} | {"fake_github": -100}
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    picture = text[text.index("flowchart TB") : text.index("| package | holds |")]
    for line in (line.strip() for line in picture.splitlines() if "-->" in line):
        steps = [part.replace(" ", "").split("&") for part in line.split("-->")]
        for above, below in pairwise(steps):
            assert min(height[name] for name in above) > max(height[name] for name in below), line

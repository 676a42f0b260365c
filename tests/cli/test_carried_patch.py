"""`apply` and `prove` with companions, and `prove` without a carried patch, as a person types them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli import app
from bot.errors import ConfigError

BACKEND = "sglang/srt/layers/attention/aiter_backend.py"


def type_in(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def tree(release_tree: Callable[[str], Path], tmp_path: Path) -> Path:
    """The part of a release that the carried patches change."""
    for name in (BACKEND, "sglang/__init__.py", "sglang/srt/model_executor/cuda_graph_runner.py"):
        (tmp_path / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(release_tree("0.5.10") / name, tmp_path / "tree" / name)
    return tmp_path / "tree"


def test_apply_brings_the_companions_only_when_asked(tree: Path) -> None:
    patch_result = type_in("apply", tree, "--patch", "sglang-24587", "--diff")
    companion_result = type_in("apply", tree, "--patch", "sglang-24587", "--diff", "--with-companions")
    assert (patch_result.exit_code, companion_result.exit_code) == (0, 0)
    assert "num_draft_tokens or 0" not in patch_result.output
    assert "num_draft_tokens or 0" in companion_result.output


def test_applying_with_companions_twice_is_the_same_as_once(tree: Path) -> None:
    first = type_in("apply", tree, "--patch", "sglang-24587", "--with-companions")
    written = (tree / BACKEND).read_bytes()
    assert [line.partition(":")[0] for line in first.output.splitlines() if ": changed" in line] == [
        "sglang-24587",
        "sglang-22598",
        "sglang-27485",
        "sglang-25556",
    ]
    second = type_in("apply", tree, "--patch", "sglang-24587", "--with-companions")
    assert second.exit_code == 0
    assert (tree / BACKEND).read_bytes() == written


def test_prove_needs_a_patch_or_a_tree_with_the_fix(tmp_path: Path) -> None:
    result = type_in("prove", tmp_path)
    assert isinstance(result.exception, ConfigError)
    assert "`--candidate TREE2`" in result.exception.hint


@pytest.mark.parametrize(("value", "code"), [(2, 0), (1, 1)], ids=["fixed", "not fixed"])
def test_the_tests_of_the_other_tree_prove_it_where_no_patch_is_named(tmp_path: Path, value: int, code: int) -> None:
    for name, size in (("base", 1), ("candidate", value)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "widget.py").write_text(f"def size():\n    return {size}\n")
    test = "from widget import size\n\n\ndef test_size():\n    assert size() == 2\n"
    (tmp_path / "candidate" / "test_size.py").write_text(test)
    result = type_in("prove", tmp_path / "base", "--candidate", tmp_path / "candidate", "--device", "cpu", "--json")
    assert result.exit_code == code
    assert json.loads(result.stdout)["verdict"] == ("proven" if code == 0 else "incomplete")


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A configuration that names a folder with a carried patch of its own, for a project with a ring."""
    shutil.copytree(Path(__file__).parents[1] / "pipeline/patches", tmp_path / "patches")
    (tmp_path / "backport.yaml").write_text("repository: acme/widget\npatches: [patches]\n")
    (tmp_path / "tree/widget").mkdir(parents=True)
    (tmp_path / "tree/widget/__init__.py").write_text("")
    ring = "class Ring:\n    def allocate(self, slots, width):\n        self.entries = bytearray(slots)\n"
    (tmp_path / "tree/widget/ring.py").write_text(ring)
    return tmp_path


def test_check_and_apply_know_the_patches_that_a_configuration_names(own: Path) -> None:
    config = ("--patch", "widget-7", "--config", own / "backport.yaml")
    assert type_in("check", own / "tree", *config).output.startswith("widget-7: affected")
    assert type_in("apply", own / "tree", *config).exit_code == 0
    assert "slots * width" in (own / "tree/widget/ring.py").read_text()
    assert type_in("check", own / "tree", *config).output.startswith("widget-7: fixed")
    without = type_in("check", own / "tree", "--patch", "widget-7")
    assert isinstance(without.exception, ConfigError)


def test_a_folder_that_is_a_carried_patch_itself_is_named(own: Path) -> None:
    (own / "backport.yaml").write_text("repository: acme/widget\npatches: [patches/widget-7]\n")
    result = type_in("check", own / "tree", "--patch", "widget-7", "--config", own / "backport.yaml")
    assert isinstance(result.exception, ConfigError)
    assert "Name the folder above it" in result.exception.hint


def test_prove_takes_one_of_the_configured_devices_by_its_name(tmp_path: Path) -> None:
    for name, size in (("base", 1), ("candidate", 2)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "widget.py").write_text(f"SIZE = {size}\n")
    (tmp_path / "candidate" / "test_it.py").write_text("import widget\ndef test_it():\n    assert widget.SIZE == 2\n")
    config = tmp_path / "backport.yaml"
    config.write_text("repository: a/b\nprove: {devices: [{name: gfx942}, {name: cpu}]}\n")
    words = ("prove", tmp_path / "base", "--candidate", tmp_path / "candidate", "--config", config, "--json")
    assert json.loads(type_in(*words, "--device", "cpu").stdout)["verdict"] == "proven"
    verdict = json.loads(type_in(*words).stdout)
    assert verdict["verdict"] == "inconclusive"
    assert [(entry["name"], entry["verdict"]) for entry in verdict["devices"]] == [
        ("gfx942", "inconclusive"),
        ("cpu", "proven"),
    ]
    refusal = type_in(*words, "--device", "gfx943")
    assert isinstance(refusal.exception, ConfigError)
    assert "`gfx942`" in refusal.exception.hint

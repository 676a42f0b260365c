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
def tree(released: Callable[[str], Path], tmp_path: Path) -> Path:
    """The part of a release that the carried patches change."""
    for name in (BACKEND, "sglang/__init__.py", "sglang/srt/model_executor/cuda_graph_runner.py"):
        (tmp_path / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(released("0.5.10") / name, tmp_path / "tree" / name)
    return tmp_path / "tree"


def test_apply_brings_the_companions_only_when_asked(tree: Path) -> None:
    alone = type_in("apply", tree, "--patch", "sglang-24587", "--diff")
    together = type_in("apply", tree, "--patch", "sglang-24587", "--diff", "--with-companions")
    assert (alone.exit_code, together.exit_code) == (0, 0)
    assert "num_draft_tokens or 0" not in alone.output
    assert "num_draft_tokens or 0" in together.output


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
    told = type_in("prove", tmp_path)
    assert isinstance(told.exception, ConfigError)
    assert "`--candidate TREE2`" in told.exception.hint


@pytest.mark.parametrize(("value", "code"), [(2, 0), (1, 1)], ids=["fixed", "not fixed"])
def test_the_tests_of_the_other_tree_prove_it_where_no_patch_is_named(tmp_path: Path, value: int, code: int) -> None:
    for name, size in (("base", 1), ("candidate", value)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "widget.py").write_text(f"def size():\n    return {size}\n")
    test = "from widget import size\n\n\ndef test_size():\n    assert size() == 2\n"
    (tmp_path / "candidate" / "test_size.py").write_text(test)
    done = type_in("prove", tmp_path / "base", "--candidate", tmp_path / "candidate", "--device", "cpu", "--json")
    assert done.exit_code == code
    assert json.loads(done.stdout)["verdict"] == ("proven" if code == 0 else "incomplete")

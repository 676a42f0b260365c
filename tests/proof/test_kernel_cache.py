"""Whose compiled kernels a run finds, and that nothing else comes to it by that way."""

from __future__ import annotations

import os
import textwrap
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bot.carried.load import load_patches
from bot.models import CommandSuite, Sha, Suite, Verdict
from bot.proof import kernel_cache, prove, prove_suite
from bot.proof.change import Change
from bot.proof.kernel_cache import drop_old_kernels, look_through
from bot.proof.prove_trees import prove_trees
from bot.proof.run_order import RunOrder

PATCHES = Path(__file__).parents[1] / "pipeline" / "patches"
SECRET = "the bot's token"
COMMITS = Sha("a" * 40), Sha("b" * 40)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "secret"
    file.write_text(SECRET)
    return file


def prove_with(tmp_path: Path, test: str, *, is_own: bool = False) -> Verdict:
    """Prove with a test of one file: a carried patch's suite, or tests that the change brings."""
    for name in ("base", "candidate", "suite"):
        (tmp_path / name).mkdir()
    folder = tmp_path / ("candidate" if is_own else "suite")
    (folder / "test_it.py").write_text(textwrap.dedent(test), encoding="utf-8")
    command = ("{python}", "-m", "pytest", "--junitxml={junit}", "test_it.py")
    suite = CommandSuite(name="own", command=command, overlay=("test_it.py",)) if is_own else None
    return prove(
        tmp_path / "base",
        tmp_path / "candidate",
        suite or Suite(name="it", directory=tmp_path / "suite", timeout=60),
        device="cpu",
        kernels=tmp_path / "kernels",
    )


PLANT = """
    import os, pathlib
    KERNELS, TREE = pathlib.Path(os.environ["TRITON_CACHE_DIR"]), os.environ.get("SUITE_TARGET", os.getcwd())

    def test_it():
        files = [each for each in KERNELS.rglob("*") if each.is_file()]
        seen = [f"{{each}}: {{each.read_text(errors='replace')[:500]}}" for each in files]
        assert not seen, "LOOT " + " ".join(seen)
        (KERNELS / "deep").mkdir(exist_ok=True)
        for place in (KERNELS / "link", KERNELS / "deep/link"):
            place.symlink_to({target!r})
        os.mkfifo(KERNELS / "pipe")
"""


@pytest.mark.parametrize("is_own", [True, False], ids=["own tests", "a carried patch's suite"])
@pytest.mark.parametrize("target", ["/proc/self/environ", "/dev/zero", "a secret"])
def test_a_link_among_the_kernels_gives_the_candidate_run_nothing(
    tmp_path: Path, secret: Path, monkeypatch: pytest.MonkeyPatch, target: str, is_own: bool
) -> None:
    monkeypatch.setattr(prove_suite, "choose_order", lambda *_: RunOrder.AFTER)
    planted = PLANT.format(target=str(secret) if target == "a secret" else target)
    verdict = prove_with(tmp_path, planted, is_own=is_own)
    cases = [case for run in (verdict.base, verdict.candidate) for case in run.cases]
    assert cases
    assert not any("LOOT" in case.message for case in cases)
    assert not (tmp_path / "kernels").exists() or list((tmp_path / "kernels").iterdir()) == []


def _link(kept: Path, secret: Path) -> None:
    (kept / "x").symlink_to(secret)


def _hard_link(kept: Path, secret: Path) -> None:
    os.link(secret, kept / "x")


def _pipe(kept: Path, secret: Path) -> None:
    os.mkfifo(kept / "x")


def _sparse(kept: Path, secret: Path) -> None:
    with (kept / "x").open("wb") as file:
        file.truncate(kernel_cache.BOUNDS.size + 1)


def _link_itself(kept: Path, secret: Path) -> None:
    kept.rmdir()
    kept.symlink_to(secret.parent)


@pytest.mark.parametrize("plant", [_link, _hard_link, _pipe, _sparse, _link_itself])
def test_kept_kernels_that_are_not_plain_files_all_go(
    tmp_path: Path, secret: Path, plant: Callable[[Path, Path], None]
) -> None:
    kept_text = tmp_path / "kept"
    kept_text.mkdir()
    plant(kept_text, secret)
    look_through(kept_text)
    assert kept_text.is_dir()
    assert not kept_text.is_symlink()
    assert list(kept_text.iterdir()) == []
    assert secret.read_text() == SECRET


def test_kept_kernels_that_are_plain_files_stay(tmp_path: Path) -> None:
    (tmp_path / "kept/hash").mkdir(parents=True)
    (tmp_path / "kept/hash/kernel.so").touch()
    look_through(tmp_path / "kept")
    assert (tmp_path / "kept/hash/kernel.so").exists()


def test_old_kernels_go_and_so_do_links(tmp_path: Path, secret: Path) -> None:
    root = tmp_path / "kernels"
    for name, days in (("a" * 40, 31), ("b" * 40, 29), ("OLDHASH", 31), ("NEWHASH", 1)):
        (root / name).mkdir(parents=True)
        next_text = time.time() - days * 24 * 3600
        os.utime(root / name, (next_text, next_text))
    (root / ("c" * 40)).symlink_to(tmp_path)
    os.mkfifo(root / "pipe")
    drop_old_kernels(root)
    drop_old_kernels(tmp_path / "not there")
    assert {each.name for each in root.iterdir()} == {"b" * 40, "NEWHASH"}
    assert secret.read_text() == SECRET


KEEP = """
    import os, pathlib
    KERNELS = pathlib.Path(os.environ["TRITON_CACHE_DIR"])

    def test_it():
        found = sorted(each.name for each in KERNELS.iterdir())
        (KERNELS / "kernel.so").touch()
        raise AssertionError(f"found {found}")
"""


def test_a_proof_finds_the_kernels_of_its_own_base_commit_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKPORT_BOT_CACHE", str(tmp_path / "cache"))
    for name in ("base", "candidate"):
        (tmp_path / name).mkdir()
    (tmp_path / "suite").mkdir()
    (tmp_path / "suite/test_it.py").write_text(textwrap.dedent(KEEP), encoding="utf-8")
    patch = load_patches([PATCHES])["widget-7"]
    patch = replace(patch, suite=replace(patch.suite, directory=tmp_path / "suite"))

    def found(commit: Sha | None) -> str:
        verdict = prove_trees(
            Change(tmp_path / "base", tmp_path / "candidate", patch, patches={patch.name: patch}, kernels_of=commit),
            device="cpu",
        )
        return verdict.base.cases[0].message

    one, other = COMMITS
    assert "found []" in found(one)
    assert "found ['kernel.so']" in found(one)
    assert "found []" in found(other)
    assert "found []" in found(None)
    assert "found []" in found(None)

"""`apply` on released sglang: what it writes, what it leaves alone, and what it says when it cannot."""

from __future__ import annotations

import ast
import difflib
import os
import stat
import subprocess
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from bot.carried.apply import Applied, StepFailure, apply, render_diff, write
from bot.carried.load import CarriedPatch
from bot.carried.source_tree import DirectoryTree
from bot.errors import BackportError
from bot.models import Affectedness

pytestmark = pytest.mark.long

Backend = Callable[[str], Any]

_BACKEND = "sglang/srt/layers/attention/aiter_backend.py"
_CHAIN = ("sglang-22598", "sglang-24587", "sglang-27485", "sglang-25556")


def _applied(tree: Any, patch: CarriedPatch) -> Applied:
    outcome = apply(tree, patch)
    assert isinstance(outcome, Applied), str(outcome)
    return outcome


def _class(text: str, name: str) -> str:
    owner = next(n for n in ast.parse(text).body if isinstance(n, ast.ClassDef) and n.name == name)
    return ast.get_source_segment(text, owner) or ""


@pytest.fixture(scope="module")
def fix_applied(backend: Backend, patches: Mapping[str, CarriedPatch]) -> Callable[[str], Applied]:
    """Apply the fix to a release's whole file, once for each release."""
    return cache(lambda version: _applied(backend(version).tree, patches["sglang-24587"]))


@pytest.mark.parametrize(("version", "readers"), [("0.5.10", 2), ("0.5.11", 2), ("0.5.12", 4)])
def test_the_fix_lands_black_clean_and_only_where_it_is_named(
    version: str, readers: int, backend: Backend, fix_applied: Callable[[str], Applied]
) -> None:
    before, outcome = backend(version), fix_applied(version)
    after = type(before)(outcome.changes[_BACKEND].decode())
    assert (outcome.before.status, outcome.after.status) == (Affectedness.AFFECTED, Affectedness.FIXED)
    assert list(outcome.changes) == [_BACKEND]
    assert after.black().text == after.text
    changes = difflib.SequenceMatcher(None, before.text.splitlines(), after.text.splitlines()).get_opcodes()
    hunks = [change for change in changes if change[0] != "equal"]
    # A comment, the size, the page table, and one line for each place that reads by the page.
    assert [hunk[0] for hunk in hunks] == ["insert", "replace", "insert", *["replace"] * readers]
    assert _class(after.text, "AiterMultiStepDraftBackend") == _class(before.text, "AiterMultiStepDraftBackend")


def test_verification_keeps_its_cut_to_the_batch(fix_applied: Callable[[str], Applied]) -> None:
    text = fix_applied("0.5.12").changes[_BACKEND].decode()
    assert text.count("self.cuda_graph_page_table[:bs]") == 2


@pytest.mark.parametrize("version", ["0.5.10", "0.5.11", "0.5.12"])
def test_all_companions_land_one_after_another_and_then_have_nothing_to_do(
    version: str, backend: Backend, patches: Mapping[str, CarriedPatch]
) -> None:
    source = backend(version)
    runner = "sglang/srt/model_executor/cuda_graph_runner.py"
    padded = "def get_batch_sizes_to_capture(runner):\n    limit = runner.req_to_token_pool.size\n"
    padded += "    limit = limit + 7\n    return [n for n in (1, 2) if n <= limit]\n"
    tree = source.tree.changed({runner: padded.encode()})
    for name in _CHAIN:
        tree = tree.changed(_applied(tree, patches[name]).changes)
    after = type(source)(tree.files[_BACKEND].decode())
    assert after.black().text == after.text
    for name in _CHAIN:
        second_result = _applied(tree, patches[name])
        assert (second_result.before.status, second_result.changes) == (Affectedness.FIXED, {}), name


@pytest.mark.parametrize("drift", ["renamed", "without_comments", "unparsed"])
def test_a_drifted_branch_is_fixed_too_and_stays_formatted(
    drift: str, narrow: Any, patches: Mapping[str, CarriedPatch]
) -> None:
    before = getattr(narrow, drift)().black()
    after = type(before)(_applied(before.tree, patches["sglang-24587"]).changes[_BACKEND].decode())
    assert after.black().text == after.text


@pytest.mark.parametrize(
    "size",
    [
        "max_bs * triton.cdiv(self.max_context_len, self.page_size)",
        "(max_bs * max_num_blocks_per_seq,)",
        "(-(-self.max_context_len // self.page_size) * max_bs,)",
        "int(max_bs * max_num_blocks_per_seq)",
        "size=(max_bs * max_num_blocks_per_seq)",
    ],
)
def test_any_spelling_of_the_size_is_rewritten(size: str, narrow: Any, patches: Mapping[str, CarriedPatch]) -> None:
    _applied(narrow.size(size).tree, patches["sglang-24587"])


def test_a_buffer_made_in_a_local_is_rewritten(narrow: Any, patches: Mapping[str, CarriedPatch]) -> None:
    size = "max_bs * max_num_blocks_per_seq"
    code = f"fresh = torch.zeros({size}, dtype=torch.int32, device=self.device)\nself.cuda_graph_kv_indices = fresh"
    _applied(narrow.allocation(code).tree, patches["sglang-24587"])


def test_line_ends_foreign_letters_and_a_missing_last_newline_survive(
    narrow: Any, patches: Mapping[str, CarriedPatch]
) -> None:
    plain = narrow
    text = ("# né à Zürich 東京\n" + plain.text).rstrip("\n").replace("\n", "\r\n")
    tree = type(plain)(text).tree
    after = _applied(tree, patches["sglang-24587"]).changes[_BACKEND].decode()
    assert after.count("\n") == after.count("\r\n")
    assert not after.endswith("\n")
    assert after.startswith("# né à Zürich 東京\r\n")
    # What is not rewritten is what it was: the same hunks as on the plain file, and no other.
    expected = _applied(plain.tree, patches["sglang-24587"]).changes[_BACKEND].decode()
    assert after.replace("\r\n", "\n") == "# né à Zürich 東京\n" + expected.rstrip("\n")


def test_a_byte_order_mark_and_another_encoding_survive(narrow: Any, patches: Mapping[str, CarriedPatch]) -> None:
    source = narrow
    ascii_only = source.text.encode("ascii", "replace").decode()
    latin = f"# -*- coding: latin-1 -*-\n# Zürich\n{ascii_only}".encode("latin-1")
    for data in (b"\xef\xbb\xbf" + source.text.encode(), latin):
        after = _applied(source.tree.changed({_BACKEND: data}), patches["sglang-24587"]).changes[_BACKEND]
        assert after[:40] == data[:40]


@pytest.mark.parametrize("version", ["0.5.9", "0.5.13", "0.5.23"])
def test_a_tree_that_does_not_need_it_is_left_alone(
    version: str, backend: Backend, patches: Mapping[str, CarriedPatch]
) -> None:
    assert _applied(backend(version).tree, patches["sglang-24587"]).changes == {}


def test_a_step_that_finds_too_little_names_step_file_expected_and_found(
    narrow: Any, patches: Mapping[str, CarriedPatch]
) -> None:
    code = "self.cuda_graph_kv_indices = torch.zeros(max_bs)"
    code = f"if self.use_mla:\n    {code}\nelse:\n    {code}"
    result = apply(narrow.allocation(code).tree, patches["sglang-24587"])
    assert isinstance(result, StepFailure)
    assert (result.step, result.file, result.expected) == ("size-per-token", _BACKEND, "exactly 1 to rewrite")
    assert result.found.startswith("2 places (line ")
    assert "nothing was changed" in str(result)


def test_an_unknown_tree_is_not_touched(narrow: Any, patches: Mapping[str, CarriedPatch]) -> None:
    result = apply(narrow.size("max_bs * self.max_context_len").tree, patches["sglang-24587"])
    assert isinstance(result, StepFailure)
    assert (result.step, result.expected) == ("detect", "an affected tree")
    assert result.found.startswith("unknown: ")


def test_a_rewrite_that_does_not_fix_is_not_handed_out(narrow: Any, patches: Mapping[str, CarriedPatch]) -> None:
    result = apply(narrow.size("max_bs").tree, patches["sglang-24587"])
    assert isinstance(result, StepFailure)
    assert result.step == "ensure"
    assert result.found.startswith("affected: ")


def test_a_patch_that_needs_another_first_says_so(backend: Backend, patches: Mapping[str, CarriedPatch]) -> None:
    result = apply(backend("0.5.12").tree, patches["sglang-27485"])
    assert isinstance(result, StepFailure)
    assert "apply sglang-24587 first" in result.expected


def test_the_diff_is_one_that_git_applies(
    tmp_path: Path, release_tree: Callable[[str], Path], patches: Mapping[str, CarriedPatch]
) -> None:
    source = DirectoryTree(release_tree("0.5.11"))
    outcome = _applied(source, patches["sglang-24587"])
    target = tmp_path / _BACKEND
    target.parent.mkdir(parents=True)
    target.write_bytes(source.read(_BACKEND) or b"")
    diff = render_diff(source, outcome.changes)
    subprocess.run(["git", "apply", "-"], input=diff.encode(), cwd=tmp_path, check=True)
    assert target.read_bytes() == outcome.changes[_BACKEND]
    compile(target.read_bytes(), _BACKEND, "exec")


def test_a_diff_of_a_file_without_a_last_newline_is_marked(patches: Mapping[str, CarriedPatch], tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1")
    diff = render_diff(DirectoryTree(tmp_path), {"a.py": b"x = 2"})
    subprocess.run(["git", "apply", "-"], input=diff.encode(), cwd=tmp_path, check=True)
    assert (tmp_path / "a.py").read_bytes() == b"x = 2"


def test_writing_replaces_whole_files_and_keeps_their_mode(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("old")
    (tmp_path / "a.py").chmod(0o750)
    write({"a.py": b"new"}, tmp_path)
    assert (tmp_path / "a.py").read_bytes() == b"new"
    assert stat.S_IMODE((tmp_path / "a.py").stat().st_mode) == 0o750
    assert [path.name for path in tmp_path.iterdir()] == ["a.py"]


def test_a_write_that_fails_half_way_leaves_the_directory_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.py", "b.py"):
        (tmp_path / name).write_text(f"old {name}")
    real = Path.replace

    def fail_on_b(self: Path, target: Path) -> Path:
        if target.name == "b.py":
            raise OSError(28, "No space left on device")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", fail_on_b)
    with pytest.raises(OSError, match="No space left"):
        write({"a.py": b"new", "b.py": b"new"}, tmp_path)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.py": "old a.py", "b.py": "old b.py"}


@pytest.mark.parametrize("place", ["widget/ring.py", "widget"])
def test_nothing_is_written_through_a_link_wherever_it_leads(tmp_path: Path, place: str) -> None:
    tree, other_folder = tmp_path / "tree", tmp_path / "tree/other"
    (tree / "widget").mkdir(parents=True)
    other_folder.mkdir()
    (other_folder / "ring.py").write_text("old")
    (tree / "widget").rmdir() if place == "widget" else None
    (tree / place).symlink_to(other_folder if place == "widget" else other_folder / "ring.py")
    with pytest.raises(BackportError, match=f"{place} is a link") as refused:
        write({"widget/ring.py": b"new"}, tree)
    assert refused.value.hint
    assert (other_folder / "ring.py").read_text() == "old"
    assert (tree / place).is_symlink()


def test_a_link_that_waits_for_the_new_file_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("kept")
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/a.py").write_text("old")
    (tmp_path / f"tree/.a.py.{os.getpid()}.new").symlink_to(tmp_path / "secret")
    write({"a.py": b"new"}, tmp_path / "tree")
    assert (tmp_path / "secret").read_text() == "kept"
    assert {path.name: path.read_text() for path in (tmp_path / "tree").iterdir()} == {"a.py": "new"}

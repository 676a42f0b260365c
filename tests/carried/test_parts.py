"""The rules of the patches about single parts hold however the target is written: other lines, quotes and brackets."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import black
import pytest

from bot.carried.apply import Applied, apply
from bot.carried.detect import check
from bot.carried.load import CarriedPatch
from bot.models import Affectedness
from tests.carried.conftest import MemoryTree

BROKEN_AND_FIXED = {
    "sglang-24762": ("0.5.12", "0.5.13"),
    "sglang-27188": ("0.5.12", "0.5.13"),
    "sglang-27338": ("0.5.12", "0.5.13"),
    "sglang-28237": ("0.5.14", "0.5.15"),
    "sglang-28337": ("0.5.13", "0.5.14"),
}
KEPT = {
    "sglang-24762": {"TritonAttnBackend", "__init__", "is_gfx942_supported", "is_gfx95_supported"},
    "sglang-27188": {"AiterAttnBackend", "__init__"},
    "sglang-27338": {
        "FlashInferMultiStepDraftBackend",
        "common_template",
        "init_cuda_graph_state",
        "draft_kv_indices_buffer_width",
    },
    "sglang-28237": {"TopKConfig", "_remap_topk_for_deepep", "remap_topk_for_per_rank_shared_slots"},
    "sglang-28337": {
        "TboCudaGraphRunnerPlugin",
        "__init__",
        "capture_one_batch_size",
        "TboForwardBatchPreparer",
        "compute_tbo_children_num_token_non_padded_raw",
    },
}
"""What of a file the rules of a patch read: the rest is left out, because formatting it takes seconds."""
WRITINGS: Mapping[str, Callable[[str], str]] = {
    "unparsed": lambda text: ast.unparse(ast.parse(text)) + "\n",
    "60-columns": lambda text: black.format_str(text, mode=black.Mode(line_length=60)),
    "200-columns": lambda text: black.format_str(text, mode=black.Mode(line_length=200)),
}


def narrow(text: str, kept: set[str]) -> str:
    """Leave out the definitions that have other names."""
    lines = text.splitlines(keepends=True)
    for node in _others(ast.parse(text).body, kept):
        first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
        lines[first - 1 : node.end_lineno] = [""] * ((node.end_lineno or 0) - first + 1)
    return "".join(lines)


def _others(body: list[ast.stmt], kept: set[str]) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    for node in body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if node.name not in kept:
            yield node
        elif isinstance(node, ast.ClassDef) and node.name != "TopKConfig":
            yield from _others(node.body, kept)


@pytest.fixture(scope="module")
def written(release_tree: Callable[[str], Path], patches: Mapping[str, CarriedPatch]) -> Callable[..., MemoryTree]:
    """Make a tree of a patch's files in a release, cut to what its rules read, and written in one of the ways."""

    def make(name: str, version: str, writing: Callable[[str], str]) -> MemoryTree:
        files = {file.path: release_tree(version) / file.path for file in patches[name].file.target.files.values()}
        texts = {path: narrow(file.read_text("utf-8"), KEPT[name]) for path, file in files.items() if file.exists()}
        return MemoryTree({"sglang/__init__.py": b""} | {path: writing(text).encode() for path, text in texts.items()})

    return make


@pytest.mark.parametrize("writing", WRITINGS.values(), ids=WRITINGS)
@pytest.mark.parametrize("name", KEPT)
def test_another_writing_gets_the_same_answer(
    name: str,
    writing: Callable[[str], str],
    written: Callable[..., MemoryTree],
    patches: Mapping[str, CarriedPatch],
) -> None:
    broken, fixed = BROKEN_AND_FIXED[name]
    assert check(written(name, broken, writing), patches[name]).status is Affectedness.AFFECTED
    assert check(written(name, fixed, writing), patches[name]).status is Affectedness.FIXED


@pytest.mark.parametrize("writing", WRITINGS.values(), ids=WRITINGS)
@pytest.mark.parametrize("name", KEPT)
def test_the_fix_is_applied_to_another_writing(
    name: str,
    writing: Callable[[str], str],
    written: Callable[..., MemoryTree],
    patches: Mapping[str, CarriedPatch],
) -> None:
    """It ends by checking that the tree is fixed."""
    outcome = apply(written(name, BROKEN_AND_FIXED[name][0], writing), patches[name])
    assert isinstance(outcome, Applied), str(outcome)
    assert outcome.changes

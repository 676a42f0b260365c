"""The aiter suite against real sglang releases: it fails where the fault is, passes where it is not, and is not fooled.

Each wrong fix is the carried patch's own, with one thing changed; each harmless one computes the same in other words.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from bot.carried.load import CarriedPatch
from bot.gate import judge
from bot.gate.judge import matches
from bot.gate.suite import run_suite
from bot.model import CaseOutcome, Suite, SuiteRun, VerdictOutcome

releases = pytest.mark.xdist_group("sglang-24587-releases")
variants = pytest.mark.xdist_group("sglang-24587-variants")
pytestmark = pytest.mark.timeout(900)

BACKEND = "sglang/srt/layers/attention/aiter_backend.py"
SIZE = "max_bs * max_num_blocks_per_seq * self.page_size"
TABLE = "self.use_triton_unified_attention:\n            # Unified attention"
BLOCKS = "(self.max_context_len + self.page_size - 1) // self.page_size"
WIDTH = f"{BLOCKS},\n                ),\n                dtype=torch.int32"

Release = Callable[[str], Path]
Patched = Callable[..., Path]


@pytest.fixture(scope="module")
def patch(shipped: Mapping[str, CarriedPatch]) -> CarriedPatch:
    """The carried patch that the suite belongs to."""
    return shipped["sglang-24587"]


@pytest.fixture(scope="module")
def run(patch: CarriedPatch) -> Callable[[Path], SuiteRun]:
    """Run the whole suite on a tree, once for each tree."""
    runs: dict[Path, SuiteRun] = {}

    def once(tree: Path) -> SuiteRun:
        if tree not in runs:
            runs[tree] = run_suite(tree, patch.suite, name=tree.name, device="cpu")
        return runs[tree]

    return once


def undeclared(run: SuiteRun, suite: Suite) -> set[str]:
    """Name the cases that fail and are not declared to."""
    failed = {case.name for case in run.cases if case.outcome is CaseOutcome.FAILED}
    return {name for name in failed if not any(matches(known.cases, name) for known in suite.known_failures)}


@releases
@pytest.mark.parametrize("version", ["0.5.13", "0.5.23"])
def test_a_fixed_release_fails_what_is_declared_and_nothing_else(
    version: str, released: Release, patch: CarriedPatch, run: Callable[[Path], SuiteRun]
) -> None:
    ended = run(released(version))
    assert ended.problem == ""
    assert ended.count(CaseOutcome.ERROR) == 0
    assert undeclared(ended, patch.suite) == set()
    assert ended.count(CaseOutcome.PASSED) > 150
    assert ended.count(CaseOutcome.FAILED) == 5


@releases
@pytest.mark.parametrize("version", ["0.5.10", "0.5.12"])
def test_the_carried_patch_is_proven_on_a_broken_release(
    version: str,
    released: Release,
    patched: Patched,
    patch: CarriedPatch,
    run: Callable[[Path], SuiteRun],
    tmp_path: Path,
) -> None:
    base, candidate = run(released(version)), run(patched(released(version), tmp_path / "candidate", patch))
    verdict = judge(base, candidate, known_failures=patch.suite.known_failures)
    assert verdict.outcome is VerdictOutcome.PROVEN, verdict.reason
    assert verdict.known_failures
    assert all(known.still_fails for known in verdict.known_failures)


@releases
@pytest.mark.parametrize(
    ("case", "figures"),
    [
        ("decode-replay-ctx64-page16-full", {"past_end": "240", "numel": "16", "needed": "256"}),
        ("decode-mla-replay-ctx64-page16-full", {"past_end": "240", "numel": "16", "needed": "256"}),
        ("decode-replay-ctx200-page64-full", {"past_end": "784", "numel": "16", "needed": "800"}),
        ("decode-replay-ctx64-page1-full", {"past_end": "0", "numel": "256", "needed": "256"}),
    ],
)
def test_the_overflow_is_counted_to_the_element(
    case: str, figures: dict[str, str], released: Release, run: Callable[[Path], SuiteRun]
) -> None:
    cases = {each.name: each for each in run(released("0.5.12")).cases}
    found = cases[f"test_token_indices::test_writes_stay_inside_and_are_right[{case}]"]
    assert {name: found.figures[name] for name in figures} == figures
    if figures["past_end"] != "0":
        assert f"{figures['past_end']} elements past the end of cuda_graph_kv_indices (16 elements)" in found.message


WRONG = {
    "a-block-too-few": (SIZE, "max_bs * (max_num_blocks_per_seq - 1) * self.page_size"),
    "without-the-last-partial-page": (SIZE, "max_bs * (self.max_context_len // self.page_size) * self.page_size"),
    "not-for-mla": (SIZE, "max_bs * max_num_blocks_per_seq * (1 if self.use_mla else self.page_size)"),
    "one-too-many-at-page-size-1": (SIZE, "max_bs * (max_num_blocks_per_seq * self.page_size + 1)"),
    "of-int64": (f"({SIZE}),\n                dtype=torch.int32", f"({SIZE}),\n                dtype=torch.int64"),
    "with-a-helper-the-branch-lacks": (SIZE, "max_bs * self._tokens_per_row()"),
    "table-of-int64": (WIDTH, WIDTH.replace("int32", "int64")),
    "table-not-where-a-buffer-is-lent": (TABLE, TABLE.replace("attention:", "attention and kv_indices_buf is None:")),
    "one-reader-left-behind": (
        "kv_indices = self.cuda_graph_page_table",
        "kv_indices = self.cuda_graph_kv_indices.view(-1, max_num_blocks_per_seq)",
    ),
    "importing-what-the-branch-lacks": (
        "import logging\n",
        "import logging\nfrom sglang.srt.utils import no_such_name\n",
    ),
}
HARMLESS = {
    "ceiling-by-triton": (SIZE, "max_bs * triton.cdiv(self.max_context_len, self.page_size) * self.page_size"),
}


CUT = """

def pytest_collection_modifyitems(items):
    items[:] = [item for item in items if "test_memory" in item.nodeid or "-page16" in item.nodeid]
"""


@pytest.fixture(scope="module")
def quick(patch: CarriedPatch, tmp_path_factory: pytest.TempPathFactory) -> Suite:
    """The shipped suite, cut to page size 16 and to what says something about a size or a table."""
    folder = tmp_path_factory.mktemp("quick") / "suite"
    shutil.copytree(patch.suite.directory, folder)
    for name in ("test_amd_kernels.py", "test_graph_replay.py", "test_upstream_faults.py"):
        (folder / name).unlink()
    with (folder / "conftest.py").open("a", encoding="utf-8") as conftest:
        conftest.write(CUT)
    return replace(patch.suite, directory=folder)


@pytest.fixture(scope="module")
def variant(
    released: Release, patched: Patched, patch: CarriedPatch, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, str], Path]:
    """Make the patched tree with one text replaced by another, where it first stands."""
    tree = patched(released("0.5.12"), tmp_path_factory.mktemp("variant") / "tree", patch)
    right = (tree / BACKEND).read_text("utf-8")

    def make(old: str, new: str) -> Path:
        assert old in right, f"the patched file does not hold {old!r}"
        (tree / BACKEND).write_text(right.replace(old, new, 1), "utf-8")
        return tree

    return make


@pytest.fixture(scope="module")
def quick_base(quick: Suite, released: Release) -> SuiteRun:
    """The quick suite on the broken release."""
    return run_suite(released("0.5.12"), quick, name="base", device="cpu")


@variants
@pytest.mark.parametrize(("old", "new"), WRONG.values(), ids=WRONG)
def test_a_wrong_fix_is_not_proven(
    old: str, new: str, quick: Suite, quick_base: SuiteRun, variant: Callable[[str, str], Path]
) -> None:
    candidate = run_suite(variant(old, new), quick, name="candidate", device="cpu")
    assert judge(quick_base, candidate).outcome in (VerdictOutcome.INCOMPLETE, VerdictOutcome.REGRESSED)


@variants
@pytest.mark.parametrize(("old", "new"), HARMLESS.values(), ids=HARMLESS)
def test_another_wording_of_the_fix_is_proven(
    old: str, new: str, quick: Suite, quick_base: SuiteRun, variant: Callable[[str, str], Path]
) -> None:
    candidate = run_suite(variant(old, new), quick, name="candidate", device="cpu")
    verdict = judge(quick_base, candidate)
    assert verdict.outcome is VerdictOutcome.PROVEN, verdict.reason


@variants
def test_a_kernel_that_amd_cannot_compile_is_a_failing_case(
    patch: CarriedPatch, released: Release, tmp_path: Path
) -> None:
    """The interpreter would run it; only the compiler knows."""
    tree, suite = tmp_path / "tree", tmp_path / "suite"
    shutil.copytree(released("0.5.12"), tree)
    kernels = tree / "sglang/srt/layers/attention/utils.py"
    whole = "    pid = tl.program_id(axis=0)\n"
    broken = kernels.read_text("utf-8").replace(whole, whole + "    offsets = tl.arange(0, 3)\n", 1)
    kernels.write_text(broken, "utf-8")
    shutil.copytree(patch.suite.directory, suite)
    for case in set(suite.glob("test_*.py")) - {suite / "test_amd_kernels.py"}:
        case.unlink()
    ended = run_suite(tree, replace(patch.suite, directory=suite), name="candidate", device="cpu")
    assert ended.problem == ""
    assert [case.outcome for case in ended.cases] == [CaseOutcome.FAILED] * 3
    assert all("create_flashinfer_kv_indices_triton: CompilationError" in case.message for case in ended.cases)

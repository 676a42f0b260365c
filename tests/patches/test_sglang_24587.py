"""The aiter suite against real sglang releases: it fails where the fault is, passes where it is not, and is not fooled.

Each wrong fix is the carried patch's own, with one thing changed; each harmless one computes the same in other words.
The demo's tests and those of the companions prove the carried patch on the broken releases.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from bot.carried.load import CarriedPatch
from bot.models import CaseOutcome, Suite, SuiteRun, VerdictOutcome
from bot.proof import judge
from bot.proof.pytest_suite import run_suite
from bot.text.globs import matches_stars

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

BACKEND = "sglang/srt/layers/attention/aiter_backend.py"
SIZE = "max_bs * max_num_blocks_per_seq * self.page_size"
TABLE_IF = "self.use_triton_unified_attention:\n            # Unified attention"
BLOCKS = "(self.max_context_len + self.page_size - 1) // self.page_size"
READER = "kv_indices = self.cuda_graph_page_table\n"
ONE = "1 if self.kv_cache_dtype != self.input_dtype"
WIDTH = f"{BLOCKS},\n                ),\n                dtype=torch.int32"

Release = Callable[[str], Path]
Patched = Callable[..., Path]


@pytest.fixture(scope="module")
def patch(shipped: Mapping[str, CarriedPatch]) -> CarriedPatch:
    """The carried patch that the suite belongs to."""
    return shipped["sglang-24587"]


def undeclared(run: SuiteRun, suite: Suite) -> set[str]:
    """Name the cases that fail and are not declared to."""
    failed_names = {case.name for case in run.cases if case.outcome is CaseOutcome.FAILED}
    return {
        name
        for name in failed_names
        if not any(matches_stars(known_failure.cases, name) for known_failure in suite.known_failures)
    }


@pytest.mark.parametrize("version", ["0.5.13", "0.5.23"])
def test_a_fixed_release_fails_what_is_declared_and_nothing_else(
    version: str, release_tree: Release, patch: CarriedPatch
) -> None:
    result = run_suite(release_tree(version), patch.suite, name=version, device="cpu")
    assert result.problem == ""
    assert result.count(CaseOutcome.ERROR) == 0
    assert undeclared(result, patch.suite) == set()
    assert result.count(CaseOutcome.PASSED) > 150
    assert result.count(CaseOutcome.FAILED) == 5
    assert set(result.covered["page size"].split(", ")) >= {"1", "2", "4", "8", "16", "32", "64", "128", "256", "3"}
    assert set(result.covered["draft tokens"].split(", ")) >= {"2", "8", "9", "64"}


PATHS, MEMORY, TABLE, EAGER = "test_paths.py", "test_memory.py", "test_page_table.py", "test_eager.py"
REFRESH = "                        elif self.page_size > 1:\n"
IMPORT = "import logging\n"
WRONG = {
    "a-block-too-few": (MEMORY, SIZE, "max_bs * (max_num_blocks_per_seq - 1) * self.page_size"),
    "without-the-last-partial-page": (
        MEMORY,
        SIZE,
        "max_bs * (self.max_context_len // self.page_size) * self.page_size",
    ),
    "capped-at-page-64": (MEMORY, SIZE, "max_bs * max_num_blocks_per_seq * min(self.page_size, 64)"),
    "a-hundred-times": (MEMORY, SIZE, "100 * max_bs * max_num_blocks_per_seq * self.page_size"),
    "by-the-request-pool": (MEMORY, SIZE, "self.req_to_token.shape[0] * max_num_blocks_per_seq * self.page_size"),
    "on-the-host": (MEMORY, WIDTH + ",\n                device=self.device", WIDTH + ',\n                device="cpu"'),
    "of-int64": (
        PATHS,
        f"({SIZE}),\n                dtype=torch.int32",
        f"({SIZE}),\n                dtype=torch.int64",
    ),
    "not-for-fp8": (PATHS, SIZE, SIZE.replace("self.page_size", f"({ONE} else self.page_size)")),
    "with-a-helper-the-branch-lacks": (PATHS, SIZE, "max_bs * self._tokens_per_row()"),
    "table-not-where-a-buffer-is-lent": (TABLE, TABLE_IF, TABLE_IF.replace(":", " and kv_indices_buf is None:", 1)),
    "table-of-64-columns": (PATHS, WIDTH, WIDTH.replace(BLOCKS, f"min(64, {BLOCKS})")),
    "refreshed-for-two-page-sizes": (PATHS, REFRESH, REFRESH.replace("> 1", "in (16, 64)"), -1),
    "a-private-clone-at-replay": (PATHS, READER, READER.rstrip() + ".clone()\n", -1),
    "scratch-by-the-page": (
        EAGER,
        "                required_tokens,",
        "                required_tokens // self.page_size,",
    ),
    "importing-what-the-branch-lacks": (PATHS, IMPORT, IMPORT + "from sglang.srt.utils import no_such_name\n"),
}
FIRST_FAILURE_ENDS = "\n\ndef pytest_configure(config):\n    config.option.maxfail = 1\n"
"""For the conftest.py of a suite from which one failing case is wanted; none of its cases is declared to fail."""
FEW_REPLAYS = """

def pytest_collection_modifyitems(items):
    few = ("decode", "decode-mla", "target_verify-mla", "multi_step_draft")
    items[:] = [item for item in items if "every_replay_reads" not in item.name or item.callspec.id in few]
"""
"""For the conftest.py of a suite: of the drawn replays, which take the longest, a path of each kind of index buffer."""
HOSTILE = {
    "patching-pytest": "import _pytest.reports, pytest; _pytest.reports.TestReport.from_item_and_call = None",
    "leaving": "import os; os._exit(0)",
    "patching-the-harness": "import sys; [setattr(m, n, lambda *a, **k: True) for m in list(sys.modules.values())"
    " if m.__name__.startswith(('sglang_aiter.expect', 'sglang_aiter.trial')) for n in vars(m).copy() if n[0] != '_']",
    "flooding": "import os; os.write(1, b'1 passed' * 1000000); os.write(2, b'passed' * 1000000)",
}
"""What an attacker would put into a fix that mends nothing."""
HARMLESS = {
    "ceiling-by-triton": (SIZE, "max_bs * triton.cdiv(self.max_context_len, self.page_size) * self.page_size"),
    "a-row-to-spare": (SIZE, "(max_bs + 1) * max_num_blocks_per_seq * self.page_size"),
    "a-page-to-spare": (SIZE, "max_bs * (max_num_blocks_per_seq + 1) * self.page_size"),
    "by-the-pools-own-row": (SIZE, "max_bs * self.req_to_token.shape[1]"),
    "by-another-tensors-device": (
        WIDTH + ",\n                device=self.device",
        WIDTH + ",\n                device=self.kv_indptr.device",
    ),
}


@pytest.fixture(scope="module")
def part(patch: CarriedPatch, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Suite]:
    """Cut the shipped suite to some of its files."""

    def cut(*names: str) -> Suite:
        folder = tmp_path_factory.mktemp("part") / "suite"
        folder.mkdir()
        for name in ("conftest.py", *names):
            shutil.copy(patch.suite.directory / name, folder)
        return replace(patch.suite, directory=folder)

    return cut


@pytest.fixture(scope="module")
def variant(
    release_tree: Release, patched: Patched, patch: CarriedPatch, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Path]:
    """Make the patched tree with one text replaced by another: where it first stands, or at a `place`."""
    tree = patched(release_tree("0.5.12"), tmp_path_factory.mktemp("variant") / "tree", patch)
    right_text = (tree / BACKEND).read_text("utf-8")

    def make(old: str, new: str, place: int = 0) -> Path:
        parts = right_text.split(old)
        assert len(parts) > 1, f"the patched file does not hold {old!r}"
        split_place = range(1, len(parts))[place]
        (tree / BACKEND).write_text(old.join(parts[:split_place]) + new + old.join(parts[split_place:]), "utf-8")
        return tree

    return make


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG)
def test_a_wrong_fix_fails_a_case(
    change: tuple[str, str, str, int] | tuple[str, str, str],
    part: Callable[..., Suite],
    variant: Callable[..., Path],
    patch: CarriedPatch,
) -> None:
    file, *edit = change
    suite = part(file)
    with (suite.directory / "conftest.py").open("a", encoding="utf-8") as conftest:
        conftest.write(FIRST_FAILURE_ENDS)
    result = run_suite(variant(*edit), suite, name="candidate", device="cpu")
    assert undeclared(result, patch.suite) or result.count(CaseOutcome.ERROR)


@pytest.fixture(scope="module")
def broken_run(part: Callable[..., Suite], release_tree: Release) -> tuple[Suite, SuiteRun]:
    """Run the cases of the token indices on a broken release, once for all hostile candidates."""
    suite = part("test_token_indices.py")
    return suite, run_suite(release_tree("0.5.12"), suite, name="base", device="cpu")


@pytest.mark.parametrize("code", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_candidate_that_mends_nothing_is_not_proven(
    code: str, broken_run: tuple[Suite, SuiteRun], release_tree: Release, tmp_path: Path
) -> None:
    (suite, base), tree = broken_run, tmp_path / "tree"
    shutil.copytree(release_tree("0.5.12"), tree)
    text = (tree / BACKEND).read_text("utf-8")
    (tree / BACKEND).write_text(text.replace(IMPORT, f"{IMPORT}{code}\n", 1), "utf-8")
    candidate = run_suite(tree, suite, name="candidate", device="cpu")
    assert judge(base, candidate).outcome is not VerdictOutcome.PROVEN
    assert candidate.problem or not any(
        case.outcome is CaseOutcome.PASSED for case in candidate.cases if "page16-full" in case.name
    )


@pytest.mark.parametrize(("old", "new"), HARMLESS.values(), ids=HARMLESS)
def test_another_wording_of_the_fix_passes(
    old: str, new: str, part: Callable[..., Suite], variant: Callable[..., Path], patch: CarriedPatch
) -> None:
    suite = part(MEMORY, TABLE, PATHS)
    with (suite.directory / "conftest.py").open("a", encoding="utf-8") as conftest:
        conftest.write(FEW_REPLAYS)
    result = run_suite(variant(old, new), suite, name="candidate", device="cpu")
    assert result.problem == ""
    assert undeclared(result, patch.suite) == set()
    assert result.count(CaseOutcome.ERROR) == 0
    assert len([case for case in result.cases if "every_replay_reads" in case.name]) == 4


def test_a_kernel_that_amd_cannot_compile_is_a_failing_case(
    patch: CarriedPatch, release_tree: Release, tmp_path: Path
) -> None:
    """The interpreter would run it; only the compiler knows."""
    tree, suite = tmp_path / "tree", tmp_path / "suite"
    shutil.copytree(release_tree("0.5.12"), tree)
    kernels = tree / "sglang/srt/layers/attention/utils.py"
    whole_text = "    pid = tl.program_id(axis=0)\n"
    broken_text = kernels.read_text("utf-8").replace(whole_text, whole_text + "    offsets = tl.arange(0, 3)\n", 1)
    kernels.write_text(broken_text, "utf-8")
    shutil.copytree(patch.suite.directory, suite)
    for case in set(suite.glob("test_*.py")) - {suite / "test_amd_kernels.py"}:
        case.unlink()
    result = run_suite(tree, replace(patch.suite, directory=suite), name="candidate", device="cpu")
    assert result.problem == ""
    assert [case.outcome for case in result.cases] == [CaseOutcome.FAILED] * 3
    assert all("create_flashinfer_kv_indices_triton: CompilationError" in case.message for case in result.cases)

"""`check` on every released sglang, on drifted copies of them, and on fixes that are only half there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.carried.apply import Applied, apply
from bot.carried.detect import check, find_follow_ups
from bot.carried.load import CarriedPatch
from bot.carried.source_tree import DirectoryTree
from bot.demo import releases
from bot.models import Affectedness

pytestmark = pytest.mark.long

Backend = Callable[[str], Any]

_BACKEND = "sglang/srt/layers/attention/aiter_backend.py"


def _numbers(version: str) -> tuple[int, int, int]:
    parts = version.split(".")
    return int(parts[0]), int(parts[1]), int(parts[2])


AFFECTED = {
    "sglang-22598": ("0.5.10", "0.5.10"),
    "sglang-24587": ("0.5.10", "0.5.12"),
    "sglang-24762": ("0.5.12", "0.5.12"),
    "sglang-25556": ("0.5.9", "0.5.12"),
    "sglang-27188": ("0.5.11", "0.5.12"),
    "sglang-27338": ("0.5.3", "0.5.12"),
    "sglang-27485": ("0.5.3", "0.5.12"),
    "sglang-28237": ("0.5.11", "0.5.14"),
    "sglang-28337": ("0.5.3", "0.5.13"),
}
"""The first and the last affected release of each patch; see the patches' READMEs."""


def _expected(patch: str, version: str) -> str:
    """Return what is known of each release: not affected before the fault came, fixed after it went."""
    first, last = map(_numbers, AFFECTED[patch])
    number = _numbers(version)
    return "not-affected" if number < first else "affected" if number <= last else "fixed"


@pytest.mark.parametrize("version", releases.known_versions())
def test_every_release_is_told_apart_for_every_patch(
    version: str, release_tree: Callable[[str], Path], patches: Mapping[str, CarriedPatch]
) -> None:
    tree = DirectoryTree(release_tree(version))
    values = {name: check(tree, patch) for name, patch in patches.items()}
    assert {name: str(report.status) for name, report in values.items()} == {
        name: _expected(name, version) for name in patches
    }
    assert all(report.reason and report.evidence for report in values.values())


@pytest.mark.parametrize(
    ("version", "drift"),
    [
        *[(version, "renamed unparsed") for version in ("0.5.9", "0.5.10", "0.5.11", "0.5.12", "0.5.13", "0.5.23")],
        *[("0.5.12", drift) for drift in ("renamed", "without_comments", "black 60", "black 200")],
        *[("0.5.13", drift) for drift in ("renamed", "black 60")],
    ],
)
def test_a_file_written_differently_gets_the_same_answer(
    version: str, drift: str, backend: Backend, patches: Mapping[str, CarriedPatch]
) -> None:
    drifted = backend(version)
    for word in drift.split():
        drifted = (
            drifted.black(int(word)) if word.isdigit() else drifted if word == "black" else getattr(drifted, word)()
        )
    assert drifted.text != backend(version).text
    for name in ("sglang-24587", "sglang-27485", "sglang-25556"):
        assert check(drifted.tree, patches[name]).status == _expected(name, version), name


BY_THE_PAGE = [
    "max_bs * triton.cdiv(self.max_context_len, self.page_size)",
    "max_bs * ceil_div(self.max_context_len, self.page_size)",
    "-(-self.max_context_len // self.page_size) * max_bs",
    "max_bs * math.ceil(self.max_context_len / self.page_size)",
    "(max_bs * self.max_context_len // self.page_size,)",
    "[int(max_bs * (1 + (self.max_context_len - 1) // self.page_size))]",
    "max(max_bs * max_num_blocks_per_seq, 1)",
    "max_num_tokens * max_num_blocks_per_seq",
    "max_bs * max_num_blocks_per_seq + 1",
    "max_bs * (self.max_context_len // self.page_size) * self.page_size",
    "max_bs * (self.max_context_len - 1)",
    "max_bs * max_num_blocks_per_seq * (1 if self.use_triton_unified_attention else self.page_size)",
    "max_bs * max_num_blocks_per_seq * min(self.page_size, 16)",
]


@pytest.mark.parametrize("size", BY_THE_PAGE)
def test_a_buffer_too_small_in_any_spelling_is_affected(
    size: str, narrow: Any, patches: Mapping[str, CarriedPatch]
) -> None:
    report = check(narrow.size(size).tree, patches["sglang-24587"])
    assert report.status is Affectedness.AFFECTED
    assert any(entry.rule == "sized-per-token" and "is false for" in entry.detail for entry in report.evidence)


FULL = "max_bs * max_num_blocks_per_seq * self.page_size"
SPECIAL_CASES = {
    "capped": ("max_bs * max_num_blocks_per_seq * min(self.page_size, 64)", "self.page_size=65"),
    "known page sizes": (
        f"{FULL} if self.page_size in (1, 16, 64) else max_bs * max_num_blocks_per_seq",
        "page_size=2",
    ),
    "one page size": (f"{FULL} if self.page_size != 48 else max_bs * self.page_size * 4", "self.page_size=48"),
    "one batch": (f"{FULL} if max_bs < 128 else 128 * self.max_context_len", "max_bs=129"),
    "on one platform": (f"{FULL} if not is_hip() else max_bs * max_num_blocks_per_seq", "is_hip=True"),
    "by a global of it": (f"max_bs * max_num_blocks_per_seq if _is_hip else {FULL}", "is_hip=True"),
    "by torch's version": (f"max_bs if torch.version.hip is not None else {FULL}", "torch.version.hip=True"),
    "few blocks": ("max_bs * min(max_num_blocks_per_seq, 64) * self.page_size", "is false for"),
    "rounded down": ("max_bs * (self.max_context_len // self.page_size + (self.page_size == 1)) * self.page_size", ""),
    "an odd shift": (
        "max_bs * max_num_blocks_per_seq << (self.page_size > 1) + 3 * (self.page_size > 8)",
        "page_size=",
    ),
}


@pytest.mark.parametrize(("size", "place"), SPECIAL_CASES.values(), ids=SPECIAL_CASES.keys())
def test_a_size_that_is_right_for_some_parameters_only_is_affected(
    size: str, place: str, fixed: Any, patches: Mapping[str, CarriedPatch]
) -> None:
    report = check(fixed.size(f"({size},)").tree, patches["sglang-24587"])
    assert report.status is Affectedness.AFFECTED, report.reason
    assert any(place in entry.detail for entry in report.evidence), report.evidence


READS = {
    "refreshed for known page sizes": ("elif self.page_size > 1:", "elif self.page_size in (16, 64):"),
    "refreshed for small pages": ("elif self.page_size > 1:", "elif 1 < self.page_size <= 64:"),
    "refreshed for small batches": ("elif self.page_size > 1:", "elif self.page_size > 1 and bs <= 8:"),
    "refreshed on one platform": ("elif self.page_size > 1:", "elif self.page_size > 1 and not _is_hip:"),
    "read in part": ("self.cuda_graph_page_table[:bs]", "self.cuda_graph_page_table[: min(bs, 4)]"),
    "read as a copy": ("self.cuda_graph_page_table[:bs]", "self.cuda_graph_page_table[:bs].clone()"),
    "read for one page size": (
        "self.cuda_graph_page_table[:bs]",
        "self.cuda_graph_page_table[:bs] if self.page_size == 16 else self.cuda_graph_kv_indices[:bs]",
    ),
}


@pytest.mark.parametrize(("before", "after"), READS.values(), ids=READS.keys())
def test_a_table_prepared_or_read_for_some_servers_only_is_no_fix(
    before: str, after: str, fixed: Any, patches: Mapping[str, CarriedPatch]
) -> None:
    assert before in fixed.text
    report = check(type(fixed)(fixed.text.replace(before, after)).tree, patches["sglang-24587"])
    assert report.status is Affectedness.UNKNOWN, report.reason


def test_a_table_filled_at_page_size_one_too_is_still_a_fix(fixed: Any, patches: Mapping[str, CarriedPatch]) -> None:
    filled = fixed.text.replace("elif self.page_size > 1:", "elif self.page_size == 1 or self.page_size > 1:")
    assert filled != fixed.text
    assert check(type(fixed)(filled).tree, patches["sglang-24587"]).status is Affectedness.FIXED


def test_two_tables_in_one_memory_are_no_fix(fixed: Any, patches: Mapping[str, CarriedPatch]) -> None:
    shared = fixed.allocation(
        "self.cuda_graph_swa_page_table = self.cuda_graph_page_table", "cuda_graph_swa_page_table"
    )
    report = check(shared.tree, patches["sglang-24587"])
    assert report.status is Affectedness.UNKNOWN
    assert "the page table of the sliding window shares memory" in report.reason


HIDDEN = {
    "heads": f"{FULL} if self.num_head < 128 else max_bs * max_num_blocks_per_seq",
    "dtype": f"max_bs * max_num_blocks_per_seq if self.kv_cache_dtype == fp8_dtype else {FULL}",
    "a device's name": f"{FULL} if 'MI300' in torch.cuda.get_device_name() else max_bs",
    "a switch": f"{FULL} if get_bool_env_var('SGLANG_PAGED') else max_bs",
}


@pytest.mark.parametrize("size", HIDDEN.values(), ids=HIDDEN.keys())
def test_a_size_that_is_wrong_where_the_source_does_not_tell_is_no_fix(
    size: str, fixed: Any, patches: Mapping[str, CarriedPatch]
) -> None:
    report = check(fixed.size(f"({size},)").tree, patches["sglang-24587"])
    assert report.status is Affectedness.UNKNOWN, report.reason


OTHER_WORDS = {
    "a row longer": "(max_bs + 1) * max_num_blocks_per_seq * self.page_size",
    "the pool's own row": "max_bs * self.req_to_token.shape[1]",
    "a page of slack": "max_bs * (max_num_blocks_per_seq + 1) * self.page_size",
    "no less than a block": "max_bs * max(max_num_blocks_per_seq * self.page_size, 64)",
    "by tokens": "max_num_tokens * self.max_context_len",
    "from the rest": "max_bs * (self.max_context_len + -self.max_context_len % self.page_size)",
    "both platforms": f"{FULL} if is_hip() else max_bs * self.max_context_len",
    "either dtype": f"{FULL} if self.kv_cache_dtype == fp8_dtype else max_bs * self.max_context_len",
    "page sizes apart": f"max_bs * self.max_context_len if self.page_size == 1 else {FULL}",
    "early": "max_bs * (self.max_context_len // self.page_size + 1) * self.page_size",
}


@pytest.mark.parametrize(
    ("size", "device"),
    [
        *[pytest.param(size, "self.device", id=name) for name, size in OTHER_WORDS.items()],
        *[pytest.param(FULL, f"self.{name}.device", id=name) for name in ("kv_indptr", "req_to_token")],
    ],
)
def test_a_right_size_in_other_words_is_a_fix(
    size: str, device: str, fixed: Any, patches: Mapping[str, CarriedPatch]
) -> None:
    code = f"self.cuda_graph_kv_indices = torch.zeros(({size},), dtype=torch.int32, device={device})"
    report = check(fixed.allocation(code).tree, patches["sglang-24587"])
    assert report.status is Affectedness.FIXED, report.reason


@pytest.mark.parametrize("arguments", ["dtype=torch.int32", "dtype=torch.int32, device='cpu'", "device=self.device"])
def test_a_buffer_of_another_device_or_dtype_is_no_fix(
    arguments: str, fixed: Any, patches: Mapping[str, CarriedPatch]
) -> None:
    code = f"self.cuda_graph_kv_indices = torch.zeros({FULL}, {arguments})"
    assert check(fixed.allocation(code).tree, patches["sglang-24587"]).status is Affectedness.UNKNOWN


def test_a_function_that_changes_a_parameter_is_not_measured_by_it(
    fixed: Any, patches: Mapping[str, CarriedPatch]
) -> None:
    changed_tree = fixed.appended("self.max_context_len = 1")
    assert check(changed_tree.tree, patches["sglang-24587"]).status is Affectedness.UNKNOWN


ALLOCATIONS = {
    "augmented local": "n = max_bs\nn *= max_num_blocks_per_seq\n"
    "self.cuda_graph_kv_indices = torch.empty(n, dtype=torch.int32, device=self.device)",
    "new_zeros": "self.cuda_graph_kv_indices = self.kv_indptr.new_zeros(max_bs * max_num_blocks_per_seq)",
    "full by keyword": "self.cuda_graph_kv_indices = torch.full(\n"
    "    size=(max_bs * max_num_blocks_per_seq,), fill_value=0, dtype=torch.int32)",
    "two dimensions": "buffer = torch.zeros(max_bs, max_num_blocks_per_seq, dtype=torch.int32)\n"
    "self.cuda_graph_kv_indices = buffer.view(-1)",
    "annotated and moved": "self.cuda_graph_kv_indices: torch.Tensor = torch.zeros(\n"
    "    max_bs * max_num_blocks_per_seq, dtype=torch.int32).to(self.device)",
    "branches": "if self.page_size > 1:\n    n = max_bs * max_num_blocks_per_seq\n"
    "else:\n    n = max_bs * self.max_context_len\n"
    "self.cuda_graph_kv_indices = torch.zeros(n, dtype=torch.int32)",
    "one sample is enough": "n = max_bs * self.max_context_len if self.use_mla else max_bs\n"
    "self.cuda_graph_kv_indices = torch.zeros(n, dtype=torch.int32)",
}


@pytest.mark.parametrize("code", ALLOCATIONS.values(), ids=ALLOCATIONS.keys())
def test_an_allocation_in_any_form_is_measured(code: str, narrow: Any, patches: Mapping[str, CarriedPatch]) -> None:
    report = check(narrow.allocation(code).tree, patches["sglang-24587"])
    assert report.status is Affectedness.AFFECTED, report.reason


OUT_OF_SIGHT = {
    "inherited method allocates": "self._allocate(max_bs)",
    "inherited method returns it": "self.cuda_graph_kv_indices = self._allocate(max_bs)",
    "unknown size": "self.cuda_graph_kv_indices = torch.zeros(size_of(max_bs), dtype=torch.int32)",
    "unknown attribute": "self.cuda_graph_kv_indices = torch.zeros(max_bs * self.unheard_of)",
    "loop": "for _ in range(2):\n    self.cuda_graph_kv_indices = torch.zeros(max_bs * max_num_blocks_per_seq)",
    "try": "try:\n    n = max_bs * self.max_context_len\nexcept MemoryError:\n    n = max_bs\n"
    "self.cuda_graph_kv_indices = torch.zeros(n)",
    "unknown branch": "n = max_bs * (self.max_context_len if plenty_of_memory() else 1)\n"
    "self.cuda_graph_kv_indices = torch.zeros(n)",
    "resized": "self.cuda_graph_kv_indices = torch.zeros(max_bs * self.max_context_len, dtype=torch.int32)\n"
    "self.cuda_graph_kv_indices.resize_(max_bs)",
    "handed away": "self.cuda_graph_kv_indices = torch.zeros(max_bs * max_num_blocks_per_seq)\nenlarge(self)",
}


@pytest.mark.parametrize("code", OUT_OF_SIGHT.values(), ids=OUT_OF_SIGHT.keys())
def test_what_the_source_does_not_tell_is_unknown(code: str, narrow: Any, patches: Mapping[str, CarriedPatch]) -> None:
    report = check(narrow.allocation(code).tree, patches["sglang-24587"])
    assert report.status is Affectedness.UNKNOWN, report.reason


@pytest.fixture(scope="session", params=["applied to 0.5.12", "released 0.5.23"])
def fixed(request: pytest.FixtureRequest, backend: Backend, patches: Mapping[str, CarriedPatch]) -> Any:
    """Return what the fix changed, without the other parts of its file: most tests of this module parse it."""
    kind, *_, version = request.param.split()
    source = backend(version)
    if kind == "applied":
        result = apply(source.tree, patches["sglang-24587"])
        assert isinstance(result, Applied)
        source = type(source)(result.changes[_BACKEND].decode())
    for fixed_source in (source, source.narrow()):
        assert check(fixed_source.tree, patches["sglang-24587"]).status is Affectedness.FIXED
    return source.narrow()


TABLES = {
    "rows for four": "(min(max_bs, 4), -(-self.max_context_len // self.page_size))",
    "columns for 64 pages": "(max_bs, min(-(-self.max_context_len // self.page_size), 64))",
    "short off ROCm": "(max_bs, -(-self.max_context_len // self.page_size) if is_hip() else 1)",
    "floor": "(max_bs, self.max_context_len // self.page_size)",
    "a row short": "(max_bs - 1, -(-self.max_context_len // self.page_size))",
    "transposed": "(-(-self.max_context_len // self.page_size), max_bs)",
    "flat": "(max_bs * -(-self.max_context_len // self.page_size),)",
    "one column": "(max_bs, 1)",
    "not known": "(max_bs, table_width)",
}


@pytest.mark.parametrize("size", TABLES.values(), ids=TABLES.keys())
def test_a_page_table_of_the_wrong_shape_is_no_fix(size: str, fixed: Any, patches: Mapping[str, CarriedPatch]) -> None:
    report = check(fixed.size(size, "cuda_graph_page_table").tree, patches["sglang-24587"])
    assert report.status is Affectedness.UNKNOWN
    assert "own-page-table" in report.reason or "page table of its own" in report.reason


@pytest.mark.parametrize(
    "test",
    [
        "self.use_triton_unified_attention and kv_indices_buf is None",
        "not self.use_triton_unified_attention",
        "self.use_mla",
        "self.page_size > 1",
        "False",
        "kv_indices_buf is None",
    ],
)
def test_a_page_table_made_only_sometimes_is_no_fix(test: str, fixed: Any, patches: Mapping[str, CarriedPatch]) -> None:
    report = check(fixed.condition("cuda_graph_page_table", test).tree, patches["sglang-24587"])
    assert report.status is Affectedness.UNKNOWN


WRONG_TABLES = {
    "rows for four": "(min(max_bs, 4), -(-self.max_context_len // self.page_size))",
    "columns for 64 pages": "(max_bs, min(-(-self.max_context_len // self.page_size), 64))",
    "short off ROCm": "(max_bs, -(-self.max_context_len // self.page_size) if is_hip() else 1)",
    "float32 by default": "self.cuda_graph_page_table = torch.zeros((max_bs, self.max_context_len))",
    "int64": "self.cuda_graph_page_table = torch.zeros((max_bs, self.max_context_len), dtype=torch.int64)",
    "shares the token buffer": "self.cuda_graph_page_table = self.cuda_graph_kv_indices[\n"
    "    : max_bs * -(-self.max_context_len // self.page_size)].view(max_bs, -1)",
    "is nothing": "self.cuda_graph_page_table = None",
}


@pytest.mark.parametrize("code", WRONG_TABLES.values(), ids=WRONG_TABLES.keys())
def test_a_page_table_that_is_no_table_of_its_own_is_no_fix(
    code: str, fixed: Any, patches: Mapping[str, CarriedPatch]
) -> None:
    report = check(fixed.allocation(code, "cuda_graph_page_table").tree, patches["sglang-24587"])
    assert report.status is Affectedness.UNKNOWN


def test_a_fix_with_its_size_taken_back_is_affected(fixed: Any, patches: Mapping[str, CarriedPatch]) -> None:
    report = check(fixed.size("(max_bs * max_num_blocks_per_seq,)").tree, patches["sglang-24587"])
    assert report.status is Affectedness.AFFECTED


def test_a_fix_with_its_buffer_cut_afterwards_is_affected(fixed: Any, patches: Mapping[str, CarriedPatch]) -> None:
    cut_tree = fixed.appended("self.cuda_graph_kv_indices = self.cuda_graph_kv_indices[: max_bs * 2]")
    assert check(cut_tree.tree, patches["sglang-24587"]).status is Affectedness.AFFECTED


def test_a_fix_with_its_table_deleted_afterwards_is_no_fix(fixed: Any, patches: Mapping[str, CarriedPatch]) -> None:
    report = check(fixed.appended("del self.cuda_graph_page_table").tree, patches["sglang-24587"])
    assert report.status is Affectedness.UNKNOWN


def test_a_reader_that_still_takes_the_token_buffer_is_no_fix(fixed: Any, patches: Mapping[str, CarriedPatch]) -> None:
    report = check(fixed.without("cuda_graph_page_table").tree, patches["sglang-24587"])
    assert report.status is Affectedness.UNKNOWN
    assert "without the separate page table" in report.reason


def test_a_wider_table_or_one_that_is_always_there_is_still_a_fix(
    fixed: Any, patches: Mapping[str, CarriedPatch]
) -> None:
    wider = "(max_bs, -(-(self.max_context_len + (self.num_draft_tokens or 0)) // self.page_size))"
    for drifted in (
        fixed.size(wider, "cuda_graph_page_table"),
        fixed.condition("cuda_graph_page_table", "True"),
        fixed.size("max_bs * ceil_align(self.max_context_len, self.page_size)"),
    ):
        assert check(drifted.tree, patches["sglang-24587"]).status is Affectedness.FIXED


def test_size_alone_is_no_fix_while_pages_are_still_views_of_it(
    narrow: Any, patches: Mapping[str, CarriedPatch]
) -> None:
    report = check(narrow.size("max_bs * self.max_context_len").tree, patches["sglang-24587"])
    assert report.status is Affectedness.UNKNOWN
    assert "the token buffer is still viewed by the page here" in report.reason
    assert sum(entry.rule == "page-views" for entry in report.evidence) == 4


def test_the_project_is_found_at_the_root_and_under_python(
    backend: Backend, patches: Mapping[str, CarriedPatch]
) -> None:
    tree = backend("0.5.12").tree
    moved_tree = type(tree)({f"python/{path}": content for path, content in tree.files.items()})
    report = check(moved_tree, patches["sglang-24587"])
    assert report.status is Affectedness.AFFECTED
    assert {entry.file for entry in report.evidence} == {f"python/{_BACKEND}"}


def test_a_backend_that_moved_is_found_where_it_is(backend: Backend, patches: Mapping[str, CarriedPatch]) -> None:
    tree = backend("0.5.12").tree
    moved_tree = type(tree)({"sglang/__init__.py": b"", "sglang/srt/attention/aiter.py": tree.files[_BACKEND]})
    report = check(moved_tree, patches["sglang-24587"])
    assert report.status is Affectedness.AFFECTED
    assert report.evidence[0].file == "sglang/srt/attention/aiter.py"


def test_trees_without_the_file_or_the_project_are_told_apart(
    backend: Backend, patches: Mapping[str, CarriedPatch]
) -> None:
    make = type(backend("0.5.12").tree)
    patch = patches["sglang-24587"]
    assert check(make({"sglang/__init__.py": b""}), patch).status is Affectedness.NOT_AFFECTED
    assert check(make({"vllm/__init__.py": b""}), patch).status is Affectedness.UNKNOWN
    gutted = make({"sglang/__init__.py": b"", _BACKEND: b"# moved away\n"})
    assert check(gutted, patch).status is Affectedness.UNKNOWN
    twice = make({"sglang/__init__.py": b"", **{f"sglang/{n}.py": b"class AiterAttnBackend(B):\n" for n in "ab"}})
    assert check(twice, patch).status is Affectedness.UNKNOWN
    broken_tree = make({"sglang/__init__.py": b"", _BACKEND: b"class AiterAttnBackend(B:\n"})
    assert check(broken_tree, patch).status is Affectedness.UNKNOWN


@pytest.mark.parametrize(("version", "sites"), [("0.5.9", 0), ("0.5.10", 1), ("0.5.12", 3), ("0.5.13", 3)])
def test_follow_ups_name_the_lines_the_reviewer_asked_about(
    version: str, sites: int, backend: Backend, patches: Mapping[str, CarriedPatch]
) -> None:
    source = backend(version)
    follow_ups = find_follow_ups(source.tree, patches["sglang-24587"])
    assert len(follow_ups) == sites
    lines = source.text.splitlines()
    assert all("max_kv_len" in lines[entry.line - 1] for entry in follow_ups)
    assert all("an upper bound" in entry.detail for entry in follow_ups), "the pull request gives the answer"
    assert patches["sglang-24587"].provenance.open_questions == ()

"""The multi-step draft backend lends each inner backend a row of its own buffer."""

from __future__ import annotations

import pytest
from sglang_aiter import expect
from sglang_aiter.arena import overlap
from sglang_aiter.drive import Driver, batch
from sglang_aiter.server import Setting
from sglang_aiter.target import Target

DRAFT, STEPS = 4, 3
GEOMETRIES = [(64, 1), (64, 16), (1000, 16), (200, 64)]
IDS = [f"ctx{context}-page{page}" for context, page in GEOMETRIES]
CASES = [("capture", 1000, 16)] + [("replay", *each) for each in GEOMETRIES]
CASE_IDS = [f"{phase}-ctx{context}-page{page}" for phase, context, page in CASES]


def drive(target: Target, context: int, page: int, attention: str) -> Driver:
    """Build the multi-step backend with its inner backends."""
    setting = Setting(context=context, page=page, unified=attention == "unified", draft=DRAFT, steps=STEPS)
    driver = Driver(target, setting, multi_step=True)
    if attention == "unified" and not getattr(driver.inner[0], "use_triton_unified_attention", False):
        pytest.skip("this backend has no unified attention")
    return driver


@pytest.mark.parametrize(("phase", "context", "page"), CASES, ids=CASE_IDS)
@pytest.mark.parametrize("attention", ["ragged-kernel", "unified"])
def test_every_step_reads_its_tokens(
    target: Target, record_property: expect.Figures, attention: str, phase: str, context: int, page: int
) -> None:
    """Step i sees each sequence and i + 1 draft tokens."""
    driver = drive(target, context, page, attention)
    limit = context - STEPS
    requests = batch([limit, 1, limit // 4 + 1, limit // 2])
    captured = driver.capture("decode", requests.size)
    steps = driver.prepare("decode", requests, in_capture=phase == "capture")
    expect.nothing_outside(driver, record_property, needed=sum(requests.lengths) + requests.size * STEPS)
    for step, metadata in enumerate(steps):
        rows = [length + step + 1 for length in requests.lengths]
        check = expect.page_table if metadata.kv_indptr is None else expect.token_indices
        check(driver, metadata, requests, rows)
        same = metadata.kv_indices.data_ptr() == captured[step].kv_indices.data_ptr()
        assert same, f"step {step} prepares other memory than its graph reads"


@pytest.mark.parametrize(("context", "page"), GEOMETRIES, ids=IDS)
@pytest.mark.parametrize("attention", ["ragged-kernel", "unified"])
def test_the_lent_row_is_used(target: Target, attention: str, context: int, page: int) -> None:
    """An inner backend takes the row that it was given as its token buffer, and no second one."""
    driver = drive(target, context, page, attention)
    rows = driver.backend.cuda_graph_kv_indices
    for step, backend in enumerate(driver.inner):
        assert overlap(backend.cuda_graph_kv_indices, rows[step]), f"step {step} has a token buffer of its own"
        assert backend.cuda_graph_kv_indices.numel() == rows[step].numel()


@pytest.mark.parametrize(("context", "page"), GEOMETRIES[1:3], ids=IDS[1:3])
@pytest.mark.parametrize("phase", ["capture", "replay"])
def test_page_tables_lie_outside_the_lent_rows(target: Target, phase: str, context: int, page: int) -> None:
    """The page table is made from the row's token indices: in the same memory it would overwrite what it reads."""
    driver = drive(target, context, page, "unified")
    steps = driver.prepare("decode", batch([context // 2] * 4), in_capture=phase == "capture")
    for metadata in steps:
        if metadata.kv_indptr is not None:
            pytest.skip("this backend hands its draft steps token indices")
        assert not overlap(metadata.kv_indices, driver.backend.cuda_graph_kv_indices)
        expect.page_table_shape(driver, metadata.kv_indices, 4)

"""What a server does all day: capture a graph for each batch size once, then replay each on sequences that grow.

On a GPU the graphs are real, and larger servers are tried as well.
"""

from __future__ import annotations

from typing import Any

import pytest
from sglang_aiter import expect
from sglang_aiter.device import Device
from sglang_aiter.drive import Batch, Driver, batch
from sglang_aiter.graph import KernelGraph, ReadingGraph, growing
from sglang_aiter.kernels import recorded
from sglang_aiter.server import Setting
from sglang_aiter.target import Target

DRAFT, STEPS = 4, 3
SERVERS = [
    pytest.param("decode", Setting(context=200, page=16), id="decode"),
    pytest.param("decode", Setting(context=200, page=16, mla=True), id="decode-mla"),
    pytest.param("decode", Setting(context=200, page=16, unified=True), id="decode-unified"),
    pytest.param("target_verify", Setting(context=200, page=16, draft=DRAFT, steps=STEPS), id="verify"),
    pytest.param("target_verify", Setting(context=200, page=16, draft=DRAFT, steps=STEPS, mla=True), id="verify-mla"),
    pytest.param(
        "target_verify", Setting(context=200, page=16, draft=DRAFT, steps=STEPS, unified=True), id="verify-unified"
    ),
    pytest.param("draft_extend_v2", Setting(context=200, page=16, draft=DRAFT, steps=STEPS), id="draft_extend_v2"),
]
LARGE = [
    pytest.param(64, 32768, 16, id="64x32768-page16"),
    pytest.param(64, 32768, 64, id="64x32768-page64"),
    pytest.param(256, 8192, 16, id="256x8192-page16"),
    pytest.param(8, 131072, 16, id="8x131072-page16"),
]


@pytest.mark.parametrize(("mode", "setting"), SERVERS)
def test_every_replay_reads_its_own_sequences(
    target: Target, device: Device, record_property: expect.Figures, mode: str, setting: Setting
) -> None:
    """Three batch sizes share the buffers; the lengths grow to the limit in turns."""
    driver = supported(target, mode, setting)
    graphs = {size: ReadingGraph(device, driver.capture(mode, size)[0]) for size in (4, 2, 1)}
    limit = setting.context - (DRAFT if mode == "target_verify" else 0)
    for steps in zip(*(growing(limit, size) for size in graphs), strict=True):
        for (size, graph), requests in zip(graphs.items(), steps, strict=True):
            driver.replay(mode, requests)
            check(driver, graph, requests, mode, record_property)
            assert requests.size == size


@pytest.mark.parametrize(("mode", "setting"), SERVERS)
def test_captured_index_kernels_follow_growing_sequences(
    target: Target, device: Device, record_property: expect.Figures, mode: str, setting: Setting
) -> None:
    """The kernels that fill the buffers are captured, one graph a batch size, and replayed on later sequences."""
    driver = supported(target, mode, setting)
    limit = setting.context - (DRAFT if mode == "target_verify" else 0)
    graphs = {size: kernels(device, driver, mode, growing(limit, size)[0]) for size in (4, 2, 1)}
    for steps in zip(*(growing(limit, size) for size in graphs), strict=True):
        for graph, requests in zip(graphs.values(), steps, strict=True):
            with recorded() as calls:
                (metadata,) = driver.replay(mode, requests)
            if not graph.fits(calls):
                pytest.skip("this backend launches its kernels by the lengths at hand, so no graph can hold them")
            if metadata.kv_indptr is not None:
                metadata.kv_indices.fill_(-1)
            graph.replay(calls)
            compare(driver, metadata, requests, mode, record_property)


def kernels(device: Device, driver: Driver, mode: str, requests: Batch) -> KernelGraph:
    """Capture what the target launches for a batch, or skip where it launches nothing."""
    driver.capture(mode, requests.size)
    with recorded() as calls:
        driver.replay(mode, requests)
    if not calls:
        pytest.skip("this backend fills its buffers without a Triton kernel here")
    return KernelGraph(device, calls)


@pytest.mark.parametrize(("max_bs", "context", "page"), LARGE)
@pytest.mark.parametrize("mla", [False, True], ids=["mha", "mla"])
def test_a_large_server_at_full_context(
    target: Target, device: Device, record_property: expect.Figures, mla: bool, max_bs: int, context: int, page: int
) -> None:
    """Sizes that people serve with; the interpreter would take minutes for each."""
    if not device.is_gpu:
        pytest.skip("runs on a GPU; test_memory does the arithmetic of these sizes everywhere")
    setting = Setting(max_bs=max_bs, context=context, page=page, mla=mla)
    driver = Driver(target, setting)
    graph = ReadingGraph(device, driver.capture("decode", max_bs)[0])
    for length in (context, context // 2, context // 16):
        requests = batch([length] * max_bs)
        driver.replay("decode", requests)
        check(driver, graph, requests, "decode", record_property)


def supported(target: Target, mode: str, setting: Setting) -> Driver:
    """Build the backend, or skip what this one does not have."""
    if not target.supports(mode):
        pytest.skip(f"this backend has no graph path for {mode}")
    driver = Driver(target, setting)
    if setting.unified and not getattr(driver.backend, "use_triton_unified_attention", False):
        pytest.skip("this backend has no unified attention")
    return driver


def check(driver: Driver, graph: ReadingGraph, requests: Batch, mode: str, figures: expect.Figures) -> None:
    """Expect the graph to read this batch's indices, and nothing to be written outside."""
    compare(driver, graph.replay(), requests, mode, figures)


def compare(driver: Driver, seen: Any, requests: Batch, mode: str, figures: expect.Figures) -> None:
    """Expect this batch's indices, and nothing outside."""
    drafts = DRAFT if mode == "target_verify" and (driver.setting.mla or seen.kv_indptr is None) else 0
    rows = [length + drafts for length in requests.lengths]
    expect.nothing_outside(driver, figures, needed=sum(rows))
    (expect.page_table if seen.kv_indptr is None else expect.token_indices)(driver, seen, requests, rows)

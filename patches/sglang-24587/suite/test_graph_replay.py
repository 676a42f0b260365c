"""Real graphs: one reads the index buffers as an attention kernel does, another holds the index kernels themselves.

On a CPU the same work is called again. On a GPU larger servers are tried as well.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from sglang_aiter import expect
from sglang_aiter.device import Device
from sglang_aiter.drive import Driver, Metadata
from sglang_aiter.setting import Batch, Setting, Step, batch
from sglang_aiter.target import Target
from sglang_aiter.trial import Trials

DRAFT, STEPS, SIZES = 4, 3, (4, 2, 1)
SERVERS = [
    pytest.param("decode", Setting(context=200), id="decode"),
    pytest.param("decode", Setting(context=200, mla=True), id="decode-mla"),
    pytest.param("decode", Setting(context=200, unified=True), id="decode-unified"),
    pytest.param("target_verify", Setting(context=200, draft=DRAFT, steps=STEPS), id="verify"),
    pytest.param("target_verify", Setting(context=200, draft=DRAFT, steps=STEPS, mla=True), id="verify-mla"),
    pytest.param("target_verify", Setting(context=200, draft=DRAFT, steps=STEPS, unified=True), id="verify-unified"),
    pytest.param("draft_extend_v2", Setting(context=200, draft=DRAFT, steps=STEPS), id="draft_extend_v2"),
]
LARGE = [
    pytest.param(64, 32768, 16, id="64x32768-page16"),
    pytest.param(64, 32768, 64, id="64x32768-page64"),
    pytest.param(256, 8192, 16, id="256x8192-page16"),
    pytest.param(8, 131072, 16, id="8x131072-page16"),
]


@pytest.mark.parametrize(("mode", "setting"), SERVERS)
def test_every_replay_reads_its_own_sequences(
    target: Target, record_property: expect.Figures, mode: str, setting: Setting
) -> None:
    """Three batch sizes share the buffers; the lengths grow to the limit in turns."""
    driver = supported(target, mode, setting)
    graphs = {size: driver.reading_graph(driver.capture(mode, size)) for size in SIZES}
    for length in lengths(mode, setting):
        for size, (graph, (seen,)) in graphs.items():
            requests = growing(length, size)
            driver.replay(mode, requests)
            target.ask("replay_graph", graph=graph)
            compare(driver, seen, requests, mode, record_property)


@pytest.mark.parametrize(("mode", "setting"), SERVERS)
def test_captured_index_kernels_follow_growing_sequences(
    target: Target, record_property: expect.Figures, mode: str, setting: Setting
) -> None:
    """The kernels that fill the buffers are captured, one graph a batch size, and replayed on later sequences."""
    driver = supported(target, mode, setting)
    graphs = {size: captured_kernels(driver, mode, growing(1, size)) for size in SIZES}
    for length in lengths(mode, setting):
        for size, graph in graphs.items():
            requests = growing(length, size)
            given = {"mode": mode, "rows": requests.rows, "lengths": requests.lengths}
            answer = target.ask("launch", graph=graph, **given)
            if not answer["fits"]:
                pytest.skip("this backend launches its kernels by the lengths at hand, so no graph can hold them")
            metadata = Metadata(driver.region, answer["metadata"][0])
            if metadata.kv_indptr is not None and metadata.kv_indices is not None:
                metadata.kv_indices.fill_(-1)
            target.ask("replay_kernels", graph=graph)
            compare(driver, metadata, requests, mode, record_property)


@pytest.mark.parametrize(("max_bs", "context", "page"), LARGE)
@pytest.mark.parametrize("mla", [False, True], ids=["mha", "mla"])
def test_a_large_server_at_full_context(
    target: Target, device: Device, record_property: expect.Figures, mla: bool, max_bs: int, context: int, page: int
) -> None:
    """Sizes that people serve with; the interpreter would take minutes for each."""
    if not device.is_gpu:
        pytest.skip("runs on a GPU; test_memory does the arithmetic of these sizes everywhere")
    driver = Driver(target, Setting(max_bs=max_bs, context=context, page=page, mla=mla))
    captured = driver.capture("decode", max_bs)
    for length in (context, context // 16):
        requests = batch([length] * max_bs)
        driver.replay("decode", requests)
        compare(driver, captured.now()[0], requests, "decode", record_property)


def steps(trials: Trials) -> list[Step]:
    """Return what the cases make a server do."""
    servers = [param.values for param in SERVERS]
    made = [
        Step(mode, setting, tuple(growing(60, size) for size in SIZES))
        for mode, setting in servers
        if trials.target.supports(mode, plain=plain(setting))
    ]
    for param in LARGE:
        max_bs, context, page = param.values
        for mla in (False, True):
            requests = batch([context] * max_bs)
            made.append(Step("decode", Setting(max_bs=max_bs, context=context, page=page, mla=mla), (requests,)))
    return made


def plain(setting: Setting) -> bool:
    """Whether a server uses neither MLA nor unified attention."""
    return not setting.mla and not setting.unified


def supported(target: Target, mode: str, setting: Setting) -> Driver:
    """Build the backend, or skip what this one does not have."""
    if not target.supports(mode, plain=plain(setting)):
        pytest.skip(f"this backend has no graph path for {mode}")
    driver = Driver(target, setting)
    if setting.unified and not driver.unified:
        pytest.skip("this backend has no unified attention")
    return driver


def captured_kernels(driver: Driver, mode: str, requests: Batch) -> int:
    """Capture what the target launches for a batch, or skip where it launches nothing."""
    driver.capture(mode, requests.size)
    given = {"mode": mode, "rows": requests.rows, "lengths": requests.lengths}
    graph = driver.target.ask("capture_kernels", **given)
    if graph is None:
        pytest.skip("this backend fills its buffers without a Triton kernel here")
    return int(graph)


def lengths(mode: str, setting: Setting) -> list[int]:
    """List lengths that grow to the limit. Verify leaves room for its drafts."""
    limit = setting.context - (DRAFT if mode == "target_verify" else 0)
    return [1, limit // 3, limit - 1, limit]


def growing(length: int, size: int) -> Batch:
    """Make sequences that are each a little shorter than the one before it."""
    return Batch(tuple(range(size, 0, -1)), tuple(max(1, length - place) for place in range(size)))


def compare(driver: Driver, seen: Metadata, requests: Batch, mode: str, figures: expect.Figures) -> None:
    """Expect this batch's indices, and nothing outside."""
    drafts = DRAFT if mode == "target_verify" and (driver.setting.mla or seen.kv_indptr is None) else 0
    rows: Sequence[int] = [length + drafts for length in requests.lengths]
    expect.nothing_outside(driver, figures, needed=sum(rows))
    expect.indices(driver, seen, requests, rows)

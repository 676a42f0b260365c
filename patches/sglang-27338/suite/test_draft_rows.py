"""Each draft step has a row of indices: it holds the sequence of every branch of every request, and its drafts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from sglang_aiter.setting import Batch, Setting, batch
from sglang_parts.draft_indices import ROWS, Driver, server
from sglang_parts.part import Part

PART = "draft_indices"
Figures = Callable[[str, object], None]
SERVERS = [
    # context, page size, steps, branches
    (64, 1, 3, 1),
    (64, 1, 3, 2),
    (64, 1, 3, 5),
    (64, 16, 4, 1),
    (64, 16, 4, 4),
    (200, 64, 2, 2),
]
IDS = [f"ctx{context}-page{page}-steps{steps}-topk{topk}" for context, page, steps, topk in SERVERS]
CHANGING = [(61,), (1, 61, 17), (16, 15, 32)]


def full(setting: Setting, size: int | None = None) -> Batch:
    """Make requests that are as long as the context allows when all drafts have been added."""
    return batch([setting.context - (setting.steps or 0)] * (size or setting.max_bs))


def check(driver: Driver, requests: Batch, way: str, figures: Figures) -> None:
    """Prepare a batch; expect that nothing was written outside, and each step to be handed what it is to read."""
    steps = driver.prepare(way, requests)
    needed = driver.expected(requests, (driver.setting.steps or 1) - 1)[1].numel()
    figures("row", driver.rows.shape[1])
    figures("needed", needed)
    spills = driver.spills()
    figures("past_end", sum(spill.past_end for spill in spills))
    assert not spills, "; ".join(map(str, spills))
    assert len(steps) == (driver.setting.steps or 1) - 1
    for number, step in enumerate(steps):
        starts, indices = driver.expected(requests, number)
        given = step.tensor("kv_indptr")
        assert torch.equal(given.to(torch.int64), starts), (
            f"step {number}: starts {given.tolist()}, not {starts.tolist()}"
        )
        held = step.tensor("kv_indices")
        assert held.dtype == torch.int32, f"step {number}: indices are {held.dtype}; the kernels read int32"
        assert held.numel() == indices.numel(), f"step {number} is handed {held.numel()} of {indices.numel()} indices"
        wrong = int((held != indices).sum())
        assert wrong == 0, f"step {number}: {wrong} of {indices.numel()} indices are wrong"


@pytest.mark.parametrize(("context", "page", "steps", "topk"), SERVERS, ids=IDS)
def test_a_row_holds_every_branch_of_the_largest_batch(
    part: Part, record_property: Figures, context: int, page: int, steps: int, topk: int
) -> None:
    """As long as the context allows."""
    setting = server(max_bs=2, topk=topk, steps=steps, context=context, page=page)
    check(Driver(part, setting), full(setting), "replay", record_property)


@pytest.mark.parametrize("topk", [1, 8], ids=["topk1", "topk8"])
def test_capture(part: Part, record_property: Figures, topk: int) -> None:
    """One request is enough where it is as long as the context."""
    setting = server(max_bs=1, topk=topk, steps=3, context=33, page=1)
    check(Driver(part, setting), full(setting), "capture", record_property)


def test_replays_of_changing_batches(part: Part, record_property: Figures) -> None:
    """Smaller and larger ones, on the memory that was lent at capture."""
    driver = Driver(part, server(max_bs=3, topk=3, steps=3, context=64, page=16))
    captured = driver.prepare("capture", batch([1] * 3))
    for lengths in CHANGING:
        check(driver, batch(lengths), "replay", record_property)
    replayed = driver.prepare("replay", batch([1] * 3))
    assert [step.address("lent") for step in captured] == [step.address("lent") for step in replayed]


def test_each_step_is_lent_the_row_that_is_filled_for_it(part: Part) -> None:
    """A graph reads the row that its step was lent."""
    driver = Driver(part, server(max_bs=1, topk=4, steps=4, context=64, page=1))
    steps = driver.prepare("replay", full(driver.setting))
    for number, step in enumerate(steps):
        (lent, shape), (filled, _) = step.address("lent"), step.address("kv_indices")
        assert lent == filled, f"step {number} is lent another row than the one that is filled for it"
        assert shape == [driver.rows.shape[1]]
    assert len({step.address("lent")[0] for step in steps}) == len(steps), "two steps share a row"


def test_without_a_graph(part: Part, record_property: Figures) -> None:
    """The rows are made for the batch at hand."""
    driver = Driver(part, server(max_bs=2, topk=4, steps=3, context=64, page=16))
    check(driver, batch([61, 5]), "eager", record_property)


@pytest.mark.parametrize("topk", [1, 2, 5], ids=["topk1", "topk2", "topk5"])
def test_rows_cost_what_they_hold(part: Part, record_property: Figures, topk: int) -> None:
    """A row for each step, on the device, with room for a page and the drafts of each branch besides."""
    setting = server(max_bs=8, topk=topk, steps=4, context=512, page=16)
    driver = Driver(part, setting)
    most = 4 * 9 * topk * (512 + 4 + 2 * 16)
    record_property("numel", driver.rows.numel)
    assert driver.rows.device == part.device.torch, f"{ROWS} lies on {driver.rows.device}"
    assert driver.rows.numel <= most, f"{ROWS} takes {driver.rows.bytes} bytes; {4 * most} are enough"

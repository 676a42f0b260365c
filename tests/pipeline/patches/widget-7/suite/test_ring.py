"""The ring holds what is written into it."""

import importlib.util
import os
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.mark.parametrize("width", [1, 4])
def test_every_entry_fits(width: int, record_property: Callable[[str, object], None]) -> None:
    path = Path(os.environ["SUITE_TARGET"], "widget", "ring.py")
    spec = importlib.util.spec_from_file_location("ring", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    ring = module.Ring()
    ring.allocate(8, width)
    past_end = max(0, 8 * width - len(ring.entries))
    record_property("past_end", past_end)
    assert past_end == 0, f"{past_end} entries past the end"

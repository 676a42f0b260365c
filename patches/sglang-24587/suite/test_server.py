"""The target's own server past the old limit. Runs on a ROCm device with aiter and a model, and says so where not."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sglang_aiter import serve
from sglang_aiter.device import Device


def test_the_server_outgrows_the_old_limit(device: Device, tmp_path: Path) -> None:
    """Two running sequences that together are longer than a page-granular buffer holds, decoded by graph replay."""
    reason = serve.not_run_because(device)
    if reason:
        pytest.skip(reason)
    limit = serve.MAX_RUNNING * serve.CONTEXT // serve.PAGE
    with serve.RunningServer(tmp_path) as server:
        with ThreadPoolExecutor(serve.MAX_RUNNING) as clients:
            asked = [clients.submit(server.generate, limit, 256) for _ in range(serve.MAX_RUNNING)]
            answers = [each.exception() or each.result() for each in asked]
        assert server.faults() == [], server.tail()
        assert server.alive(), f"the server ended: {server.tail()}"
        assert not [each for each in answers if isinstance(each, BaseException)], answers
        assert server.generate(16, 8)["text"] is not None

"""Proofs on one machine take turns on a device, also those of several processes."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from bot.config import parse_config
from bot.server.proof_queues import turn_on_device


@pytest.mark.parametrize(
    ("prove", "taken"),
    [
        ("device: cpu", {"cpu"}),
        ("device: rocm", {"gpu"}),
        ("device: auto", {"cpu", "gpu"}),
        ("devices: [{name: cpu}, {name: gfx942}]", {"cpu", "gpu"}),
        ("runner: github-actions", set()),
    ],
)
def test_a_proof_has_its_device_for_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prove: str, taken: set[str]
) -> None:
    monkeypatch.setenv("BACKPORT_BOT_CACHE", str(tmp_path))
    with turn_on_device(parse_config(f"repository: acme/widget\nprove: {{{prove}}}\n").prove):
        assert {device for device in ("cpu", "gpu") if not is_free(tmp_path / f"{device}.lock")} == taken
    assert all(map(is_free, tmp_path.iterdir()))


def is_free(path: Path) -> bool:
    """Say whether nobody holds the lock."""
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

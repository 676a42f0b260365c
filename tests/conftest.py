"""Fixtures that every room's tests may use."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.demo import wheels


@pytest.fixture(scope="session")
def released() -> Callable[[str], Path]:
    """Return the unpacked sources of a released sglang version; downloaded once, then cached."""
    return wheels.released

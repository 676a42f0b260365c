"""The hooks by which other plugins take part in a run that waits for its turn."""

from __future__ import annotations

import pytest


def pytest_run_prepare(session: pytest.Session) -> None:
    """Load what takes long, while another run may still use the device.

    It may take a little of the device's memory, and run nothing of the target's.
    """


def pytest_run_begin(session: pytest.Session) -> dict[str, str]:  # type: ignore[empty-body]
    """Begin, before the first case; return what the report shall say of the run. `pytest.exit` ends the run."""


def pytest_run_end(session: pytest.Session) -> dict[str, str]:  # type: ignore[empty-body]
    """End, once the cases have run; return what the report shall say of the run."""

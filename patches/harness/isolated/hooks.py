"""The hooks by which other plugins take part in the process that runs the cases."""

from __future__ import annotations

import pytest


def pytest_case_process_prepare(session: pytest.Session, apart: bool) -> None:
    """Load what takes long, while another run may still have the device: no device and nothing of the target's.

    `apart` says whether it is the process of the cases that use no device.
    """


def pytest_case_process_start(session: pytest.Session, apart: bool) -> dict[str, str]:  # type: ignore[empty-body]
    """Begin, before the first case; return what the report shall say of the run.

    Whatever must not be there before the fork (a device's context, say) belongs here. `pytest.exit` ends the run.
    """


def pytest_case_process_end(session: pytest.Session) -> dict[str, str]:  # type: ignore[empty-body]
    """Return what the report shall say of the run, once the cases have run."""


@pytest.hookspec(firstresult=True)
def pytest_case_process_lost(item: pytest.Item) -> str | None:
    """Say after a case why this process can run no other one, e.g. because its device has faulted. The first says it.

    A case that passed until then fails with this reason; the next case gets a process of its own.
    """

"""The pytest side: the device and the target as fixtures, what the run says of itself, and what counts as an error.

A suite's conftest names this module in `pytest_plugins`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator

import pytest

from sglang_aiter import device as devices
from sglang_aiter.errors import HarnessError
from sglang_aiter.target import Target
from sglang_aiter.tree import Tree

NO_DEVICE_CODE = 64
"""The exit code that says: the device that was asked for is not there."""


def pytest_sessionstart(session: pytest.Session) -> None:
    """Choose the device before anything imports triton."""
    try:
        devices.choose()
    except devices.NoDevice as absent:
        pytest.exit(str(absent), returncode=NO_DEVICE_CODE)


@pytest.fixture(scope="session")
def device() -> devices.Device:
    """Where the suite runs."""
    return devices.choose()


@pytest.fixture(scope="session", autouse=True)
def _described(device: devices.Device, record_testsuite_property: Callable[[str, object], None]) -> None:
    for name, value in device.describe().items():
        record_testsuite_property(name, value)
    record_testsuite_property("version.target", Tree.from_environment().version)


@pytest.fixture(scope="session")
def target(device: devices.Device) -> Target:
    """The backend of the tree that SUITE_TARGET names. One that cannot be imported is an error of every case."""
    return Target.load()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Report the harness's own limits as errors: a failure is a finding about the target."""
    report = yield
    if call.excinfo is not None and call.excinfo.errisinstance(HarnessError) and report.when == "call":
        report.when = "setup"
    return report

"""The pytest side: the device and the target as fixtures, what the run says of itself, and what counts as an error.

A suite's conftest names this module in `pytest_plugins`, behind `isolated.plugin`: the device is chosen and used in the
process that runs the cases, because a device does not outlive a fork and a fault does not outlive the process.
"""

from __future__ import annotations

from collections.abc import Generator

import pytest
import torch

from sglang_aiter import device as devices
from sglang_aiter.errors import HarnessError
from sglang_aiter.target import Target
from sglang_aiter.tree import Tree

NO_DEVICE_CODE = 64
"""The exit code that says: the device that was asked for is not there."""
CHOSEN = pytest.StashKey[devices.Device]()


def pytest_case_process_prepare(session: pytest.Session, apart: bool) -> None:
    """Choose the device before anything imports triton, and have the compiler ready."""
    try:
        chosen = session.stash[CHOSEN] = devices.NONE if apart else devices.choose()
    except devices.NoDevice as absent:
        pytest.exit(str(absent), returncode=NO_DEVICE_CODE)
    chosen.load_compiler()


def pytest_case_process_start(session: pytest.Session, apart: bool) -> dict[str, str]:
    """Name the device, with every version that a figure depends on."""
    described = {} if apart else session.stash[CHOSEN].describe()
    return described | {"version.target": Tree.from_environment().version}


def pytest_case_process_end() -> dict[str, str]:
    """Name where each module of the target's came from: its tree, or a stand-in."""
    loaded = Target.loaded
    return {f"module.{name}": origin for name, origin in loaded.finder.provenance.items()} if loaded else {}


def pytest_case_process_lost() -> str | None:
    """Wait for the device; what a kernel did wrong comes out here at the latest, and the device is then lost."""
    if not torch.cuda.is_initialized():
        return None
    try:
        torch.cuda.synchronize()
    except RuntimeError as fault:
        return f"the device faulted: {fault}"
    return None


@pytest.fixture(scope="session")
def device(request: pytest.FixtureRequest) -> devices.Device:
    """Where the suite runs."""
    return request.session.stash[CHOSEN]


@pytest.fixture(scope="session")
def target(device: devices.Device) -> Target:
    """The backend of the tree that SUITE_TARGET names. One that cannot be imported is an error of every case."""
    return Target.load(device)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Report the harness's own limits as errors: a failure is a finding about the target."""
    report = yield
    if call.excinfo is not None and call.excinfo.errisinstance(HarnessError) and report.when == "call":
        report.when = "setup"
    return report

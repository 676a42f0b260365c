"""The pytest side: the device and the target as fixtures, and what the run says of itself.

A suite's conftest names this module in `pytest_plugins`, behind `isolated.plugin` and `sglang_aiter.early`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
from isolated.errors import TargetFailed

from sglang_aiter import device as devices
from sglang_aiter.compiling import Compiling
from sglang_aiter.setting import Step
from sglang_aiter.target import Target
from sglang_aiter.tree import Tree
from sglang_aiter.trial import Trials

NO_DEVICE_CODE = 64
"""The exit code that says: the device that was asked for is not there."""
TARGET, TRIALS, COMPILING = pytest.StashKey[Target](), pytest.StashKey[Trials](), pytest.StashKey[Compiling]()


def pytest_run_prepare(session: pytest.Session) -> None:
    """Choose the device, and have a child with its compiler ready."""
    try:
        target = session.stash[TARGET] = Target(devices.choose())
    except devices.NoDevice as absent:
        pytest.exit(str(absent), returncode=NO_DEVICE_CODE)
    session.stash[TRIALS] = Trials(target)
    target.prepare()
    ahead = target.device.is_gpu and bool(_steps(session))
    if ahead or any("compiling" in getattr(item, "fixturenames", ()) for item in session.items):
        session.stash[COMPILING] = Compiling(ahead=ahead)


def pytest_run_begin(session: pytest.Session) -> dict[str, str]:
    """Name the device, with every version that a figure depends on."""
    return session.stash[TARGET].device.describe() | {"version.target": Tree.from_environment().version}


def pytest_run_end(session: pytest.Session) -> dict[str, str]:
    """Name where each module of the target's came from, what was tried, and what could not be looked at."""
    target, trials = session.stash.get(TARGET, None), session.stash.get(TRIALS, None)
    if target is None or trials is None:
        return {}
    said = trials.coverage.properties() | {f"unseen.{path}": why for path, why in trials.unseen.items()}
    with contextlib.suppress(TargetFailed, AttributeError):
        said |= {f"module.{name}": str(origin) for name, origin in target.ask("provenance").items()}
    target.end()
    if COMPILING in session.stash:
        session.stash[COMPILING].end()
    return said | {"requests": str(target.asked)}


@pytest.fixture(scope="session")
def device(request: pytest.FixtureRequest) -> devices.Device:
    """Where the suite runs."""
    return request.session.stash[TARGET].device


@pytest.fixture(scope="session")
def target(request: pytest.FixtureRequest) -> Target:
    """The backend of the tree that SUITE_TARGET names. One that cannot be imported is an error of every case."""
    session = request.session
    target, compiling = session.stash[TARGET], session.stash.get(COMPILING, None)
    try:
        target.load()
    except devices.NoDevice as absent:
        pytest.exit(str(absent), returncode=NO_DEVICE_CODE)
    if compiling is not None:
        trials = session.stash[TRIALS]
        compiling.begin(target, [steps(trials) for steps in _steps(session)] if compiling.ahead else [])
    return target


@pytest.fixture(scope="session")
def compiling(request: pytest.FixtureRequest, target: Target) -> Compiling:
    """The target's kernels compiled for AMD, which was begun with the first case."""
    return request.session.stash[COMPILING]


@pytest.fixture(scope="session")
def trials(request: pytest.FixtureRequest, target: Target) -> Trials:
    """Drawn settings of the target's, and the count of what was tried."""
    return request.session.stash[TRIALS]


def _steps(session: pytest.Session) -> list[Callable[[Trials], list[Step]]]:
    """Return the functions by which test modules say what their cases make a server do: `steps(trials)`."""
    modules = dict.fromkeys(item.getparent(pytest.Module).obj for item in session.items)  # type: ignore[union-attr]
    return [module.steps for module in modules if hasattr(module, "steps")]

"""The pytest side: the device and the part as fixtures, and what the run says of itself.

A suite's conftest names this module in `pytest_plugins`, behind `isolated.plugin` and `sglang_parts.early`, and sets
PART to the name of the part that the suite is about.
"""

from __future__ import annotations

import contextlib

import pytest
from isolated.errors import TargetFailed
from sglang_aiter import device as devices
from sglang_aiter.plugin import NO_DEVICE_CODE
from sglang_aiter.tree import Tree

from sglang_parts.part import Part

HELD = pytest.StashKey[Part]()


def pytest_run_prepare(session: pytest.Session) -> None:
    """Choose the device, and have a child ready."""
    try:
        device = devices.choose()
    except devices.NoDevice as absent:
        pytest.exit(str(absent), returncode=NO_DEVICE_CODE)
    session.stash[HELD] = Part(_part_name(session), device)
    session.stash[HELD].prepare()


def pytest_run_begin(session: pytest.Session) -> dict[str, str]:
    """Name the device, with every version that a figure depends on."""
    return session.stash[HELD].device.describe() | {"version.target": Tree.from_environment().version}


def pytest_run_end(session: pytest.Session) -> dict[str, str]:
    """Name where each module of the target's came from."""
    held = session.stash.get(HELD, None)
    if held is None:
        return {}
    said: dict[str, str] = {}
    with contextlib.suppress(TargetFailed, AttributeError):
        said = {f"module.{name}": str(origin) for name, origin in held.provenance().items()}
    held.end()
    return said | {"requests": str(held.asked)}


@pytest.fixture(scope="session")
def part(request: pytest.FixtureRequest) -> Part:
    """The part of the tree that SUITE_TARGET names. One that cannot be imported is an error of every case."""
    held = request.session.stash[HELD]
    held.load()
    return held


def _part_name(session: pytest.Session) -> str:
    plugins = session.config.pluginmanager.get_plugins()
    return next(plugin.PART for plugin in plugins if isinstance(getattr(plugin, "PART", None), str))

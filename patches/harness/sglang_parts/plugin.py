"""The pytest side: the device and the parts as fixtures, and what the run says of itself.

A suite's conftest names this module in `pytest_plugins`, behind `isolated.plugin` and `sglang_parts.early`. Each test
module sets PART to the name of the part that it is about.
"""

from __future__ import annotations

import contextlib

import pytest
from isolated.errors import TargetFailed
from sglang_aiter import device as devices
from sglang_aiter.plugin import NO_DEVICE_CODE
from sglang_aiter.tree import Tree

from sglang_parts.part import Part

DEVICE, PARTS = pytest.StashKey[devices.Device](), pytest.StashKey[dict[str, Part]]()


def pytest_run_prepare(session: pytest.Session) -> None:
    """Choose the device, and have a child ready for the first part."""
    try:
        device = session.stash[DEVICE] = devices.choose()
    except devices.NoDevice as absent:
        pytest.exit(str(absent), returncode=NO_DEVICE_CODE)
    module = session.items[0].getparent(pytest.Module)
    assert module is not None
    first = Part(module.obj.PART, device)
    session.stash[PARTS] = {first.name: first}
    first.prepare()


def pytest_run_begin(session: pytest.Session) -> dict[str, str]:
    """Name the device, with every version that a figure depends on."""
    return session.stash[DEVICE].describe() | {"version.target": Tree.from_environment().version}


def pytest_run_end(session: pytest.Session) -> dict[str, str]:
    """Name where each module of the target's came from."""
    said: dict[str, str] = {}
    parts = session.stash.get(PARTS, {}).values()
    for held in parts:
        with contextlib.suppress(TargetFailed, AttributeError):
            said |= {f"module.{name}": str(origin) for name, origin in held.provenance().items()}
        held.end()
    return said | {"requests": str(sum(held.asked for held in parts))}


@pytest.fixture(scope="module")
def part(request: pytest.FixtureRequest) -> Part:
    """The part of the tree that SUITE_TARGET names. One that cannot be imported is an error of every case."""
    parts, name = request.session.stash[PARTS], request.module.PART
    held = parts.setdefault(name, Part(name, request.session.stash[DEVICE]))
    held.load()
    return held

"""Machines that are described and not there, for code that only asks what it runs on."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import torch
from sglang_aiter.tree import PACKAGE


def forget() -> None:
    """Let the target be imported anew: it asks what it runs on once in a process."""
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


@contextlib.contextmanager
def described(machine: dict[str, Any]) -> Iterator[None]:
    """Let torch describe another machine: HIP or not, and one GPU with its architecture and compute units."""
    found = SimpleNamespace(multi_processor_count=machine["units"], name=machine["arch"] or "a GPU", major=9, minor=0)
    if machine["arch"]:
        found.gcnArchName = f"{machine['arch']}:sramecc+:xnack-"
    answers = {
        "get_device_properties": lambda *_device: found,
        "is_available": lambda: True,
        "device_count": lambda: 1,
        "current_device": lambda: 0,
        "get_device_capability": lambda *_device: (9, 0),
        "get_device_name": lambda *_device: found.name,
    }
    held = {name: getattr(torch.cuda, name) for name in answers}
    hip = torch.version.hip
    try:
        for name, answer in answers.items():
            setattr(torch.cuda, name, answer)
        torch.version.hip = "7.2.0" if machine["arch"] else None
        yield
    finally:
        torch.version.hip = hip
        for name, kept in held.items():
            setattr(torch.cuda, name, kept)

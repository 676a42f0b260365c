"""The requests that the child answers: it loads one part, and hands on what that part is asked."""

from __future__ import annotations

import importlib
from typing import Any

import torch
from isolated.memory import opened

PARTS = "sglang_parts.child"


class Handler:
    """One child's state: the part that it has loaded."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._part: Any = None

    def warm(self, gpu: bool) -> None:
        """Import what compiles kernels, and bring a GPU up."""
        importlib.import_module("triton")
        if gpu:
            torch.zeros(1, device="cuda")  # brings it up

    def load(self, part: str, root: str, device: str, handle: list[Any]) -> None:
        """Import the part. Raises what a user would see."""
        module = importlib.import_module(f"{PARTS}.{part}")
        self._part = module.Part(root, device, opened(handle, self._descriptor))

    def provenance(self) -> dict[str, str]:
        """Say where each module of the target's came from: its tree, or a stand-in."""
        return dict(self._part.finder.provenance) if self._part else {}

    def call(self, request: str, given: dict[str, Any]) -> Any:
        """Ask the part for one thing."""
        return getattr(self._part, request)(**given)

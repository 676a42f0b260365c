"""One part of the target, seen from the judge: a child that has loaded it, and a new one where that has ended."""

from __future__ import annotations

from typing import Any

from isolated.child import Child
from isolated.memory import Region
from sglang_aiter.device import Device
from sglang_aiter.tree import Tree

HANDLER = "sglang_parts.child.handler"


class Part:
    """A part by its name, on a device; `prepare` may come before the device is to be used."""

    def __init__(self, name: str, device: Device) -> None:
        self.name, self.device = name, device
        self.asked = 0
        self._region: Region | None = None
        self._child: Child | None = None

    def prepare(self) -> None:
        """Start a child that has its libraries ready, and take the shared memory; nothing of the target's is run."""
        if not self.device.is_gpu:  # the child is given it as a file
            self._region = self._region or Region(self.device.torch)
        descriptor = self._region.descriptor if self._region else -1
        self._child = Child(HANDLER, descriptor=descriptor, settings=self.device.environment)
        self._child.begin("warm", gpu=self.device.is_gpu)
        self._region = self._region or Region(self.device.torch)

    @property
    def region(self) -> Region:
        """The memory that a living child shares."""
        self._revive()
        assert self._region is not None
        return self._region

    def load(self) -> None:
        """Load the tree that SUITE_TARGET names. Raises TargetFailed with what a user would see."""
        if self._child is None or self._child.ended:
            self.prepare()
        assert self._child is not None
        assert self._region is not None
        self._child.answer()
        given = {"root": str(Tree.from_environment().root), "device": self.device.torch}
        self._child.ask("load", part=self.name, **given, handle=self._region.handle())

    def ask(self, name: str, **given: Any) -> Any:
        """Ask the part; a child that has ended is replaced first. Raises TargetFailed or HarnessError."""
        self.asked += 1
        self.device.wait()  # what the judge has written must be there
        return self._revive().ask("call", request=name, given=given)

    def provenance(self) -> dict[str, str]:
        """Return where each module of the target's came from."""
        return dict(self._revive().ask("provenance"))

    def end(self) -> None:
        """Leave nothing of the child."""
        if self._child is not None:
            self._child.end()

    def _revive(self) -> Child:
        if self._child is None or self._child.ended:
            self.load()
        assert self._child is not None
        return self._child

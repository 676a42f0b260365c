"""The target, seen from the judge: a child process that has loaded it, and a new one where that has ended."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from isolated.child import Child
from isolated.errors import TargetFailed
from isolated.memory import Region

from sglang_aiter.device import Device, NoDevice
from sglang_aiter.setting import Setting
from sglang_aiter.tree import Tree

HANDLER = "sglang_aiter.child.handler"
_HEADS = (4, 8, 16, 32, 64, 128)
"""Head counts that some release of the backend serves MLA models with; others it refuses."""


class Target:
    """One source tree, loaded in a child on a device; `prepare` may come before the device is to be used."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self.region: Region | None = None
        self.asked = 0
        self._child: Child | None = None
        self._modes: frozenset[str] = frozenset()
        self._verifies_plainly = False
        self._heads: tuple[int, ...] = ()
        self._drafts_by_page: bool | None = None

    def prepare(self) -> None:
        """Start a child that has its libraries ready, and take the shared memory; nothing of the target's is run."""
        if not self.device.is_gpu:  # the child is given it as a file
            self.region = self.region or Region(self.device.torch)
        self._child = Child(
            HANDLER, descriptor=self.region.descriptor if self.region else -1, settings=self.device.environment
        )
        self._child.begin("warm", gpu=self.device.is_gpu, launches=self.device.is_gpu, compiles=False)
        self.region = self.region or Region(self.device.torch)

    def load(self) -> None:
        """Load the tree that SUITE_TARGET names. Raises TargetFailed with what a user would see.

        Raises NoDevice where nothing of the target was run, as no kernel runs here.
        """
        if self._child is None or self._child.ended:
            self.prepare()
        assert self._child is not None
        assert self.region is not None
        child = self._child
        limit = child.answer()
        if limit:
            raise NoDevice(limit)
        root = str(Tree.from_environment().root)
        said = child.ask("load", root=root, device=self.device.torch, handle=self.region.handle())
        self._modes, self._verifies_plainly = frozenset(said["modes"]), bool(said["verifies_plainly"])

    def ask(self, name: str, **given: Any) -> Any:
        """Ask the child; one that has ended is replaced first. Raises TargetFailed or HarnessError."""
        self.revived()
        assert self._child is not None
        self.asked += 1
        self.device.wait()  # what the judge has written must be there
        return self._child.ask(name, **given)

    def revived(self) -> Region:
        """Bring a new child, where the last one has ended; return the memory that it shares."""
        if self._child is None or self._child.ended:
            self.load()
        assert self.region is not None
        return self.region

    def supports(self, mode: str, *, plain: bool = False) -> bool:
        """Whether the graph path of this backend has a branch for a mode; `plain` is neither MLA nor unified."""
        return mode in self._modes and (mode != "target_verify" or not plain or self._verifies_plainly)

    def drafts_by_page(self) -> bool:
        """Whether the backend that drafts several tokens takes page sizes above 1."""
        if self._drafts_by_page is None:
            self._drafts_by_page = self._builds(Setting(draft=4, steps=3), multi_step=True)
        return self._drafts_by_page

    def mla_heads(self) -> tuple[int, ...]:
        """Return the head counts that this backend takes with MLA."""
        if not self._heads:
            self._heads = tuple(heads for heads in _HEADS if self._builds(Setting(mla=True, heads=heads)))
        return self._heads

    def end(self) -> None:
        """Leave nothing of the child."""
        if self._child is not None:
            self._child.end()

    def _builds(self, setting: Setting, *, multi_step: bool = False) -> bool:
        try:
            self.ask("build", **unplaced(setting) | {"multi_step": multi_step}, allocate=False)
        except TargetFailed as failed:
            if "AssertionError" not in str(failed):
                raise
            return False
        return True


def unplaced(setting: Setting) -> dict[str, Any]:
    """Return the request for a backend whose tables are the child's own."""
    return {
        "setting": asdict(setting),
        "table": None,
        "mapping": None,
        "multi_step": False,
        "lend": None,
        "planned": False,
    }

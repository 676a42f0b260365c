"""The target's kernels compiled for AMD's GPUs, by a child that works while the cases run."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from isolated.child import Child

from sglang_aiter.device import COMPILER
from sglang_aiter.setting import Setting
from sglang_aiter.target import HANDLER, Target
from sglang_aiter.tree import Tree

ARCHITECTURES = ("gfx942", "gfx950", "gfx90a")
"""AMD's data-centre GPUs that upstream runs on: MI300X and MI325X, MI355X, MI250X."""
_KINDS = ((False, False), (True, False), (False, True))
"""MLA or not, unified or not: servers whose paths launch different kernels."""


class Compiling:
    """The compilation, begun when this is made."""

    def __init__(self, target: Target) -> None:
        self._child = Child(HANDLER, settings=COMPILER.environment)
        self._child.ask("warm", gpu=True)
        self._child.ask("load", root=str(Tree.from_environment().root), device=COMPILER.torch, handle=None)
        self._child.begin("compile_paths", paths=list(_paths(target)), architectures=list(ARCHITECTURES))
        self._done: list[dict[str, Any]] | None = None

    def of(self, arch: str) -> list[dict[str, Any]]:
        """Wait for the compilation, and return what it came to for an architecture."""
        if self._done is None:
            self._done = self._child.answer()
        return [each for each in self._done if each["arch"] == arch]

    def end(self) -> None:
        """Leave nothing of the child."""
        self._child.end()


def _paths(target: Target) -> list[dict[str, Any]]:
    paths = []
    for mode in ("decode", "target_verify", "draft_extend", "draft_extend_v2"):
        draft, steps = (None, None) if mode == "decode" else (4, 3)
        for mla, unified in _KINDS if target.supports(mode) else ():
            paths.append((mode, Setting(mla=mla, unified=unified, draft=draft, steps=steps), False))
    paths += [("decode", Setting(unified=unified, draft=4, steps=3), True) for unified in (False, True)]
    return [{"mode": mode, "setting": asdict(setting), "multi_step": several} for mode, setting, several in paths]

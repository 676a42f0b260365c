"""The target's kernels compiled by a child that touches no GPU, while the cases run.

It compiles for the GPU that is here what the cases are going to launch, and for AMD's GPUs what every path launches.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from isolated.child import Child
from isolated.errors import TargetFailed

from sglang_aiter.device import COMPILER
from sglang_aiter.setting import Batch, Setting, Step
from sglang_aiter.target import HANDLER, Target
from sglang_aiter.tree import Tree

ARCHITECTURES = ("gfx942", "gfx950", "gfx90a")
"""AMD's data-centre GPUs that upstream runs on: MI300X and MI325X, MI355X, MI250X."""
_KINDS = ((False, False), (True, False), (False, True))
"""MLA or not, unified or not: servers whose paths launch different kernels."""
_FEW = Batch((2, 1), (1, 17))


class Compiling:
    """The compilation. Once this is made its child has its libraries ready, with no device and nothing of the target's.

    With `ahead` it also compiles for the GPU that is here.
    """

    def __init__(self, *, ahead: bool) -> None:
        self.ahead = ahead
        self._child = Child(HANDLER, settings=COMPILER.environment)
        self._child.begin("warm", gpu=True, launches=False, compiles=ahead)
        self._done: list[dict[str, Any]] | None = None
        self._failure: TargetFailed | None = None

    def begin(self, target: Target, steps: Iterable[Iterable[Step]]) -> None:
        """Begin to compile for the GPU that is here what these steps launch, part by part, and then for AMD's."""
        root = str(Tree.from_environment().root)
        self._child.answer()
        self._child.begin(
            "compile_steps",
            root=root,
            target=target.device.compiled_for() if self.ahead else None,
            parts=[[asdict(step) for step in part] for part in steps],
            amd=[asdict(step) for step in _every_path(target)],
            architectures=list(ARCHITECTURES),
        )

    def of(self, arch: str) -> list[dict[str, Any]]:
        """Wait for the compilation, and return what it came to for an architecture of AMD's."""
        if self._done is None and self._failure is None:
            try:
                self._done = self._child.answer()
            except TargetFailed as failed:
                self._failure = failed
        if self._failure is not None:
            raise self._failure
        return [each for each in self._done or () if each["arch"] == arch]

    def end(self) -> None:
        """Leave nothing of the child."""
        self._child.end()


def _every_path(target: Target) -> list[Step]:
    steps = []
    for mode in ("decode", "target_verify", "draft_extend", "draft_extend_v2"):
        draft, drafts = (None, None) if mode == "decode" else (4, 3)
        kinds = [(mla, unified) for mla, unified in _KINDS if target.supports(mode, plain=not (mla or unified))]
        for mla, unified in kinds:
            steps.append(Step(mode, Setting(mla=mla, unified=unified, draft=draft, steps=drafts), (_FEW,)))
    page = 16 if target.drafts_by_page() else 1
    steps += [
        Step("decode", Setting(page=page, unified=unified, draft=4, steps=3), (_FEW,), multi_step=True)
        for unified in (False, True)
    ]
    return steps

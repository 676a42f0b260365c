"""A carried patch's suite as the judge of mutants: the base runs once, each mutant once.

Owns the trees on disk that the suite runs on, which share their files with the target's own and are gone afterwards.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from bot.carried.load import CarriedPatch
from bot.errors import SuiteError
from bot.models import SourceTree, Suite, SuiteRun, VerdictOutcome
from bot.mutation.score import Fixed, SuiteJudge
from bot.proof.judge import judge_suite
from bot.proof.pytest_suite import run_suite
from bot.proof.select_suites import resolved_in

_LONGEST = 180.0
"""Seconds after which a mutant counts as found: it keeps the suite from ending."""


@contextmanager
def suite_judge(tree: Path, fixed: Fixed, patches: Mapping[str, CarriedPatch], device: str) -> Iterator[SuiteJudge]:
    """Yield the judge of mutants of a fix. The tree without it and with it are run when the first mutant comes.

    The judge raises SuiteError where the fix itself is not proven: then nothing can be said of its mutants.
    """
    with tempfile.TemporaryDirectory(prefix="backport-mutants-") as scratch:
        bench = _Bench(tree, Path(scratch, "tree"), fixed, patches, device)
        yield bench.judge


@dataclass
class _Bench:
    """The tree that a suite runs on; `base` is its run without the fix."""

    source: Path
    place: Path
    fixed: Fixed
    patches: Mapping[str, CarriedPatch]
    device: str

    def judge(self, tree: SourceTree, content: bytes) -> str:
        """Return why the suite does not prove the tree, or nothing."""
        objection = self._of_the_fix
        if objection:
            raise SuiteError(
                f"{self.fixed.patch.name} itself is not proven on {self.source}, so no mutant was judged: {objection}",
                hint="Run `prove` on the tree first.",
            )
        return self._judge(tree, content)

    @cached_property
    def _suite(self) -> Suite:
        suite = self.fixed.patch.suite
        return replace(suite, timeout=min(suite.timeout, _LONGEST))

    @cached_property
    def _base(self) -> SuiteRun:
        shutil.copytree(self.source, self.place, copy_function=_linked)
        return run_suite(self.place, self._suite, name="base", device=self.device)

    @cached_property
    def _of_the_fix(self) -> str:
        return self._judge(self.fixed.tree, self.fixed.written.after.encode())

    def _judge(self, tree: SourceTree, content: bytes) -> str:
        base, file = self._base, self.place / self.fixed.written.path
        file.unlink()  # it is the target's own by its link: it must not be written into
        file.write_bytes(content)
        run = run_suite(self.place, self._suite, name="candidate", device=self.device)
        verdict = judge_suite(self._suite, base, run, resolved_patches=resolved_in(tree, self._suite, self.patches))
        return "" if verdict.outcome is VerdictOutcome.PROVEN else f"{verdict.outcome}: {verdict.reason}"


def _linked(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        shutil.copy2(source, target)

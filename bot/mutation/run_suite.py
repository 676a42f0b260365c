"""Runs a carried patch's suite on mutants: once on the base, then once on each mutant.

The trees on disk share their files with the target's own by hard links, and are removed afterwards.
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
from bot.mutation.score import FixedTree, SuiteJudge
from bot.proof.judge import judge_suite
from bot.proof.pytest_suite import run_suite
from bot.proof.select_suites import resolved_in

_LONGEST = 180.0
"""Seconds after which a mutant counts as found: it keeps the suite from ending."""


@contextmanager
def suite_judge(tree: Path, fix: FixedTree, patches: Mapping[str, CarriedPatch], device: str) -> Iterator[SuiteJudge]:
    """Yield the judge of mutants of a fix. The suite runs on the tree without and with the fix at the first mutant.

    The judge raises SuiteError if the fix itself is not proven: then the suite says nothing about its mutants.
    """
    with tempfile.TemporaryDirectory(prefix="backport-mutants-") as scratch:
        runner = _SuiteRunner(tree, Path(scratch, "tree"), fix, patches, device)
        yield runner.judge


@dataclass
class _SuiteRunner:
    """The tree that a suite runs on; `base` is its run without the fix."""

    source: Path
    place: Path
    fix: FixedTree
    patches: Mapping[str, CarriedPatch]
    device: str

    def judge(self, tree: SourceTree, content: bytes) -> str:
        """Return why the suite does not prove the tree, or nothing."""
        objection = self._of_the_fix
        if objection:
            raise SuiteError(
                f"{self.fix.patch.name} itself is not proven on {self.source}, so no mutant was judged: {objection}",
                hint="Run `prove` on the tree first.",
            )
        return self._judge(tree, content)

    @cached_property
    def _suite(self) -> Suite:
        suite = self.fix.patch.suite
        return replace(suite, timeout=min(suite.timeout, _LONGEST))

    @cached_property
    def _base(self) -> SuiteRun:
        shutil.copytree(self.source, self.place, copy_function=_link)
        return run_suite(self.place, self._suite, name="base", device=self.device)

    @cached_property
    def _of_the_fix(self) -> str:
        return self._judge(self.fix.tree, self.fix.patched_file.after.encode())

    def _judge(self, tree: SourceTree, content: bytes) -> str:
        base, file = self._base, self.place / self.fix.patched_file.path
        file.unlink()  # it is the target's own by its link: it must not be written into
        file.write_bytes(content)
        run = run_suite(self.place, self._suite, name="candidate", device=self.device)
        verdict = judge_suite(self._suite, base, run, resolved_patches=resolved_in(tree, self._suite, self.patches))
        return "" if verdict.outcome is VerdictOutcome.PROVEN else f"{verdict.outcome}: {verdict.reason}"


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        shutil.copy2(source, target)

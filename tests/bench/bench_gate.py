"""How long a proof takes: base and candidate of one released branch, on this machine's CPU.

    make bench

Each is proven twice and the second is reported, as the first warms the file caches. Wall time is what a person waits
and depends on what else the machine does; CPU time does not, and half of it is the least that two cores could need.
"""

from __future__ import annotations

import os
import resource
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.carried.apply import Applied, apply, write
from bot.carried.load import bundled_patches, load_patches
from bot.carried.source_tree import DirectoryTree
from bot.models import VerdictOutcome
from bot.proof.change import Change
from bot.proof.prove_trees import prove_trees

LONGEST = 30.0
"""Seconds, of wall time or of half the CPU time, whichever is less: a busy machine is not the proof's fault."""


@pytest.mark.parametrize("version", ["0.5.10", "0.5.12"])
def test_a_proof_takes_half_a_minute_at_most(version: str, release_tree: Callable[[str], Path], tmp_path: Path) -> None:
    base, patches = release_tree(version), load_patches([bundled_patches()])
    patch = patches["sglang-24587"]
    candidate = shutil.copytree(base, tmp_path / "candidate")
    result = apply(DirectoryTree(candidate), patch)
    assert isinstance(result, Applied)
    write(result.changes, candidate)
    for _ in range(2):
        start, before = time.monotonic(), _cpu()
        verdict = prove_trees(Change(base, candidate, patch, patches=patches), device="cpu")
        wall, cpu = time.monotonic() - start, _cpu() - before
    assert verdict.outcome is VerdictOutcome.PROVEN, verdict.reason
    load, cores = os.getloadavg()[0], os.cpu_count()
    print(  # noqa: T201 - a benchmark tells what it measured
        f"\n{version}: {len(verdict.base.cases)} cases twice in {wall:.1f} s, {cpu:.1f} s of CPU time "
        f"({cores} cores, load {load:.1f}; {verdict.base.device})"
    )
    assert min(wall, cpu / 2) <= LONGEST


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime

"""Plans and patches for tests of the ladder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bot.carried.load import CarriedPatch, load_patches
from bot.git.repository import Repository
from bot.models import AlreadyApplied, Candidate, Conflict, MergeMethod, NothingLeft, Sha, TargetPlan
from bot.pick.ladder import pick
from tests.git.history import COMMITTER

PATCH = """
provenance:
  original:
    {repository: acme/ring, pull_request: 7, title: Size it, author: ann, merged: 2026-03-01, commit: "0000007"}
  summary: The ring is sized by slot.
target: {project: ring, roots: [.], package: ring, files: {ring: {path: ring/ring.py, defines: def allocate}}}
functions: {allocate: {file: ring, name: allocate, parameters: [slots, width]}}
rules:
  by-slot: {file: ring, says: one byte per slot, rule: {pattern: bytearray(slots)}}
  by-entry: {file: ring, says: one byte per entry, rule: {pattern: bytearray(slots * width)}}
detect:
  - {status: affected, when: [{some: by-slot}], reason: The ring is sized by slot.}
  - {status: fixed, when: [{some: by-entry}], reason: The ring is sized by entry.}
steps:
  - name: size-by-entry
    function: allocate
    expect: exactly 1
    edits: [{rule: {pattern: bytearray(slots)}, replace: bytearray(slots * width)}]
"""


def ring_patch(directory: Path) -> Mapping[str, CarriedPatch]:
    """Write and load a carried patch, `ring-7`."""
    folder = directory / "patches/ring-7"
    (folder / "suite").mkdir(parents=True)
    (folder / "patch.yaml").write_text(PATCH)
    return load_patches([directory / "patches"])


def plan(base: Sha, *commits: Sha, patch: str | None = None, branch: str = "release/1") -> TargetPlan:
    """Plan to bring commits to a branch."""
    return TargetPlan(
        branch=branch,
        base_commit=base,
        backport_branch=f"backport/7-to-{branch}",
        commits=commits,
        merge_method=MergeMethod.SQUASH,
        patch=patch,
    )


def run_ladder(
    repository: Repository, base: Sha, *commits: Sha, patches: Mapping[str, CarriedPatch] | None = None
) -> Candidate | Conflict | AlreadyApplied | NothingLeft:
    """Pick commits onto a base with the whole ladder."""
    patches_by_name = patches or {}
    return pick(
        repository,
        plan(base, *commits, patch=next(iter(patches_by_name), None)),
        patches=patches_by_name,
        committer=COMMITTER,
    )

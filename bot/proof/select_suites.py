"""Selects the suites of a proof: those of the carried patches, or the original's own tests, and the target's commands.

The choice follows from the configuration and the candidate's files. Nothing runs here.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bot.carried.detect import check
from bot.carried.load import CarriedPatch
from bot.config.prove import ProveConfig
from bot.git.trees import CommitTree
from bot.models import Affectedness, CommandSuite, SourceTree, Suite
from bot.proof.isolated_command import GIB, IsolationSettings
from bot.proof.own_tests import known_failures, own_tests
from bot.proof.runner import ProofRequest

if TYPE_CHECKING:  # `prove` on a local tree starts without the modules of a pick
    from bot.pick.context import PickContext


@dataclass(frozen=True, slots=True, kw_only=True)
class Suites:
    """The suites to run: `proof` must fail on the base and pass on the candidate, `guards` must not get worse."""

    proof: dict[str, Suite | CommandSuite] = field(default_factory=dict)
    guards: dict[str, CommandSuite] = field(default_factory=dict)

    @property
    def all_suites(self) -> dict[str, Suite | CommandSuite]:
        """All of them by name, the proof first."""
        return self.proof | self.guards


def suites_for(
    branch: str,
    patch: CarriedPatch | None,
    companions: Sequence[CarriedPatch],
    changed_files: Sequence[str],
    base: SourceTree,
    candidate: SourceTree,
    settings: ProveConfig,
) -> Suites:
    """Choose the suites for a candidate on a branch that changes these files."""
    longest = settings.timeout_minutes * 60
    proof: dict[str, Suite | CommandSuite] = {
        entry.name: replace(entry.suite, timeout=min(entry.suite.timeout, longest))
        for entry in (patch, *companions)
        if entry is not None
    }
    if not proof:
        proof |= {suite.name: suite for suite in own_tests(changed_files, base, candidate, settings)}
    return Suites(proof=proof, guards={entry.name: entry for entry in _guards(branch, settings)})


def suites_of(request: ProofRequest, context: PickContext) -> Suites:
    """Choose the suites for a request."""
    return suites_for(
        request.branch,
        context.patches[request.patch] if request.patch else None,
        [context.patches[name] for name in request.companions],
        request.changed_files,
        CommitTree(context.mirror, request.base_commit),
        CommitTree(context.mirror, request.commit),
        context.config.prove,
    )


def isolation_settings(branch: str, settings: ProveConfig) -> IsolationSettings:
    """Return the bounds of suite processes on a branch, as configured."""
    limits = settings.limits
    return IsolationSettings(
        network=settings.network,
        memory=None if limits.memory_gib is None else int(limits.memory_gib * GIB),
        file=int(limits.file_gib * GIB),
        disk=None if limits.disk_gib is None else int(limits.disk_gib * GIB),
        entries=limits.files,
        processes=limits.processes,
        shared_memory=None if limits.shared_memory_gib is None else int(limits.shared_memory_gib * GIB),
        image=settings.image_for(branch),
        container_options=settings.container_options,
        python=settings.python or sys.executable,
        volumes=tuple((Path(entry.source), Path(entry.target or entry.source)) for entry in settings.volumes),
        environment=settings.environment,
        runtime=settings.container_runtime,
        readable=(*map(Path, settings.readable), *_installation(settings.python)),
        without_isolation=settings.without_isolation == "allow",
    )


def _installation(python: str | None) -> tuple[Path, ...]:
    """Return the folder that an interpreter and its packages were installed into, such as a virtual environment."""
    return (Path(python).parents[1],) if python and len(Path(python).parts) > 3 else ()


def resolved_in(
    candidate: SourceTree, suite: Suite | CommandSuite, patches: Mapping[str, CarriedPatch]
) -> frozenset[str]:
    """Name the carried patches whose fix the candidate's code has. A failure that they fix is no known failure."""
    names = {failure.fixed_by for failure in suite.known_failures if failure.fixed_by}
    return frozenset(
        name for name in names if name in patches and check(candidate, patches[name]).status is Affectedness.FIXED
    )


def _guards(branch: str, settings: ProveConfig) -> list[CommandSuite]:
    return [
        CommandSuite(
            name=entry.name,
            command=entry.command,
            junit=entry.junit or "",
            known_failures=known_failures(entry.known_failures),
            timeout=entry.timeout_minutes * 60,
        )
        for entry in settings.commands_for(branch)
    ]

"""Makes the two trees of a proof ready to run their tests, with what `prove.setup` says or with what their files say.

A shared step is run once for all trees with the same dependency files. Its result is kept for thirty days and is
read-only from then on. Steps that run code of a tree run for that tree alone, in a copy of it, and are kept nowhere. So
neither tree can change what the other one runs with.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bot.carried.source_tree import DirectoryTree
from bot.environment.cache_folder import cache_directory
from bot.environment.temporary_folders import remove_tree, scratch_folder
from bot.environment.untrusted_files import write_file
from bot.models import CommandSuite, Progress, StopWhen
from bot.proof.isolated_command import IsolationSettings
from bot.proof.laid_tree import LaidTree, copy_laid
from bot.proof.setup_run import SetupFailed, SetupPlace, fill_all, run_step
from bot.proof.setup_step import SetupStep, TreeSetup
from bot.proof.setup_suites import steps_for
from bot.proof.suite_notes import listed

_KEPT_SECONDS = 30 * 24 * 3600.0
_COMPLETE = ".complete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What one proof sets for its steps. `limit` is in seconds, for all steps of both trees together."""

    isolation: IsolationSettings
    setup: str | Sequence[Sequence[str]]
    limit: float
    progress: Progress
    stop_when: StopWhen
    own_python: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyTrees:
    """The trees of a proof, ready for their suites. `guarded` is the base for suites that do not come with the change.

    `notes` are sentences about how that was done.
    """

    base: TreeSetup
    candidate: TreeSetup
    guarded: TreeSetup
    notes: tuple[str, ...] = ()


@contextmanager
def trees_ready(base: Path, candidate: Path, suites: Sequence[CommandSuite], setup: Setup) -> Iterator[ReadyTrees]:
    """Yield the trees, ready for these suites.

    The tests of a change get a base with the manifests of the change. Its other suites get another base then, so that a
    manifest, which may name programs to run, has no say in what they report.

    Raises:
        SuiteError: a step failed; the error has its last lines.
    """
    own = [suite for suite in suites if suite.brings_tests]
    manifests = tuple(dict.fromkeys(file for suite in own for file in suite.manifests))
    guards = [suite for suite in suites if not suite.brings_tests] if manifests else []
    asked = {"base": own if manifests else suites, "candidate": suites, **({"guarded": guards} if guards else {})}
    laid = {"base": manifests}
    sources = {name: candidate if name == "candidate" else base for name in asked}
    plans = {
        name: steps_for(
            LaidTree(DirectoryTree(sources[name]), DirectoryTree(candidate), frozenset(laid.get(name, ()))),
            wanted,
            setup.setup,
            own_python=setup.own_python,
        )
        for name, wanted in asked.items()
    }
    if not any(plans.values()):
        yield ReadyTrees(base=TreeSetup(tree=base), candidate=TreeSetup(tree=candidate), guarded=TreeSetup(tree=base))
        return
    drop_old_environments()
    deadline = time.monotonic() + setup.limit
    with scratch_folder("backport-ready-") as scratch:
        ready = {}
        for name, steps in plans.items():
            copy = copy_laid(sources[name], scratch / name, candidate, laid.get(name, ()))
            with _named(laid.get(name, ())):
                ready[name] = _make_ready(copy, steps, setup, deadline)
        yield ReadyTrees(
            base=ready["base"],
            candidate=ready["candidate"],
            guarded=ready.get("guarded", ready["base"]),
            notes=tuple(_sentences(plans["base"], plans["candidate"])),
        )


@contextmanager
def _named(manifests: Sequence[str]) -> Iterator[None]:
    """Let a failed step of the base say that it had files of the change."""
    try:
        yield
    except SetupFailed as error:
        if not manifests:
            raise
        fact = f"It was the branch without the change, but with its {listed(manifests)}, which its tests may need."
        raise SetupFailed(f"{error.message} {fact}", hint=error.hint) from error


def ready_isolation(isolation: IsolationSettings, ready: TreeSetup) -> IsolationSettings:
    """Return the bounds of runs on a tree that is ready. What the configuration sets wins."""
    return replace(
        isolation,
        python=ready.python or isolation.python,
        environment={**ready.variables, **isolation.environment},
        readable=(*isolation.readable, *ready.readable),
    )


def _make_ready(copy: Path, steps: Sequence[SetupStep], setup: Setup, deadline: float) -> TreeSetup:
    """Run the steps of one tree, in its copy."""
    ready, shared = TreeSetup(tree=copy), None
    for number, step in enumerate(steps):
        if step.files:
            environment = shared = _shared_environment(step, setup, deadline)
        else:
            environment = copy.with_name(str(number))
            environment.mkdir()
            place = SetupPlace(environment=environment, directory=copy / step.folder, shared=shared, tree=copy)
            _run(step, place, setup, deadline)
        ready = _with_step(ready, step, environment, shared)
    return ready


def _with_step(ready: TreeSetup, step: SetupStep, environment: Path, shared: Path | None) -> TreeSetup:
    if step.link is not None:
        place, target = ready.tree / step.link[0], Path(fill_all({"": step.link[1]}, environment, shared)[""])
        if not os.path.lexists(place) and place.parent.resolve().is_relative_to(ready.tree.resolve()):
            place.symlink_to(target)
    python = fill_all({"": step.python}, environment, shared)[""]
    return replace(
        ready,
        python=python if step.python and Path(python).exists() else ready.python,
        variables={**ready.variables, **fill_all(step.variables, environment, shared)},
        readable=(*ready.readable, environment),
    )


def _run(step: SetupStep, place: SetupPlace, setup: Setup, deadline: float) -> None:
    run_step(step, place, setup.isolation, deadline=deadline, progress=setup.progress, stop_when=setup.stop_when)


# --- shared environments ----------------------------------------------------------------------------------------------


def _shared_environment(step: SetupStep, setup: Setup, deadline: float) -> Path:
    """Return the folder of a shared step, made now or before. Whether it is complete is noted outside of it."""
    root = _environments()
    root.mkdir(parents=True, exist_ok=True)
    environment = root / _key(step, setup.isolation)
    complete = environment.with_name(environment.name + _COMPLETE)
    with _lock(environment.with_name(f"{environment.name}.lock")):
        if complete.exists() and environment.is_dir():
            setup.progress(f"{step.described}: kept from an earlier proof or tree with the same files")
            complete.touch()
            return environment
        if os.path.lexists(environment):
            remove_tree(environment)
        environment.mkdir()
        with scratch_folder("backport-setup-files-") as files:
            for name, content in step.files.items():
                file = files / name
                write_file(file.parent, file.name, content)
            # The step may write beside its files, so it gets the folder; nothing of it is used again.
            place = SetupPlace(environment=environment, directory=files, tree=files)
            _run(step, place, setup, deadline)
        complete.touch()
    return environment


def _key(step: SetupStep, isolation: IsolationSettings) -> str:
    """Return a digest of all that a shared step's result follows from."""
    files = {name: hashlib.sha256(content).hexdigest() for name, content in step.files.items()}
    machine = [*os.uname()[3:5], isolation.python, str(_version(isolation.python)), dict(isolation.environment)]
    described = [step.name, step.commands, dict(step.variables), dict(step.own_variables), files, machine]
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()[:32]


def _version(python: str) -> int:
    """Return when an interpreter was last changed; another version has another time."""
    try:
        return Path(python).resolve().stat().st_mtime_ns
    except OSError:
        return 0


@contextmanager
def _lock(file: Path) -> Iterator[None]:
    with file.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def drop_old_environments() -> None:
    """Remove environments that no proof used for thirty days, and those that were never completed."""
    limit = time.time() - _KEPT_SECONDS
    for complete in _environments().glob(f"*{_COMPLETE}"):
        if complete.stat().st_mtime < limit:
            complete.unlink(missing_ok=True)
            environment = complete.with_name(complete.name.removesuffix(_COMPLETE))
            if environment.is_dir():
                remove_tree(environment)


def _environments() -> Path:
    return cache_directory() / "environments"


def _sentences(base: Sequence[SetupStep], candidate: Sequence[SetupStep]) -> Iterator[str]:
    """Say what was done, for the reader of the verdict."""
    if candidate:
        *others, last = (
            step.described + (", once for both" if step.files and step in base else "") for step in candidate
        )
        steps = f"{', '.join(others)}, and {last}" if others else last
        yield f"The trees were made ready for their tests with {steps}."

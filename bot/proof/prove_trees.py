"""Runs every suite of a change on the trees without and with it, and returns one verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from bot import proof
from bot.carried.source_tree import DirectoryTree
from bot.config import ProveConfig
from bot.config.containers import version_in
from bot.environment.cache_folder import cache_directory
from bot.errors import SuiteError
from bot.models import CommandSuite, Progress, StopWhen, Suite, Verdict, never, silent
from bot.proof.artifacts import write_evidence
from bot.proof.change import Change
from bot.proof.container_image import fetch_image
from bot.proof.inconclusive import inconclusive
from bot.proof.isolated_command import IsolationSettings, isolation_kind
from bot.proof.judge_by_rules import conclude
from bot.proof.kernel_cache import drop_old_kernels
from bot.proof.lay_out import lay_out_in_background
from bot.proof.no_tests import no_tests
from bot.proof.prepare_machine import run_preparations
from bot.proof.prove_devices import prove_devices
from bot.proof.run_isolated import StartGate
from bot.proof.select_suites import Suites, isolation_settings, resolved_in
from bot.proof.setup_run import SetupFailed
from bot.proof.setup_step import TreeSetup
from bot.proof.setup_trees import ReadyTrees, Setup, ready_isolation, trees_ready
from bot.proof.suite_sequence import prove_each

_DEFAULT = ProveConfig()


def prove_trees(
    change: Change,
    *,
    lay_out: Callable[[], object] | None = None,
    settings: ProveConfig = _DEFAULT,
    device: str | None = None,
    evidence: Path | None = None,
    progress: Progress = silent,
    stop_when: StopWhen = never,
) -> Verdict:
    """Run the suites that prove a change on its two trees.

    `lay_out` writes both trees, in a thread of its own while a carried patch's suite starts up; what it raises ends the
    proof and is raised. `device` overrules the settings; it is a kind, or one of their `devices`. The reports are kept
    in the folder `evidence`.

    Raises:
        SuiteError: there is no suite to run, or this machine cannot isolate one and the bot holds a token.
    """
    if lay_out is not None and not (change.patch and change.patch.suite.takes_turns):
        lay_out()
        lay_out = None
    settings = settings if device is None else settings.on_device(device)
    suites = change.suites(settings)
    if not suites.all_suites:
        return no_tests(change.changed_files)
    if settings.devices:
        if lay_out is not None:
            lay_out()
        prove = partial(prove_trees, change)
        return prove_devices(settings, prove, evidence=evidence, progress=progress, stop_when=stop_when)
    proof_run = _ProofRun(change, suites, settings, evidence, progress, stop_when)
    isolation = proof_run.isolation()
    try:
        isolation = proof_run.make_ready(isolation)
    except SuiteError as error:
        return proof_run.unready(error)
    try:
        return proof_run.prove(isolation, lay_out)
    except SetupFailed as error:
        return proof_run.unready(error)


@dataclass(frozen=True, slots=True)
class _ProofRun:
    """What all suites of one proof share."""

    change: Change
    suites: Suites
    settings: ProveConfig
    evidence: Path | None
    progress: Progress
    stop_when: StopWhen

    def isolation(self) -> IsolationSettings:
        """Return the bounds of the suites. Raises SuiteError if this machine cannot isolate them beside a token."""
        isolation = isolation_settings(self.change.branch, self.settings)
        self.progress(f"isolation of the suites: {isolation_kind(isolation).value}")
        return isolation

    def make_ready(self, isolation: IsolationSettings) -> IsolationSettings:
        """Prepare the machine and bring the image, none of which is a suite's time. Raises SuiteError."""
        branch, settings = self.change.branch, self.settings
        values = {"image": isolation.image or "", "target": branch, "version": version_in(branch)}
        run_preparations(settings.prepare, values, limit=settings.prepare_minutes * 60, progress=self.progress)
        if isolation.image is None:
            return isolation
        limit = settings.pull_minutes * 60
        return fetch_image(isolation, limit=limit, progress=self.progress, stop_when=self.stop_when)

    def unready(self, error: SuiteError) -> Verdict:
        """Return the verdict of suites for which the machine could not be made ready."""
        problem = f"{error.message} {error.hint}"
        verdict = inconclusive(error.message, problem=problem, commits=self.change.commits, notes=(error.hint,))
        if self.evidence is not None:
            write_evidence(self.evidence, verdict, dict.fromkeys(self.suites.all_suites, verdict))
        return verdict

    def prove(self, isolation: IsolationSettings, lay_out: Callable[[], object] | None) -> Verdict:
        """Make the trees ready and prove every suite. Raises SetupFailed, and what `lay_out` raises."""
        drop_old_kernels(_kernels())
        commands = [suite for suite in self.suites.all_suites.values() if isinstance(suite, CommandSuite)]
        if commands and lay_out is not None:
            lay_out()
            lay_out = None
        with trees_ready(self.change.base, self.change.candidate, commands, self._setup(isolation)) as ready:
            verdicts = _SuiteRuns(self, isolation, ready).prove_all(lay_out)
            return self._conclude(verdicts, ready.notes)

    def _setup(self, isolation: IsolationSettings) -> Setup:
        settings = self.settings
        return Setup(
            isolation=isolation,
            setup="none" if isolation.image and settings.setup == "auto" else settings.setup,
            limit=settings.setup_minutes * 60,
            progress=self.progress,
            stop_when=self.stop_when,
            own_python=settings.python is not None,
        )

    def _conclude(self, verdicts: Mapping[str, Verdict], notes: Sequence[str]) -> Verdict:
        """Return the verdict on all suites, and write it and theirs to the folder of the evidence."""
        candidate, devices = DirectoryTree(self.change.candidate), self.settings.devices_that_count
        verdict, by_suite = conclude(verdicts, self.suites, candidate, self.change.carried, devices=devices)
        verdict = replace(verdict, notes=(*verdict.notes, *notes))
        if self.evidence is not None:
            write_evidence(self.evidence, verdict, by_suite)
        return verdict


@dataclass(frozen=True, slots=True)
class _SuiteRuns:
    """Runs the suites of one proof on trees that are ready for them."""

    proof_run: _ProofRun
    isolation: IsolationSettings
    ready: ReadyTrees

    def prove_all(self, lay_out: Callable[[], object] | None) -> dict[str, Verdict]:
        """Prove every suite while `lay_out` writes the trees. Raises what `lay_out` raises."""
        change, suites = self.proof_run.change, self.proof_run.suites.all_suites
        with lay_out_in_background(lay_out, change.base, change.candidate) as (first, trees_ready):

            def should_stop() -> bool:
                if trees_ready.done():
                    trees_ready.result()
                return self.proof_run.stop_when()

            def prove_suite(name: str, suite: Suite | CommandSuite, gate: StartGate, stop_when: StopWhen) -> Verdict:
                if gate.is_open():
                    trees_ready.result()  # the suite before this one may have ended before its gate opened
                return self._prove(name, suite, gate, stop_when)

            verdicts = prove_each(
                suites,
                prove_suite,
                first=first,
                device=self.proof_run.settings.device,
                isolation=self.isolation,
                stop_when=should_stop,
            )
            trees_ready.result()
            return verdicts

    def _prove(self, name: str, suite: Suite | CommandSuite, gate: StartGate, stop_when: StopWhen) -> Verdict:
        change, evidence = self.proof_run.change, self.proof_run.evidence
        # A carried patch's suite needs nothing of the target's, and runs as it always does.
        base, candidate = TreeSetup(tree=change.base), TreeSetup(tree=change.candidate)
        if isinstance(suite, CommandSuite):
            base = self.ready.base if suite.brings_tests else self.ready.guarded
            candidate = self.ready.candidate
        verdict = proof.prove(
            base.tree,
            candidate.tree,
            suite,
            device=self.proof_run.settings.device,
            progress=self._progress_of(name),
            resolved_patches=lambda: resolved_in(DirectoryTree(change.candidate), suite, change.patches),
            isolation=ready_isolation(self.isolation, base),
            candidate_isolation=ready_isolation(self.isolation, candidate),
            keep=evidence and evidence / name,
            kernels=_kernels() / change.kernels_of if change.kernels_of else None,
            gate=gate,
            stop_when=stop_when,
        )
        of_base, of_candidate = change.commits
        return replace(
            verdict,
            base=replace(verdict.base, commit=of_base),
            candidate=replace(verdict.candidate, commit=of_candidate),
        )

    def _progress_of(self, name: str) -> Progress:
        progress = self.proof_run.progress
        return (lambda line: progress(f"{name}: {line}")) if len(self.proof_run.suites.all_suites) > 1 else progress


def _kernels() -> Path:
    return cache_directory() / "kernels"

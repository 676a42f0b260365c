"""Runs every suite of a change on the trees without and with it, and returns one verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from bot import proof
from bot.carried.load import CarriedPatch
from bot.carried.source_tree import DirectoryTree
from bot.config import ProveConfig
from bot.config.containers import version_in
from bot.environment.cache_folder import cache_directory
from bot.errors import SuiteError
from bot.models import CommandSuite, Progress, Sha, StopWhen, Suite, Verdict, never, silent
from bot.proof.artifacts import write_evidence
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
from bot.proof.select_suites import Suites, isolation_settings, resolved_in, suites_for
from bot.proof.setup_run import SetupFailed
from bot.proof.setup_step import TreeSetup
from bot.proof.setup_trees import ReadyTrees, Setup, ready_isolation, trees_ready
from bot.proof.suite_sequence import prove_each

_DEFAULT = ProveConfig()


def prove_trees(  # noqa: PLR0913 - two trees, what is carried between them, and where it is for; most have a default
    base: Path,
    candidate: Path,
    patch: CarriedPatch | None,
    *,
    lay_out: Callable[[], object] | None = None,
    companions: Sequence[CarriedPatch] = (),
    patches: Mapping[str, CarriedPatch],
    settings: ProveConfig = _DEFAULT,
    device: str | None = None,
    branch: str = "",
    changed_files: Sequence[str] = (),
    commits: tuple[str, str] = ("", ""),
    kernels_of: Sha | None = None,
    evidence: Path | None = None,
    progress: Progress = silent,
    stop_when: StopWhen = never,
) -> Verdict:
    """Run the suites that prove a change on two trees: those of its carried patches, or the tests that it brings.

    `lay_out` writes both trees, in a thread of its own while a carried patch's suite starts up; what it raises ends the
    proof and is raised. `changed_files` are the paths in which the trees differ, and `commits` their commits. Kernels
    that the base run compiles are kept for other proofs on the commit `kernels_of`: name it only if the tree is written
    from that commit's objects for this proof. `device` overrules the settings; it is a kind, or one of their `devices`.
    The reports are kept in the folder `evidence`.

    Raises:
        SuiteError: there is no suite to run, or this machine cannot isolate one and the bot holds a token.
    """
    if lay_out is not None and not (patch and patch.suite.takes_turns):
        lay_out()
        lay_out = None
    if device is not None:
        settings = settings.on_device(device)
    suites = suites_for(
        branch, patch, companions, changed_files, DirectoryTree(base), DirectoryTree(candidate), settings
    )
    if not suites.all_suites:
        return no_tests(changed_files)
    if settings.devices:
        if lay_out is not None:
            lay_out()
        prove = partial(
            prove_trees,
            base,
            candidate,
            patch,
            companions=companions,
            patches=patches,
            branch=branch,
            changed_files=changed_files,
            commits=commits,
            kernels_of=kernels_of,
        )
        return prove_devices(settings, prove, evidence=evidence, progress=progress, stop_when=stop_when)
    isolation = isolation_settings(branch, settings)
    progress(f"isolation of the suites: {isolation_kind(isolation).value}")
    try:
        isolation = _make_ready(isolation, branch, settings, progress, stop_when)
    except SuiteError as error:
        return _unready(suites.all_suites, error, commits, evidence)
    drop_old_kernels(_kernels())
    commands = [suite for suite in suites.all_suites.values() if isinstance(suite, CommandSuite)]
    if commands and lay_out is not None:
        lay_out()
        lay_out = None
    setup = Setup(
        isolation=isolation,
        setup="none" if isolation.image and settings.setup == "auto" else settings.setup,
        limit=settings.setup_minutes * 60,
        progress=progress,
        stop_when=stop_when,
        own_python=settings.python is not None,
    )
    try:
        with trees_ready(base, candidate, commands, setup) as ready:
            proof = _Proof(
                base=base,
                candidate=candidate,
                ready=ready,
                patches=patches,
                settings=settings,
                isolation=isolation,
                commits=commits,
                kernels=_kernels() / kernels_of if kernels_of else None,
                evidence=evidence,
                progress=progress,
            )
            verdicts = proof.run(suites.all_suites, lay_out, stop_when)
            return proof.conclude(verdicts, suites, [entry for entry in (patch, *companions) if entry is not None])
    except SetupFailed as error:
        return _unready(suites.all_suites, error, commits, evidence)


def _make_ready(
    isolation: IsolationSettings, branch: str, settings: ProveConfig, progress: Progress, stop_when: StopWhen
) -> IsolationSettings:
    """Prepare the machine and bring the image, none of which is a suite's time. Raises SuiteError."""
    values = {"image": isolation.image or "", "target": branch, "version": version_in(branch)}
    limit = settings.prepare_minutes * 60
    run_preparations(settings.prepare, values, limit=limit, progress=progress)
    if isolation.image is None:
        return isolation
    return fetch_image(isolation, limit=settings.pull_minutes * 60, progress=progress, stop_when=stop_when)


def _unready(suites: Iterable[str], error: SuiteError, commits: tuple[str, str], evidence: Path | None) -> Verdict:
    """Return the verdict of suites for which the machine could not be made ready."""
    verdict = inconclusive(error.message, problem=f"{error.message} {error.hint}", commits=commits, notes=(error.hint,))
    if evidence is not None:
        write_evidence(evidence, verdict, dict.fromkeys(suites, verdict))
    return verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class _Proof:
    """What all suites of one proof share."""

    base: Path
    candidate: Path
    ready: ReadyTrees
    patches: Mapping[str, CarriedPatch]
    settings: ProveConfig
    isolation: IsolationSettings
    commits: tuple[str, str]
    kernels: Path | None
    evidence: Path | None
    progress: Progress

    def run(
        self, suites: Mapping[str, Suite | CommandSuite], lay_out: Callable[[], object] | None, stop_when: StopWhen
    ) -> dict[str, Verdict]:
        """Prove every suite while `lay_out` writes the trees. Raises what `lay_out` raises."""
        with lay_out_in_background(lay_out, self.base, self.candidate) as (first, trees_ready):

            def should_stop() -> bool:
                if trees_ready.done():
                    trees_ready.result()
                return stop_when()

            def prove_suite(name: str, suite: Suite | CommandSuite, gate: StartGate, stop_when: StopWhen) -> Verdict:
                if gate.is_open():
                    trees_ready.result()  # the suite before this one may have ended before its gate opened
                progress = self._named_progress(name) if len(suites) > 1 else self.progress
                return self._prove(name, suite, gate, stop_when, progress)

            verdicts = prove_each(
                suites,
                prove_suite,
                first=first,
                device=self.settings.device,
                isolation=self.isolation,
                stop_when=should_stop,
            )
            trees_ready.result()
            return verdicts

    def _named_progress(self, name: str) -> Progress:
        return lambda line: self.progress(f"{name}: {line}")

    def _prove(
        self, name: str, suite: Suite | CommandSuite, gate: StartGate, stop_when: StopWhen, progress: Progress
    ) -> Verdict:
        # A carried patch's suite needs nothing of the target's, and runs as it always does.
        base, candidate = TreeSetup(tree=self.base), TreeSetup(tree=self.candidate)
        if isinstance(suite, CommandSuite):
            base = self.ready.base if suite.brings_tests else self.ready.guarded
            candidate = self.ready.candidate
        verdict = proof.prove(
            base.tree,
            candidate.tree,
            suite,
            device=self.settings.device,
            progress=progress,
            resolved_patches=lambda: resolved_in(DirectoryTree(self.candidate), suite, self.patches),
            isolation=ready_isolation(self.isolation, base),
            candidate_isolation=ready_isolation(self.isolation, candidate),
            keep=self.evidence and self.evidence / name,
            kernels=self.kernels,
            gate=gate,
            stop_when=stop_when,
        )
        of_base, of_candidate = self.commits
        return replace(
            verdict,
            base=replace(verdict.base, commit=of_base),
            candidate=replace(verdict.candidate, commit=of_candidate),
        )

    def conclude(self, verdicts: Mapping[str, Verdict], suites: Suites, patches: Sequence[CarriedPatch]) -> Verdict:
        """Return the verdict on all suites, and write it and theirs to the folder of the evidence."""
        verdict, by_suite = conclude(
            verdicts, suites, DirectoryTree(self.candidate), patches, devices=self.settings.devices_that_count
        )
        verdict = replace(verdict, notes=(*verdict.notes, *self.ready.notes))
        if self.evidence is not None:
            write_evidence(self.evidence, verdict, by_suite)
        return verdict


def _kernels() -> Path:
    return cache_directory() / "kernels"

"""Runs the commands of one setup step: isolated like a suite, with the network, without a token, within its time.

What the commands print is untrusted. Of a step that fails the lines that matter are kept for the person who asked.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path

from bot.environment.temporary_folders import scratch_folder
from bot.errors import SuiteError
from bot.models import Progress, StopWhen
from bot.proof.explain_failure import lines_that_matter, remedies
from bot.proof.isolated_command import IsolationSettings, Launch
from bot.proof.process import NOT_STARTED, ProcessResult
from bot.proof.run_isolated import RunOptions, interpreter, run_isolated
from bot.proof.setup_step import ENVIRONMENT, PYTHON, SHARED, SetupStep
from bot.proof.suite_environment import command_environment
from bot.proof.toolchains import toolchain_of
from bot.text.sanitize import printable_line

_PUBLIC = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "UV_INDEX_URL", "NPM_CONFIG_REGISTRY", "GOPROXY", "GONOSUMDB")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY")
_CERTIFICATES = (
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "PIP_CERT",
    "REQUESTS_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "CARGO_HTTP_CAINFO",
)
_CREDENTIALS = re.compile(r"//[^/\s]*@|\btoken\b", re.IGNORECASE)
_SHOWN_CHARACTERS = 700
_GLANCE = 0.5


class SetupFailed(SuiteError):
    """A command that makes a tree ready failed, so its tests were not run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupPlace:
    """Where a step runs: its own folder, the folder of the shared step before it, and the folder that it begins in.

    The tree is None for a shared step, which does not see it.
    """

    environment: Path
    directory: Path
    shared: Path | None = None
    tree: Path | None = None


def run_step(
    step: SetupStep,
    place: SetupPlace,
    isolation: IsolationSettings,
    *,
    deadline: float,
    progress: Progress,
    stop_when: StopWhen,
) -> None:
    """Run a step's commands in order, until `deadline` in seconds of the monotonic clock.

    Raises:
        SetupFailed: one of them failed, or the time was over.
        SuiteError: the machine cannot isolate it, and the bot holds a token.
    """
    progress(f"making the tree ready with {step.described}")
    with scratch_folder("backport-setup-") as scratch:
        home = scratch / "home"
        home.mkdir()
        variables = command_environment(home, kernels=home / "triton", target=place.directory, device="cpu")
        del variables["PYTHONPATH"]  # the code of a tree is no part of its own installation
        toolchain = toolchain_of(step.tools)
        variables |= dict(toolchain.environment) | _network_variables() | dict(isolation.environment)
        variables |= fill_all({**step.variables, **step.own_variables}, place.environment, place.shared)
        for command in step.commands:
            words = [_fill(word, place, interpreter(isolation)) for word in command]
            launch = Launch(
                command=words,
                directory=place.directory,
                environment=variables,
                readable=(*filter(None, (place.shared,)), *toolchain.readable, *_certificate_paths()),
                writable=(place.environment, home, *filter(None, (place.tree,))),
                device="cpu",
                programs=step.tools,
            )
            seconds = max(1.0, deadline - time.monotonic())
            result = _run(launch, replace(isolation, network=True), seconds, stop_when).seen_from(place.directory)
            if result.code or result.timed_out or result.excess:
                raise _failure(step, words, result)


def fill_all(variables: Mapping[str, str], environment: Path, shared: Path | None) -> dict[str, str]:
    """Put the folders of a step into its variables."""
    return {
        name: value.replace(ENVIRONMENT, str(environment)).replace(SHARED, str(shared or environment))
        for name, value in variables.items()
    }


def _fill(word: str, place: SetupPlace, python: str) -> str:
    filled = word.replace(ENVIRONMENT, str(place.environment)).replace(SHARED, str(place.shared or place.environment))
    return filled.replace(PYTHON, python)


def _network_variables() -> dict[str, str]:
    """Return what this machine needs to reach package registries, without what has credentials in it."""
    names = (*_PUBLIC, *_PROXIES, *map(str.lower, _PROXIES), *_CERTIFICATES)
    values = {name: os.environ[name] for name in names if name in os.environ}
    return {name: value for name, value in values.items() if not _CREDENTIALS.search(value)}


def _certificate_paths() -> list[Path]:
    paths = (Path(os.environ[name]) for name in _CERTIFICATES if os.environ.get(name, "").startswith("/"))
    return [path for path in paths if path.exists()]


def _run(launch: Launch, isolation: IsolationSettings, seconds: float, stop_when: StopWhen) -> ProcessResult:
    options = RunOptions(isolation=isolation)
    with ThreadPoolExecutor(max_workers=1) as executor:
        future = executor.submit(run_isolated, launch, options, timeout=seconds, watch=lambda _: None)
        try:
            while wait((future,), timeout=_GLANCE).not_done:
                if stop_when():
                    options.stop.set()
        finally:
            options.stop.set()
        return future.result()


def _failure(step: SetupStep, words: Sequence[str], result: ProcessResult) -> SetupFailed:
    command = printable_line(" ".join(words), 200)
    lines = printable_line(" / ".join(lines_that_matter(result.tail)), _SHOWN_CHARACTERS).rstrip(". ") or "no output"
    if result.timed_out:
        how = "did not end within `prove.setup_minutes`"
    elif result.excess:
        how = f"was stopped: {result.excess}"
    else:
        how = "could not be started" if result.code in NOT_STARTED else f"exited with {result.code}"
    return SetupFailed(
        f"The tree could not be made ready for its tests: {step.name}: `{command}` {how}: {lines}.",
        hint=" ".join((*remedies("\n".join(result.tail)), "Say in `prove.setup` how the tree is made ready.")),
    )

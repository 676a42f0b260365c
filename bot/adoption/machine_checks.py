"""Conditions of the machine: git, Python, what the proofs need, and their isolation."""

from __future__ import annotations

import importlib.util
import platform
import re
import sys
from collections.abc import Iterator

from bot.config import ProveConfig
from bot.errors import GitError
from bot.git.process import Git
from bot.github.remedies import clock_remedy
from bot.models.diagnosis import Diagnosis, bad, good, note
from bot.proof.gpu_devices import has_amd_gpu, has_gpu
from bot.proof.isolated_command import obstacle

_OLDEST_GIT = (2, 38)
"""The first git with `merge-tree --write-tree`: https://git-scm.com/docs/git-merge-tree"""


def check_programs() -> Iterator[Diagnosis]:
    """Check the programs that the bot needs on this machine. GitHub Actions runs it on others."""
    yield _git()
    yield good("Python", f"{platform.python_version()} at {sys.executable}.")


def check_proofs(prove: ProveConfig) -> Iterator[Diagnosis]:
    """Check whether this machine can prove as configured. If it cannot, others may: that is never bad."""
    if prove.runner == "github-actions":
        yield good("proofs", "They run in GitHub Actions (`prove.runner`), not on this machine.")
        return
    yield _pytest()
    yield _device(prove.device)
    yield _isolation()


def check_clock(date: str) -> Iterator[Diagnosis]:
    """Say whether this machine's clock is wrong, by the date of an answer of GitHub's."""
    remedy = clock_remedy(date)
    if remedy:
        fact, _, remedy = remedy.partition(". ")
        yield bad("clock", f"{fact}.", "A GitHub App cannot sign in.", remedy)


def _git() -> Diagnosis:
    oldest = ".".join(map(str, _OLDEST_GIT))
    try:
        text = Git().text("version")
    except GitError as error:
        return bad("git", error.message, "The bot can do nothing without git.", f"Install git {oldest} or newer.")
    match = re.search(r"(\d+)\.(\d+)", text)
    version = (int(match[1]), int(match[2])) if match else (0, 0)
    if version >= _OLDEST_GIT:
        return good("git", f"{text.removeprefix('git version ')}.")
    return bad("git", f"{text}.", "Picks need `git merge-tree --write-tree`.", f"Install git {oldest} or newer.")


def _pytest() -> Diagnosis:
    if importlib.util.find_spec("pytest") is not None:
        return good("pytest", "It is installed for the bot's own Python.")
    return note(
        "pytest",
        "It is not installed for the bot's own Python.",
        "Carried patches, and Python's tests that need no set-up, are not proven on this machine.",
        "Install it beside the bot, or name an interpreter that has it with `prove.python`.",
    )


def _device(kind: str) -> Diagnosis:
    has_torch = importlib.util.find_spec("torch") is not None
    torch = "torch is installed" if has_torch else "torch is not installed"
    gpu = "an AMD GPU" if has_amd_gpu() else "a GPU" if has_gpu() else "no GPU"
    fact = f"This machine has {gpu}; {torch}; `prove.device` is `{kind}`."
    if kind in ("cuda", "rocm") and not has_gpu():
        return note(
            "device",
            fact,
            "A proof on this machine ends as inconclusive, and opens no pull request.",
            "Run the proofs on a machine with that device: `prove.runner: github-actions` with `prove.actions.labels`.",
        )
    if has_gpu() and kind != "cpu" and not has_torch:
        return note("device", fact, "Suites that need torch do not use the GPU.", "Install torch for that GPU.")
    return good("device", fact)


def _isolation() -> Diagnosis:
    reason = obstacle()
    if not reason:
        return good("isolation", "Suites run in namespaces of their own.")
    return note(
        "isolation",
        f"This machine cannot isolate suites: {reason}.",
        "A bot that holds a token refuses to prove on this machine; GitHub Actions proves on others.",
        "docs/ci.md says how to allow namespaces. Or set `prove.runner: github-actions`, or `prove.containers`.",
    )

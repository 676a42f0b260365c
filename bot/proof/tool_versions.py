"""Asks the programs that run a suite for their versions, isolated as the suite is.

A tree may choose another version than the machine's: a `toolchain` of go.mod or a rust-toolchain.toml. So the question
is asked in the tree, and the answer is untrusted.
"""

from __future__ import annotations

import platform
import re
import sys
from dataclasses import replace

from bot.proof.isolated_command import Launch
from bot.proof.run_isolated import RunOptions, interpreter, run_isolated

_SECONDS = 60.0
_QUESTIONS = {
    "node": ("node", "--version"),
    "go": ("go", "version"),
    "cargo": ("rustc", "--version"),
    "mvn": ("java", "-version"),
    "pytest": ("python3", "--version"),
    "python3": ("python3", "--version"),
}
"""By the program that a suite starts: the program to ask, and how. Java tells more than Maven."""
_VERSION = re.compile(r"(?:^|[\sv\"]|go)(\d{1,6}\.\d[\w.+-]{0,30})")


def tool_versions(launch: Launch, options: RunOptions) -> dict[str, str]:
    """Return the version of what runs the suite, by its name; nothing if it is not known.

    `launch` is that of the suite.
    """
    python = interpreter(options.isolation)
    if python == sys.executable and python in launch.command:
        return {"python": platform.python_version()}
    words = {word.rpartition("/")[2] for word in (*launch.command, *launch.programs)}
    questions = (question for program, question in _QUESTIONS.items() if program in words)
    question = (python, "--version") if python in launch.command else next(questions, None)
    version = _answer(question, launch, options) if question else ""
    return {_name(question[0]): version} if question and version else {}


def _name(program: str) -> str:
    name = program.rpartition("/")[2]
    return "python" if name.startswith("python") else name


def _answer(question: tuple[str, ...], launch: Launch, options: RunOptions) -> str:
    ask = replace(launch, command=question, writable=())
    result = run_isolated(ask, options, timeout=_SECONDS, watch=lambda _: None)
    match = next((found for line in result.tail if (found := _VERSION.search(line))), None)
    return match[1] if match and not result.code else ""

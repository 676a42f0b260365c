"""Runs the configured commands that make a machine ready for a proof, e.g. that free GPU memory or log in.

They come from the default branch and run with the bot's own rights, outside of any isolation, before foreign code runs.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping, Sequence

from bot.errors import SuiteError
from bot.models import Progress
from bot.text.sanitize import printable_line

_LONGEST = 500


def run_preparations(
    commands: Sequence[Sequence[str]], values: Mapping[str, str], *, limit: float, progress: Progress
) -> None:
    """Run the commands in order, with `values` in place of `{name}`; `limit` is in seconds, for all together.

    Raises:
        SuiteError: one of them failed, or the time was over. The later ones did not run.
    """
    deadline = time.monotonic() + limit
    for words in commands:
        command = [_fill(word, values) for word in words]
        progress(f"prepare: {' '.join(command)}")
        problem = _run(command, deadline - time.monotonic())
        if problem:
            raise SuiteError(
                f"`{' '.join(command)}` of `prove.prepare` {problem}. Nothing was run.",
                hint="Run it on that machine by hand.",
            )


def _fill(word: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        word = word.replace(f"{{{name}}}", value)
    return word


def _run(command: Sequence[str], seconds: float) -> str:
    try:
        result = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=max(0.0, seconds),
            check=False,
        )
    except OSError as error:
        return f"cannot be started: {error.strerror}"
    except subprocess.TimeoutExpired:
        return "did not end within `prove.prepare_minutes`"
    if result.returncode == 0:
        return ""
    output = printable_line(result.stdout.decode(errors="replace").strip()[-_LONGEST:], _LONGEST)
    return f"exited with {result.returncode}: {output or 'it printed nothing'}"

"""Neutralizes foreign text in standard output and standard error.

All that is printed passes through here: log lines, results, errors and tracebacks. Case names, commit titles and the
output of tools are untrusted. A CI runner executes commands in a log (`::set-output`, `##[group]`, `##vso[…]`), and a
terminal executes escape sequences.

https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO, Any, cast

from bot.text.sanitize import REPLACEMENT, UNPRINTABLE

# The runner finds the first kind behind blanks at the beginning of a line, the second anywhere in a line.
_COMMAND = re.compile(r"^([^\S\n]*):(?=:)", re.MULTILINE)
_OLD_COMMAND = re.compile(r"#(?=#[a-z]*\[)", re.IGNORECASE)
# Colours, and the sequences by which a progress bar moves the cursor.
_OWN_SEQUENCE = re.compile(r"(\x1b\[[0-9;?]*[A-HJKhlm]|\r)")


def neutral(text: str, *, terminal: bool) -> str:
    """Return a text without commands to a CI runner. For a terminal, colours and a progress bar's sequences stay."""
    if terminal:
        parts = _OWN_SEQUENCE.split(text)
        return "".join(part if index % 2 else _plain(part) for index, part in enumerate(parts))
    plain = _plain(text.replace("\r\n", "\n").replace("\r", "\n"))
    return _COMMAND.sub(r"\1: ", _OLD_COMMAND.sub("# ", plain))


def _plain(text: str) -> str:
    return UNPRINTABLE.sub(REPLACEMENT, text)


def to_json(data: object, *, indent: int | None = None) -> str:
    """Return JSON for standard output. It has no `##`, so neutralizing does not change it."""
    return json.dumps(data, indent=indent).replace("##", "#\\u0023")


class _Neutral:
    """Wraps a text stream, and neutralizes what is written to it."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        self._stream.write(neutral(text, terminal=self._stream.isatty()))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a stream has
        return getattr(self._stream, name)


@contextmanager
def neutral_output() -> Iterator[None]:
    """Neutralize all that this process prints while the block runs. The output of child processes is not covered."""
    streams = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (cast("Any", _Neutral(stream)) for stream in streams)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = streams

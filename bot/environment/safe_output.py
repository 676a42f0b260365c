"""Standard output and standard error, in which foreign text gives no orders to what reads them.

Owns the one place that everything printed passes: log lines, results, errors and tracebacks. Case names, commit titles
and what tools say are somebody's. A CI runner obeys lines of a log (`::set-output`, `##[group]`, `##vso[…]`), and a
terminal obeys escape sequences.

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

# The runner looks for these behind blanks at the beginning of a line, and for those anywhere in it.
_COMMAND = re.compile(r"^([^\S\n]*):(?=:)", re.MULTILINE)
_OLD_COMMAND = re.compile(r"#(?=#[a-z]*\[)", re.IGNORECASE)
# Colours, and what a progress bar moves the cursor with.
_OWN_SEQUENCE = re.compile(r"(\x1b\[[0-9;?]*[A-HJKhlm]|\r)")


def neutral(text: str, *, terminal: bool) -> str:
    """Return text that no CI runner takes for a command, and a terminal for nothing but colours and a progress bar."""
    if terminal:
        parts = _OWN_SEQUENCE.split(text)
        return "".join(part if index % 2 else _plain(part) for index, part in enumerate(parts))
    plain = _plain(text.replace("\r\n", "\n").replace("\r", "\n"))
    return _COMMAND.sub(r"\1: ", _OLD_COMMAND.sub("# ", plain))


def _plain(text: str) -> str:
    return UNPRINTABLE.sub(REPLACEMENT, text)


def to_json(data: object, *, indent: int | None = None) -> str:
    """Return JSON for standard output. It holds no `##`, and so nothing that would have to be changed in it."""
    return json.dumps(data, indent=indent).replace("##", "#\\u0023")


class _Neutral:
    """A text stream before another one; all but writing is the other's."""

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
    """Neutralise all that this process prints while the block runs; what a child prints by itself is not covered."""
    kept = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (cast("Any", _Neutral(stream)) for stream in kept)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = kept

"""Reads the runs of each suite from a workflow's artifact.

The archive comes from a machine that ran foreign code. So nothing is unpacked to a disk, sizes are limited before they
are read, and whatever does not fit is an error and never a pass.
"""

from __future__ import annotations

import io
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from pydantic import ValidationError

from bot.errors import SuiteError
from bot.models import SuiteRun
from bot.proof.artifacts import VERDICT
from bot.proof.verdict_json import verdict_from_json
from bot.text.sanitize import printable_line

Runs: TypeAlias = Mapping[str, tuple[SuiteRun, SuiteRun]]
"""Base run and candidate run of each suite, by its name."""
LARGEST = 32 * 1024 * 1024
"""Bytes of all records together that are still read."""
MOST_SUITES = 50
_MESSAGE_LENGTH = 200
"""Characters of a message about it: names in it are foreign text."""
_RECORD = re.compile(rf"(?!\.\.?/)[^/]+/{re.escape(VERDICT)}")
_NO_ARCHIVE = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error),
    *(EOFError, NotImplementedError, OSError, OverflowError, RuntimeError, ValueError),
)
"""What `zipfile` raises of bytes that are not an archive, or one that was tampered with."""
_HINT = "Look at the artifact of the workflow run."


def read_artifact(archive: bytes) -> Runs:
    """Read both runs of every suite in an evidence folder's archive.

    Raises:
        SuiteError: this is no such archive, or a record in it cannot be used.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as zip_file:
            records = [name for name in zip_file.namelist() if _RECORD.fullmatch(name)]
            if not records or len(records) > MOST_SUITES or len(set(records)) < len(records):
                raise SuiteError(f"its artifact has the records of {len(records)} suites.", hint=_HINT)
            return {name.partition("/")[0]: runs for name, runs in _read_all(zip_file, records)}
    except _NO_ARCHIVE as error:
        reason = printable_line(str(error), _MESSAGE_LENGTH)
        raise SuiteError(f"its artifact is no archive that can be read ({reason}).", hint=_HINT) from error


def _read_all(zip_file: zipfile.ZipFile, names: Sequence[str]) -> Iterator[tuple[str, tuple[SuiteRun, SuiteRun]]]:
    budget = LARGEST
    for name in names:
        with zip_file.open(name) as member:
            # The size that the archive claims is only a claim.
            text = member.read(budget + 1)
        budget -= len(text)
        if budget < 0:
            raise SuiteError(f"its record {name} is too large to be read.", hint=_HINT)
        yield name, _read(name, text)


def _read(name: str, text: bytes) -> tuple[SuiteRun, SuiteRun]:
    try:
        verdict = verdict_from_json(text)
    except ValueError as error:
        raise SuiteError(f"its record {name} is no verdict ({_first(error)}).", hint=_HINT) from error
    return verdict.base, verdict.candidate


def _first(error: ValueError) -> str:
    """Describe the first mistake. The text of a validation error would repeat untrusted text."""
    if not isinstance(error, ValidationError):
        return printable_line(str(error), _MESSAGE_LENGTH)
    first = error.errors(include_input=False, include_url=False)[0]
    return printable_line(f"{'.'.join(map(str, first['loc']))}: {first['msg']}", _MESSAGE_LENGTH)

"""A workflow's artifact → the runs it reports, suite by suite.

Owns the reading of an archive that came out of a machine that ran somebody's code: nothing is unpacked to a disk, sizes
are bounded before they are read, and what does not fit is an error and never a pass.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from typing import TypeAlias

from bot.errors import SuiteError
from bot.gate.evidence import VERDICT
from bot.gate.record import verdict_from_json
from bot.model import SuiteRun

Runs: TypeAlias = Mapping[str, tuple[SuiteRun, SuiteRun]]
"""Base run and candidate run of each suite, by its name."""
LARGEST = 64 * 1024 * 1024
"""Bytes of one record that are still read."""
MOST_SUITES = 50
_HINT = "Look at the artifact of the workflow run."


def read_artifact(archive: bytes) -> Runs:
    """Read both runs of every suite in an evidence folder's archive.

    Raises:
        SuiteError: this is no such archive, or a record in it cannot be used.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            records = [name for name in opened.namelist() if name.count("/") == 1 and name.endswith(f"/{VERDICT}")]
            if not records or len(records) > MOST_SUITES:
                raise SuiteError(f"its artifact has the records of {len(records)} suites.", hint=_HINT)
            return {name.partition("/")[0]: _read(opened, name) for name in records}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise SuiteError(f"its artifact is no archive that can be read ({error}).", hint=_HINT) from error


def _read(opened: zipfile.ZipFile, name: str) -> tuple[SuiteRun, SuiteRun]:
    with opened.open(name) as member:
        # The size that the archive claims is only a claim.
        text = member.read(LARGEST + 1)
    if len(text) > LARGEST:
        raise SuiteError(f"its record {name} is too large to be read.", hint=_HINT)
    try:
        verdict = verdict_from_json(json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SuiteError(f"its record {name} is no verdict ({error!r}).", hint=_HINT) from error
    return verdict.base, verdict.candidate

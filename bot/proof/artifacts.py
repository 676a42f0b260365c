"""Writes the folder of a proof: its reports and its verdicts, for people and for scripts.

verdict.json            the verdict on all suites, as verdict.schema.json describes it
report.html             the same for people: one page without further files
buffers.svg             each buffer as a bar, where a suite measured any
SUITE/verdict.json      one suite's verdict
SUITE/base.xml, SUITE/candidate.xml     the JUnit XML of its two runs
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from bot.environment.data_folder import private_directory
from bot.environment.temporary_folders import remove_tree
from bot.environment.untrusted_files import write_file
from bot.models import Verdict
from bot.proof.buffer_picture import render_buffers
from bot.proof.verdict_json import write_verdict
from bot.report.verdict_page import render_page
from bot.text.branch_names import slug

_KEPT_SECONDS = 30 * 24 * 3600.0
VERDICT, PICTURE, PAGE = "verdict.json", "buffers.svg", "report.html"


def evidence_folder(root: Path, branch: str, commit: str) -> Path:
    """Return a new folder for the reports on a candidate, and remove those that are older than a month.

    A second proof of the same candidate replaces the reports of the first.
    """
    private_directory(root)
    limit = time.time() - _KEPT_SECONDS
    folder = root / f"{slug(branch)}-{commit[:12]}"
    for entry in root.iterdir():
        if entry.is_dir() and not entry.is_symlink() and (entry == folder or entry.stat().st_mtime < limit):
            remove_tree(entry)
    return folder


def write_evidence(folder: Path, verdict: Verdict, verdicts: Mapping[str, Verdict]) -> None:
    """Write a proof's verdict, each suite's verdict, the page and the picture. The runs wrote their reports before."""
    folder.mkdir(parents=True, exist_ok=True)
    folder = folder.resolve()
    for name, suite_verdict in verdicts.items():
        write_verdict(suite_verdict, folder / name / VERDICT)
    write_verdict(verdict, folder / VERDICT)
    picture = render_buffers(verdict)
    write_file(folder, PAGE, render_page(verdict, picture=picture).encode())
    if picture:
        write_file(folder, PICTURE, picture.encode())

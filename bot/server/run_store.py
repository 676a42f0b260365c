"""The results of one request's steps in the database: a `ResultStore` for steps that any process may take.

The objects of a candidate are kept as a bundle, so that a step can go on after the mirror was lost, or on a machine
that never had them.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString

from bot.git.bundle import take_bundle, write_bundle
from bot.git.diff_text import difference
from bot.git.repository import Repository
from bot.models import (
    Candidate,
    Conflicted,
    NotProven,
    Opened,
    Target,
    TargetOutcome,
    TargetPlan,
    Verdict,
    WouldOpen,
)
from bot.pipeline.request import Record
from bot.pipeline.result_store import Decision
from bot.pipeline.run_folder_records import Picked, Proof, TargetRecord, tagged
from bot.server.database import Database, recording
from bot.server.fence import Fence

_SHOWN_BYTES = 400_000


class PostgresStore:
    """The results of one recorded request. A result is kept only while the step holds its `fence`."""

    def __init__(self, database: Database, request: int, fence: Fence) -> None:
        self._database, self._request, self._fence = database, request, fence

    def decision(self, target: Target) -> Decision | None:
        """See `ResultStore`."""
        return read_decision(self._read(target, "SELECT decision FROM backport_run"))

    def keep_decision(self, target: Target, decision: Decision) -> None:
        """See `ResultStore`."""
        ending = ending_of(decision)
        self._write(
            target,
            "UPDATE backport_run SET decision = %s, ending = %s, proof = %s, opened = %s",
            write_decision(str(target), decision),
            ending.status,
            ending.proof,
            ending.opened,
        )

    def pick(self, target: Target) -> Candidate | TargetOutcome | None:
        """See `ResultStore`."""
        text = self._read(target, "SELECT pick FROM backport_run")
        return Picked.model_validate_json(text).made.value if text is not None else None

    def keep_pick(self, target: Target, result: Candidate | TargetOutcome) -> None:
        """See `ResultStore`."""
        record = Picked.model_validate({"made": tagged(result)})
        self._write(target, "UPDATE backport_run SET pick = %s", to_json(record))

    def keep_objects(self, target: Target, candidate: Candidate, mirror: Repository) -> None:
        """Keep what the candidate adds to its base commit, and beside it the difference as a text for people."""
        with tempfile.TemporaryDirectory(prefix="backport-objects-") as folder:
            bundle = Path(folder, "bundle")
            write_bundle(mirror, candidate.base_commit, candidate.commit, bundle, whole=False)
            self._write(target, "UPDATE backport_run SET objects = %s", bundle.read_bytes())
        self._write(target, "UPDATE backport_run SET difference = %s", _shown_difference(candidate, mirror))

    def fetch_objects(self, target: Target, candidate: Candidate, mirror: Repository) -> None:
        """Bring them into a mirror that lacks them."""
        if mirror.contains(candidate.commit):
            return
        objects = self._read_bytes(target)
        with tempfile.TemporaryDirectory(prefix="backport-objects-") as folder:
            bundle = Path(folder, "bundle")
            bundle.write_bytes(objects)
            take_bundle(mirror, bundle, candidate.base_commit, candidate.commit)

    def verdict(self, target: Target, candidate: Candidate) -> Verdict | None:
        """See `ResultStore`."""
        text = self._read(target, "SELECT verdict FROM backport_run")
        proof = Proof.model_validate_json(text) if text is not None else None
        return proof.verdict if proof is not None and proof.candidate == candidate.commit else None

    def keep_verdict(self, target: Target, candidate: Candidate, verdict: Verdict) -> None:
        """See `ResultStore`."""
        proof = Proof(base_commit=candidate.base_commit, candidate=candidate.commit, verdict=verdict)
        self._write(target, "UPDATE backport_run SET verdict = %s", to_json(proof))

    def _read(self, target: Target, statement: LiteralString) -> str | None:
        with recording(), self._database.transaction() as connection:
            where: LiteralString = " WHERE request = %s AND target = %s"
            row = connection.execute(statement + where, (self._request, str(target))).fetchone()
        return row[0] if row else None

    def _read_bytes(self, target: Target) -> bytes:
        statement = "SELECT objects FROM backport_run WHERE request = %s AND target = %s"
        with recording(), self._database.transaction() as connection:
            row = connection.execute(statement, (self._request, str(target))).fetchone()
        return bytes(row[0]) if row and row[0] is not None else b""

    def _write(self, target: Target, statement: LiteralString, *values: str | bytes | int | None) -> None:
        where: LiteralString = " WHERE request = %s AND target = %s"
        with recording(), self._database.transaction() as connection:
            self._fence.hold(connection)
            connection.execute(statement + where, (*values, self._request, str(target)))


@dataclass(frozen=True, slots=True)
class EndingWords:
    """How a target branch ended, in the words that lists show; None for a plan. `opened` is a pull request."""

    status: str | None = None
    proof: str | None = None
    opened: int | None = None


def ending_of(decision: Decision) -> EndingWords:
    """Return these words of a decision."""
    if isinstance(decision, TargetPlan):
        return EndingWords()
    verdict = decision.verdict if isinstance(decision, Opened | NotProven | WouldOpen) else None
    pull_request = decision.draft if isinstance(decision, Conflicted) else None
    if isinstance(decision, Opened):
        pull_request = decision.pull_request
    return EndingWords(
        decision.status.value, verdict.outcome.value if verdict else None, pull_request.number if pull_request else None
    )


def _shown_difference(candidate: Candidate, mirror: Repository) -> str:
    """Return what the candidate changes, for people; of a long text the beginning."""
    text = difference(mirror, candidate.base_commit, candidate.commit, context_lines=6)
    if len(text) > _SHOWN_BYTES:
        text = text[:_SHOWN_BYTES].rpartition(b"\n")[0] + b"\n"
    return text.replace(b"\0", b"").decode(errors="replace")


def write_decision(target: str, decision: Decision) -> str:
    """Return a plan or an outcome as JSON."""
    return to_json(TargetRecord.of("0", target, decision))


def read_decision(text: str | None) -> Decision | None:
    """Read what `write_decision` returned."""
    return TargetRecord.model_validate_json(text).decided.value if text is not None else None


def to_json(record: Record) -> str:
    """Return a record as JSON. A path that is not UTF-8 has replacement characters: it is only shown."""
    return json_text(record.model_dump(mode="json", by_alias=True))


def json_text(value: object) -> str:
    """Return plain data as JSON that PostgreSQL takes."""
    text = json.dumps(value, ensure_ascii=False)
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return json.dumps(json.loads(text))  # as ASCII: PostgreSQL takes no NUL in a text

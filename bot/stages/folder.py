"""The run folder on disk: one subfolder for each stage, so that a job hands on exactly what it made.

    plan/plan.json  plan/backport.yaml  plan/patches/…     the request, the configuration, own carried patches
    pick/ID.json    pick/ID.bundle                         one candidate and its objects
    prove/ID.json                                          its verdict
    evidence/ID/                                           what its runs reported, for people; no stage reads it
    publish/results.json                                   how every target branch ended

Owns reading and writing these files. A link, a huge file or one of another shape is an error with the file's name; what
lies in the folder besides is not looked at.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from bot.errors import RunFolderError
from bot.stages.records import Picked, Plan, Proof, Record

RecordT = TypeVar("RecordT", bound=Record)

_SEALED = ("plan", "pick")

LARGEST_RECORD = 32 * 1024 * 1024
"""Bytes; a verdict of ten thousand cases has about three million."""


class RunFolder:
    """One run's folder, which is made where it is missing."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, name: str, record: Record) -> None:
        """Write a record. A path that is not UTF-8 is written with replacement characters: here it is only shown."""
        text = json.dumps(record.model_dump(mode="json"), indent=1, ensure_ascii=False)
        path = self.made(name)
        path.write_bytes(text.encode("utf-8", "surrogateescape").decode("utf-8", "replace").encode() + b"\n")

    def path(self, name: str) -> Path:
        """Return where a file or folder lies, whether or not it is there."""
        return self.root / name

    def text(self, name: str) -> str:
        """Read a small text."""
        return self._open(name, LARGEST_RECORD).decode(errors="replace")

    def made(self, name: str) -> Path:
        """Return a file's path in a subfolder that is there."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def plan(self) -> Plan:
        """Read what the plan stage left."""
        return self._read("plan/plan.json", Plan)

    def picked(self, target: str) -> Picked | None:
        """Read what the pick stage left for a target, or None where it left nothing."""
        return self._read_if_there(f"pick/{target}.json", Picked)

    def proof(self, target: str) -> Proof | None:
        """Read what the prove stage left for a target, or None where it left nothing."""
        return self._read_if_there(f"prove/{target}.json", Proof)

    def bundle(self, target: str) -> Path:
        """Return where a target's objects lie."""
        return self.root / f"pick/{target}.bundle"

    def keep_plan_of(self, other: RunFolder, plan: Plan) -> None:
        """Write a plan that goes by the same settings as the run of another folder, with a copy of them."""
        shutil.copytree(other.path("plan"), self.path("plan"), symlinks=True, dirs_exist_ok=True)
        self.write("plan/plan.json", plan)

    def seal(self, *stages: str) -> str:
        """Return one digest over everything that these stages left: all that come before the proof, or those named."""
        digest = hashlib.sha256()
        for path in sorted(self._sealed(stages or _SEALED)):
            content = self._open(path.relative_to(self.root).as_posix())
            digest.update(f"{path.relative_to(self.root).as_posix()}\0{hashlib.sha256(content).hexdigest()}\n".encode())
        return f"sha256:{digest.hexdigest()}"

    def check_seal(self, seal: str, *stages: str) -> None:
        """Raise RunFolderError unless what these stages left is as it was sealed."""
        if not hmac.compare_digest(self.seal(*stages), seal):
            folders = " or ".join(f"{stage}/" for stage in stages or _SEALED)
            raise RunFolderError(
                "The run folder is not as it was sealed, so nothing was done.",
                hint=f"Something wrote to {folders} afterwards: look at the proof jobs, then ask again.",
            )

    def _sealed(self, stages: Iterable[str]) -> Iterator[Path]:
        for folder in stages:
            for directory, _, files in os.walk(self.root / folder):
                yield from (Path(directory, file) for file in files)

    def _read_if_there(self, name: str, kind: type[RecordT]) -> RecordT | None:
        return self._read(name, kind) if os.path.lexists(self.root / name) else None

    def _read(self, name: str, kind: type[RecordT]) -> RecordT:
        try:
            return kind.model_validate_json(self._open(name, LARGEST_RECORD))
        except ValidationError as error:
            first = error.errors(include_input=False)[0]
            where = ".".join(map(str, first["loc"]))
            raise RunFolderError(f"{name} cannot be used: {where}: {first['msg']}.", hint=_OTHER_VERSION) from None

    def _open(self, name: str, largest: int | None = None) -> bytes:
        try:
            descriptor = os.open(self.root / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with os.fdopen(descriptor, "rb") as file:
                found = os.fstat(descriptor)
                if not stat.S_ISREG(found.st_mode):
                    raise RunFolderError(f"{name} is not a plain file, so it was not read.", hint=_FOREIGN)
                if largest is not None and found.st_size > largest:
                    raise RunFolderError(f"{name} has {found.st_size} bytes, so it was not read.", hint=_FOREIGN)
                return file.read()
        except OSError as error:
            raise RunFolderError(f"{name} cannot be read: {error.strerror}.", hint=_MISSING) from error


_OTHER_VERSION = "Run every stage with the same version of the bot."
_FOREIGN = "Look at what wrote it; a stage leaves plain files."
_MISSING = "Run the stages in their order, each with the folder that the one before left."

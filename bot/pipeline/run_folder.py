"""The run folder on disk: one subfolder for each stage, so that a job hands on exactly what it made.

    plan/plan.json                                         the request
    plan/backport.yaml  plan/repository  plan/patches/…    the configuration, its repository, own carried patches
    pick/ID.json    pick/ID.bundle                         one candidate and its objects
    prove/ID.json                                          its verdict, if one machine runs all stages
    evidence/ID/                                           what its runs reported, for people; no stage reads it
    publish/results.json                                   how every target branch ended

A proof on several devices leaves prove/ID-DEVICE.json and evidence/ID-DEVICE/ for each.

A link, a huge file or one of another shape is an error that names the file. No other file in the folder is read, except
by the seal, which covers all of plan/ and pick/ and accepts only plain files.

If each proof is a job of its own, its verdict arrives in an artifact of its own, prove-ROUND-ID/ID.json in a folder
`proofs`. Nothing else in that artifact is read, so a proof's job cannot speak of another target.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from bot.environment.untrusted_files import MIB, Bounds, NotPlain, TooLarge, list_entries, read_file, write_file
from bot.errors import RunFolderError
from bot.pipeline.request import Record
from bot.pipeline.run_folder_records import Picked, Plan, Proof
from bot.text.sanitize import printable_line

RecordT = TypeVar("RecordT", bound=Record)

_SEALED_STAGES = ("plan", "pick")

LARGEST_RECORD = 32 * 1024 * 1024
"""Bytes; a verdict of ten thousand cases has about three million."""
LARGEST_SEALED = 1024 * MIB
"""Bytes of one file that is sealed: a bundle holds the objects of its candidate."""
_BOUNDS = Bounds(entries=100_000)
_KEY_CHARACTERS = 200
"""Characters of a key that an error shows: untrusted code may have chosen it."""


def proof_name(target: str, device: str = "") -> str:
    """Return what the files of a proof are called: a target's id, and the device if the proof is on several."""
    return f"{target}-{device}" if device else target


class RunFolder:
    """One run's folder, created if it is missing. `proofs` is the folder of the proofs' artifacts, if any."""

    def __init__(self, root: Path, proofs: Path | None = None) -> None:
        self.root, self.proofs = root, proofs

    def write(self, name: str, record: Record) -> None:
        """Write a record. A path that is not UTF-8 is written with replacement characters: here it is only shown."""
        text = json.dumps(record.model_dump(mode="json", by_alias=True), indent=1, ensure_ascii=False)
        content = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace").encode()
        self.write_bytes(name, content + b"\n")

    def write_bytes(self, name: str, content: bytes) -> None:
        """Write a file; a link of its name is replaced, and nothing is written through one in place of its folder.

        Raises RunFolderError if it cannot be written.
        """
        try:
            path = self.prepare_path(name)
            write_file(path.parent, path.name, content)
        except OSError as error:
            raise RunFolderError(f"{name} cannot be written: {error.strerror or error}.", hint=_FOREIGN) from error

    def path(self, name: str) -> Path:
        """Return where a file or folder lies, whether or not it is there."""
        return self.root / name

    def text(self, name: str) -> str:
        """Read a small text."""
        return self._open(name, LARGEST_RECORD).decode(errors="replace")

    def prepare_path(self, name: str) -> Path:
        """Return a file's path in a subfolder that is there."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def plan(self) -> Plan:
        """Read what the plan stage left."""
        return self._read("plan/plan.json", Plan)

    def read_pick(self, target: str) -> Picked | None:
        """Read what the pick stage left for a target, or None if it left nothing."""
        return self._read_if_there(f"pick/{target}.json", Picked)

    def proof(self, target: str, device: str = "") -> Proof | None:
        """Read what the prove stage left for a target, or for a target on one device; None if it left nothing."""
        name = proof_name(target, device)
        if self.proofs is None:
            return self._read_if_there(f"prove/{name}.json", Proof)
        artifact = re.compile(f"prove-[0-9]+-{re.escape(name)}")
        names = [folder.name for folder in self.proofs.glob("prove-*") if artifact.fullmatch(folder.name)]
        if len(names) > 1:
            raise RunFolderError(f"There are {len(names)} verdicts for target {name}.", hint=_FOREIGN)
        artifacts = RunFolder(self.proofs)
        return artifacts._read_if_there(f"{names[0]}/{name}.json", Proof) if names else None

    def bundle(self, target: str) -> Path:
        """Return where a target's objects lie."""
        return self.root / f"pick/{target}.bundle"

    def keep_plan_of(self, source: RunFolder, plan: Plan) -> None:
        """Write a plan that goes by the same settings as the run of another folder, with a copy of them."""
        for name in source._sealed_files(["plan"]):
            self.write_bytes(name, source._open(name, LARGEST_SEALED))
        self.write("plan/plan.json", plan)

    def seal(self, *stages: str) -> str:
        """Return one digest over everything that these stages left: all that come before the proof, or those named.

        Raises RunFolderError if there is anything but plain files in folders: a later stage might follow it.
        """
        digest = hashlib.sha256()
        for name in sorted(self._sealed_files(stages or _SEALED_STAGES)):
            content = self._open(name, LARGEST_SEALED)
            # A name cannot contain a zero byte, so no two folders give the same text.
            digest.update(os.fsencode(name) + b"\0" + hashlib.sha256(content).hexdigest().encode() + b"\n")
        return f"sha256:{digest.hexdigest()}"

    def check_seal(self, seal: str, *stages: str) -> None:
        """Raise RunFolderError unless what these stages left is as it was sealed."""
        if not hmac.compare_digest(self.seal(*stages).encode(), seal.encode(errors="replace")):
            folders = " or ".join(f"{stage}/" for stage in stages or _SEALED_STAGES)
            raise RunFolderError(
                "The run folder is not as it was sealed, so nothing was done.",
                hint=f"Something wrote to {folders} afterwards: look at the proof jobs, then ask again.",
            )

    def _sealed_files(self, stages: Iterable[str]) -> Iterator[str]:
        for stage in stages:
            if not os.path.lexists(self.root / stage):
                continue
            try:
                for entry in list_entries(self.root / stage, _BOUNDS):
                    if not entry.is_plain:
                        raise RunFolderError(f"{stage}/{entry.path} is not a plain file.", hint=_FOREIGN)
                    yield f"{stage}/{entry.path}"
            except OSError as error:
                raise RunFolderError(f"{stage}/ cannot be read: {error}.", hint=_FOREIGN) from error

    def _read_if_there(self, name: str, kind: type[RecordT]) -> RecordT | None:
        return self._read(name, kind) if os.path.lexists(self.root / name) else None

    def _read(self, name: str, kind: type[RecordT]) -> RecordT:
        try:
            return kind.model_validate_json(self._open(name, LARGEST_RECORD))
        except ValidationError as error:
            # The input is left out of the message: untrusted code may have written the file.
            first = error.errors(include_input=False)[0]
            key = printable_line(".".join(map(str, first["loc"])), _KEY_CHARACTERS)
            raise RunFolderError(f"{name} cannot be used: {key}: {first['msg']}.", hint=_OTHER_VERSION) from None

    def _open(self, name: str, largest: int) -> bytes:
        try:
            return read_file(self.root.resolve(), name, largest=largest)
        except NotPlain as error:
            raise RunFolderError(f"{name} is not a plain file, so it was not read.", hint=_FOREIGN) from error
        except TooLarge as error:
            raise RunFolderError(f"{name} is too large ({error}), so it was not read.", hint=_FOREIGN) from error
        except OSError as error:
            raise RunFolderError(f"{name} cannot be read: {error.strerror}.", hint=_MISSING_HINT) from error


_OTHER_VERSION = "Run every stage with the same version of the bot."
_FOREIGN = "Look at the job that wrote it; a stage writes only plain files."
_MISSING_HINT = "Run the stages in their order, each with the folder that the one before left."

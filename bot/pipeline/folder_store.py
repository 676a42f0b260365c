"""A run folder as the store of one request: records in JSON, objects in bundles.

The seal covers the results of a pick, so they are trusted. A proof writes its results where untrusted code runs: they
are trusted only as a verdict about exactly the sealed commits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.errors import RunFolderError
from bot.git.bundle import take_bundle, write_bundle
from bot.git.repository import Repository
from bot.models import Candidate, Target, TargetOutcome, Verdict
from bot.pipeline.result_store import Decision
from bot.pipeline.run_folder import RunFolder, proof_name
from bot.pipeline.run_folder_records import Picked, PlannedRequest, Proof, tagged
from bot.proof.combine_devices import combine_devices
from bot.proof.inconclusive import inconclusive
from bot.proof.verdict_json import clean_verdict


class FolderStore:
    """The results of one planned request in a run folder.

    `request` has every decision kept so far; only `plan` writes it down, for all requests of an event together.
    `evidence_url` is the page with the proofs' reports. If a proof runs on several devices, `devices` names those whose
    verdicts are combined, and `device` the one whose verdict is kept.
    """

    def __init__(
        self,
        folder: RunFolder,
        request: PlannedRequest,
        *,
        evidence_url: str = "",
        devices: Sequence[str] = (),
        device: str = "",
    ) -> None:
        self.request = request
        self._folder, self._evidence_url = folder, evidence_url
        self._devices, self._device = devices, device

    def decision(self, target: Target) -> Decision | None:
        """Return what the plan says of a target, or what was kept since."""
        return self.request.find(str(target)).decided.value

    def keep_decision(self, target: Target, decision: Decision) -> None:
        """Keep the plan or the outcome in `request`."""
        self.request = self.request.with_decision(str(target), decision)

    def pick(self, target: Target) -> Candidate | TargetOutcome | None:
        """Read pick/ID.json; None if there is no such file."""
        record = self._folder.read_pick(self._id(target))
        return record.made.value if record is not None else None

    def keep_pick(self, target: Target, result: Candidate | TargetOutcome) -> None:
        """Write pick/ID.json."""
        self._folder.write(f"pick/{self._id(target)}.json", Picked.model_validate({"made": tagged(result)}))

    def keep_objects(self, target: Target, candidate: Candidate, mirror: Repository) -> None:
        """Write pick/ID.bundle."""
        bundle = self._folder.prepare_path(f"pick/{self._id(target)}.bundle")
        whole = self.request.options.prove  # only a proof needs the branch's other files
        write_bundle(mirror, candidate.base_commit, candidate.commit, bundle, whole=whole)

    def fetch_objects(self, target: Target, candidate: Candidate, mirror: Repository) -> None:
        """Read pick/ID.bundle."""
        take_bundle(mirror, self._folder.bundle(self._id(target)), candidate.base_commit, candidate.commit)

    def verdict(self, target: Target, candidate: Candidate) -> Verdict | None:
        """Read the verdict about this very candidate. Any other content of the file gives an inconclusive verdict."""
        if not self._devices:
            return self._read_linked(target, candidate, self._device)
        return combine_devices({name: self._read_linked(target, candidate, name) for name in self._devices})

    def keep_verdict(self, target: Target, candidate: Candidate, verdict: Verdict) -> None:
        """Write prove/ID.json, or prove/ID-DEVICE.json."""
        proof = Proof(base_commit=candidate.base_commit, candidate=candidate.commit, verdict=verdict)
        self._folder.write(f"prove/{proof_name(self._id(target), self._device)}.json", proof)

    def _read_linked(self, target: Target, candidate: Candidate, device: str) -> Verdict:
        # The page is ours to name: what a proof says of it is no more than anybody's word.
        return replace(self._read_verdict(target, candidate, device), evidence_url=self._evidence_url)

    def _read_verdict(self, target: Target, candidate: Candidate, device: str) -> Verdict:
        try:
            proof = self._folder.proof(self._id(target), device)
        except RunFolderError as error:
            return inconclusive(error.message)
        if proof is None:
            return inconclusive("The proof left no verdict: its job did not end by itself.")
        if (proof.base_commit, proof.candidate) != (candidate.base_commit, candidate.commit):
            return inconclusive("The proof is about other commits than the ones that were picked.")
        try:
            return clean_verdict(proof.verdict)
        except ValueError as error:
            return inconclusive(f"The proof cannot be read: {error}.")

    def _id(self, target: Target) -> str:
        return self.request.find(str(target)).id

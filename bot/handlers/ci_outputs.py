"""Writes the outputs of a CI job: the matrices for the next jobs, in the form of GitHub Actions."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from bot.models import TargetOutcome
from bot.pipeline.run_folder import proof_name
from bot.pipeline.run_folder_records import PlannedTarget
from bot.report.json_data import target_to_json

if TYPE_CHECKING:
    # A plan has no proofs yet, and imports nothing of theirs.
    from bot.handlers.ci_jobs import PlannedProof


def matrix(targets: Iterable[PlannedTarget]) -> list[dict[str, str | int]]:
    """Return what a matrix of jobs needs of each target."""
    return [
        {"id": target.id, "branch": target.target, "original": target.request.original.number} for target in targets
    ]


def proof_matrix(proofs: Iterable[PlannedProof]) -> list[dict[str, object]]:
    """Return what a matrix of jobs needs of each proof. `proof` is what its files are called."""
    return [
        {
            **matrix([proof.target])[0],
            "proof": proof_name(proof.target.id, proof.device),
            "extras": proof.extras,
            **({"device": proof.device} if proof.device else {}),
            **({"runner": list(proof.labels)} if proof.labels else {}),
        }
        for proof in proofs
    ]


_OUTCOME_KEYS = ("branch", "status", "pull_request", "pull_request_url", "created", "verdict")


def outcome_outputs(results: Iterable[TargetOutcome]) -> dict[str, object]:
    """Return what later steps of a workflow need of the outcomes: `results`, and the numbers that were `created`.

    No free text is among it: a workflow may paste an output into a shell.
    """
    entries = [target_to_json(result) for result in results]
    return {
        "results": [{key: entry[key] for key in _OUTCOME_KEYS} for entry in entries],
        "created": [entry["pull_request"] for entry in entries if entry["created"]],
    }


def write_outputs(outputs: dict[str, object]) -> None:
    """Give a GitHub Actions job its outputs, one line of JSON each; does nothing elsewhere."""
    file = os.environ.get("GITHUB_OUTPUT")
    if not file:
        return
    with Path(file).open("a", encoding="utf-8") as lines:
        for name, value in outputs.items():
            # json.dumps leaves no line break in a branch name, so no value can begin another output.
            lines.write(f"{name}={value if isinstance(value, str) else json.dumps(value)}\n")

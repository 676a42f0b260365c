"""A CI in miniature: each stage with a mirror of its own, the run folder handed on, secrets where they are due."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from bot.environment import credentials
from bot.github.connection_settings import ConnectionSettings
from bot.handlers import ci_jobs, ci_plan
from bot.handlers.ci_event import Event, read_event
from bot.models import TargetOutcome, Verdict, silent
from bot.pipeline.run_folder import RunFolder
from bot.pipeline.run_folder_records import PlannedTarget
from tests.pipeline.office import BOT, MAINTAINER, REPOSITORY, Office

PATCHES = Path(__file__).parents[1] / "pipeline" / "patches"


@dataclass
class Pipeline:
    """The five stages on one run folder."""

    office: Office
    directory: Path
    token: str
    monkeypatch: pytest.MonkeyPatch

    run_folder: Path | None = None
    sealed: str | None = None
    proven: set[str] = field(default_factory=set)

    @property
    def folder(self) -> RunFolder:
        return RunFolder(self.run_folder or self.directory / "run")

    def following(self, next_round: RunFolder) -> Pipeline:
        """Return the stages of the next round, on the folder that the last one left for it."""
        return replace(self, run_folder=next_round.root, sealed=None, proven=set())

    def write_config(self, extra: str = "", *, required: bool = True) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        prove = f"{{device: cpu, required: {str(required).lower()}}}"
        config = f"repository: {REPOSITORY}\npatches: [{PATCHES}]\nprove: {prove}\n{extra}"
        (self.directory / "backport.yaml").write_text(config)

    def event(self, body: str, *, on: int = 7, as_: str = MAINTAINER) -> Event:
        """Write a comment as somebody and return the event file that Actions would make of it."""
        comment = self.office.issue(on, as_=as_).create_comment(body)
        file = self.directory / "event.json"
        file.write_text(json.dumps(self.payload(comment.id, body, on=on, author=as_)))
        return read_event("issue_comment", file)

    def merged(self, number: int) -> Event:
        """Return the event of a merge."""
        repository = {"full_name": REPOSITORY}
        pull = {"number": number, "merged": True, "labels": []}
        return Event("pull_request", {"action": "closed", "repository": repository, "pull_request": pull})

    def dispatched(self, inputs: dict[str, str], *, as_: str = MAINTAINER, kind: str = "User") -> Event:
        """Return the event of a run that somebody started by hand."""
        file = self.directory / "event.json"
        sender = {"login": as_, "type": kind}
        file.write_text(json.dumps({"inputs": inputs, "repository": {"full_name": REPOSITORY}, "sender": sender}))
        return read_event("workflow_dispatch", file)

    def payload(self, comment_id: int, body: str, *, on: int, author: str) -> dict[str, Any]:
        return {
            "action": "created",
            "repository": {"full_name": REPOSITORY},
            "issue": {"number": on, "pull_request": {"url": "there"}},
            "comment": {"id": comment_id, "body": body, "user": {"login": author, "type": "User"}},
        }

    def plan(self, event: Event) -> tuple[PlannedTarget, ...]:
        self.give_token()
        config = self.directory / "backport.yaml"
        return ci_plan.run_plan(
            self.folder.root, event, self.connection("plan"), config=config, progress=silent
        ).targets

    def pick(self, *targets: str, seal: str | None = None) -> tuple[str, ...]:
        self.give_token()
        connection = self.connection(f"pick{''.join(targets)}")
        return ci_jobs.run_pick(self.folder, targets, connection, seal=seal, progress=silent)

    def seal(self) -> str:
        self.sealed = ci_jobs.run_seal(self.folder)[0]
        return self.sealed

    def prove(self, targets: Iterable[str] = ()) -> dict[str, Verdict]:
        verdicts = ci_jobs.run_prove(self.folder, tuple(targets), seal=self.sealed, progress=silent)
        self.proven |= verdicts.keys()
        return verdicts

    def handed_on(self) -> Path:
        """Return the folder of artifacts: of each job that proved a target, the file that has the target's name."""
        proofs = self.folder.root.with_name(f"{self.folder.root.name}-proofs")
        shutil.rmtree(proofs, ignore_errors=True)
        for target in self.proven:
            verdict, artifact = self.folder.path(f"prove/{target}.json"), proofs / f"prove-1-{target}"
            artifact.mkdir(parents=True)
            if os.path.lexists(verdict):
                shutil.copy2(verdict, artifact / verdict.name, follow_symlinks=False)
        return proofs

    def publish(
        self, seal: str, *, next_round: RunFolder | None = None, evidence_url: str = ""
    ) -> tuple[TargetOutcome, ...]:
        self.give_token()
        connection = self.connection("publish")
        folder = RunFolder(self.folder.root, self.handed_on())
        return ci_jobs.run_publish(
            folder, seal, connection, next_round=next_round, evidence_url=evidence_url, progress=silent
        )

    def run(
        self, body: str, *, on: int = 7, as_: str = MAINTAINER, evidence_url: str = ""
    ) -> tuple[TargetOutcome, ...]:
        """Run all stages."""
        if self.plan(self.event(body, on=on, as_=as_)):
            self.pick()
        seal = self.seal()
        self.prove()
        return self.publish(seal, evidence_url=evidence_url)

    def connection(self, job: str) -> ConnectionSettings:
        return ConnectionSettings(self.office.fake_github.api_url, self.directory / job, BOT, repository=REPOSITORY)

    def give_token(self) -> None:
        self.monkeypatch.setenv(credentials.TOKEN, self.token)

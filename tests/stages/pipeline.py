"""A CI in miniature: each stage with a mirror of its own, the run folder handed on, secrets where they are due."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot import credentials
from bot.model import TargetResult, Verdict, silent
from bot.stages import jobs
from bot.stages.event import Event, read_event
from bot.stages.folder import RunFolder
from bot.stages.records import Planned
from bot.workflow.workplace import Doors
from tests.workflow.office import BOT, MAINTAINER, REPOSITORY, Office

PATCHES = Path(__file__).parents[1] / "workflow" / "patches"


@dataclass
class Pipeline:
    """The five stages on one run folder."""

    office: Office
    directory: Path
    token: str
    monkeypatch: pytest.MonkeyPatch

    @property
    def folder(self) -> RunFolder:
        return RunFolder(self.directory / "run")

    def write_config(self, extra: str = "") -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        config = f"repository: {REPOSITORY}\npatches: [{PATCHES}]\nprove: {{device: cpu}}\n{extra}"
        (self.directory / "backport.yaml").write_text(config)

    def event(self, body: str, *, on: int = 7, as_: str = MAINTAINER) -> Event:
        """Write a comment as somebody and return the event file that Actions would make of it."""
        comment = self.office.issue(on, as_=as_).create_comment(body)
        file = self.directory / "event.json"
        file.write_text(json.dumps(self.payload(comment.id, body, on=on, author=as_)))
        return read_event("issue_comment", file)

    def payload(self, comment_id: int, body: str, *, on: int, author: str) -> dict[str, Any]:
        return {
            "action": "created",
            "repository": {"full_name": REPOSITORY},
            "issue": {"number": on, "pull_request": {"url": "there"}},
            "comment": {"id": comment_id, "body": body, "user": {"login": author, "type": "User"}},
        }

    def plan(self, event: Event) -> tuple[Planned, ...]:
        self.give_token()
        config = self.directory / "backport.yaml"
        return jobs.run_plan(self.folder, event, self.doors("plan"), config=config, progress=silent)

    def pick(self, *targets: str) -> tuple[str, ...]:
        self.give_token()
        return jobs.run_pick(self.folder, targets, self.directory / f"pick{''.join(targets)}", progress=silent)

    def seal(self) -> str:
        return jobs.run_seal(self.folder)[0]

    def prove(self, targets: Iterable[str] = ()) -> dict[str, Verdict]:
        return jobs.run_prove(self.folder, tuple(targets), progress=silent)

    def publish(self, seal: str) -> tuple[TargetResult, ...]:
        self.give_token()
        return jobs.run_publish(self.folder, seal, self.doors("publish"), progress=silent)

    def run(self, body: str, *, on: int = 7, as_: str = MAINTAINER) -> tuple[TargetResult, ...]:
        """Run all stages, each target picked in a job of its own."""
        for each in self.plan(self.event(body, on=on, as_=as_)):
            self.pick(each.id)
        seal = self.seal()
        self.prove()
        return self.publish(seal)

    def doors(self, job: str) -> Doors:
        return Doors(REPOSITORY, self.office.sandbox.api_url, self.directory / job, BOT)

    def give_token(self) -> None:
        self.monkeypatch.setenv(credentials.TOKEN, self.token)

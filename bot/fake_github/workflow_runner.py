"""Plays a runner of GitHub Actions: it takes dispatched workflow runs, ends them, and leaves artifacts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.fake_github.accounts import now
from bot.fake_github.github_state import World
from bot.fake_github.repository_records import Artifact


class WorkflowRunner:
    """The part of a fake GitHub by which a test runs workflows. An unknown repository or run raises KeyError."""

    world: World

    def runs(self, repository: str) -> tuple[int, ...]:
        """List the numbers of the workflow runs that were dispatched, oldest first."""
        with self.world.lock:
            return tuple(self.world.repositories[repository.lower()].runs)

    def start_run(self, repository: str, run_id: int) -> Mapping[str, Any]:
        """Take a run out of the queue as a runner would; returns the inputs it was dispatched with."""
        with self.world.lock:
            run = self.world.repositories[repository.lower()].runs[run_id]
            run.status, run.updated_at = "in_progress", now()
            return dict(run.inputs)

    def lose_run(self, repository: str, run_id: int) -> None:
        """Forget a run, as GitHub does when one is deleted."""
        with self.world.lock:
            del self.world.repositories[repository.lower()].runs[run_id]

    def finish_run(self, repository: str, run_id: int, conclusion: str, artifacts: Mapping[str, bytes]) -> None:
        """End a dispatched workflow run as a runner would. Artifacts are zip archives by name."""
        with self.world.lock:
            run = self.world.repositories[repository.lower()].runs[run_id]
            for name, content in artifacts.items():
                artifact = Artifact(id=self.world.next_id(), name=name, content=content, created_at=now())
                run.artifacts[artifact.id] = artifact
            run.status, run.conclusion, run.updated_at = "completed", conclusion, now()

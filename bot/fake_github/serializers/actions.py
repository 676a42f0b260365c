"""JSON for workflows, their runs and artifacts."""

from __future__ import annotations

from datetime import timedelta

from bot.fake_github.api import Json
from bot.fake_github.git_store import GitCommit
from bot.fake_github.github_state import World
from bot.fake_github.repository_records import Artifact, Repository, Runner, WorkflowRun
from bot.fake_github.serializers.repositories import api_url, html_url, repository_json
from bot.fake_github.serializers.users import node_id, stamp, user_json

_LIFETIME = timedelta(days=90)


def workflow_json(world: World, repository: Repository, path: str) -> Json:
    """Return GitHub's `workflow`."""
    number = repository.workflow_ids.setdefault(path, world.next_id())
    page = html_url(world, repository)
    return {
        "id": number,
        "node_id": node_id("W", number),
        "name": path.rpartition("/")[2].partition(".")[0],
        "path": path,
        "state": "active",
        "created_at": stamp(repository.created_at),
        "updated_at": stamp(repository.created_at),
        "url": f"{api_url(world, repository)}/actions/workflows/{number}",
        "html_url": f"{page}/blob/{repository.default_branch}/{path}",
        "badge_url": f"{page}/workflows/{number}/badge.svg",
    }


def runner_json(runner: Runner) -> Json:
    """Return GitHub's `runner`."""
    labels = [{"id": number, "name": name, "type": "custom"} for number, name in enumerate(runner.labels, 1)]
    return {
        "id": runner.id,
        "name": runner.name,
        "os": "linux",
        "status": "online",
        "busy": False,
        "ephemeral": False,
        "labels": labels,
    }


def run_json(world: World, repository: Repository, run: WorkflowRun) -> Json:
    """Return GitHub's `workflow-run`."""
    api = f"{api_url(world, repository)}/actions"
    url = f"{api}/runs/{run.id}"
    workflow = repository.workflow_ids[run.path]
    urls = {f"{name}_url": f"{url}/{name}" for name in ("jobs", "logs", "artifacts", "cancel", "rerun")}
    return urls | {
        "id": run.id,
        "node_id": node_id("WFR", run.id),
        "name": run.name,
        "display_title": run.title,
        "head_branch": run.head_branch,
        "head_sha": run.head_sha,
        "path": run.path,
        "run_number": run.number,
        "run_attempt": 1,
        "event": run.event,
        "status": run.status,
        "conclusion": run.conclusion,
        "workflow_id": workflow,
        "check_suite_id": run.id,
        "check_suite_node_id": node_id("CS", run.id),
        "check_suite_url": f"{api_url(world, repository)}/check-suites/{run.id}",
        "url": url,
        "html_url": f"{html_url(world, repository)}/actions/runs/{run.id}",
        "workflow_url": f"{api}/workflows/{workflow}",
        "previous_attempt_url": None,
        "pull_requests": [],
        "actor": user_json(world, run.actor),
        "triggering_actor": user_json(world, run.actor),
        "created_at": stamp(run.created_at),
        "updated_at": stamp(run.updated_at),
        "run_started_at": stamp(run.created_at),
        "head_commit": _head_commit_json(repository.git.commit(run.head_sha)),
        "repository": repository_json(world, repository),
        "head_repository": repository_json(world, repository),
        "referenced_workflows": [],
    }


def _head_commit_json(commit: GitCommit) -> Json:
    return {
        "id": commit.sha,
        "tree_id": commit.tree,
        "message": commit.message,
        "timestamp": commit.committer.date.isoformat(),
        "author": {"name": commit.author.name, "email": commit.author.email},
        "committer": {"name": commit.committer.name, "email": commit.committer.email},
    }


def artifact_json(world: World, repository: Repository, artifact: Artifact) -> Json:
    """Return GitHub's `artifact`."""
    url = f"{api_url(world, repository)}/actions/artifacts/{artifact.id}"
    return {
        "id": artifact.id,
        "node_id": node_id("AR", artifact.id),
        "name": artifact.name,
        "size_in_bytes": len(artifact.content),
        "url": url,
        "archive_download_url": f"{url}/zip",
        "expired": False,
        "created_at": stamp(artifact.created_at),
        "updated_at": stamp(artifact.created_at),
        "expires_at": stamp(artifact.created_at + _LIFETIME),
    }

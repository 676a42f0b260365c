"""JSON for check runs and check suites."""

from __future__ import annotations

from bot.fake_github.accounts import App, User, now
from bot.fake_github.api import Json
from bot.fake_github.serializers.repositories import api_url, html_url
from bot.fake_github.serializers.users import app_json, node_id, stamp
from bot.fake_github.state import CheckRun, Repository
from bot.fake_github.world import World


def creator_app(creator: User) -> App:
    """Return the App behind a bot account; a plain bot stands for one with its own login."""
    if creator.app:
        return creator.app
    return App(
        id=creator.id,
        slug=creator.login.removesuffix("[bot]"),
        name=creator.name,
        owner=creator,
        created_at=creator.created_at,
        installation_id=0,
    )


def check_run_json(world: World, repository: Repository, run: CheckRun) -> Json:
    """Shape `check-run`."""
    url = f"{api_url(world, repository)}/check-runs/{run.id}"
    html = f"{html_url(world, repository)}/runs/{run.id}"
    return {
        "id": run.id,
        "head_sha": run.head_sha,
        "node_id": node_id("CR", run.id),
        "external_id": run.external_id,
        "url": url,
        "html_url": html,
        "details_url": run.details_url or html,
        "status": run.status,
        "conclusion": run.conclusion,
        "started_at": stamp(run.started_at),
        "completed_at": stamp(run.completed_at),
        "output": {
            "title": run.output.get("title"),
            "summary": run.output.get("summary"),
            "text": run.output.get("text"),
            "annotations_count": len(run.annotations),
            "annotations_url": f"{url}/annotations",
        },
        "name": run.name,
        "check_suite": {"id": run.suite_id},
        "app": app_json(world, creator_app(run.creator)),
        "pull_requests": [
            _pull_json(world, repository, issue.number, run.head_sha)
            for issue in repository.pulls()
            if issue.state == "open" and issue.pull and issue.pull.head_sha == run.head_sha
        ],
    }


def _pull_json(world: World, repository: Repository, number: int, sha: str) -> Json:
    issue = repository.issues[number]
    pull = issue.pull
    if pull is None:
        return {}
    here = {"id": repository.id, "url": api_url(world, repository), "name": repository.name}
    head = pull.head_repository
    there = {"id": head.id, "url": api_url(world, head), "name": head.name} if head else here
    return {
        "id": pull.id,
        "number": number,
        "url": f"{api_url(world, repository)}/pulls/{number}",
        "head": {"ref": pull.head, "sha": sha, "repo": there},
        "base": {"ref": pull.base, "sha": pull.base_sha, "repo": here},
    }


def check_suite_json(world: World, repository: Repository, runs: list[CheckRun]) -> Json:
    """Shape the suite of check runs in a check_run event: one App's runs on one commit."""
    first = runs[0]
    url = f"{api_url(world, repository)}/check-suites/{first.suite_id}"
    finished = all(run.status == "completed" for run in runs)
    conclusions = {run.conclusion for run in runs}
    verdict = "success" if conclusions <= {"success", "neutral", "skipped"} else "failure"
    return {
        "id": first.suite_id,
        "node_id": node_id("CS", first.suite_id),
        "head_branch": None,
        "head_sha": first.head_sha,
        "status": "completed" if finished else "in_progress",
        "conclusion": verdict if finished else None,
        "url": url,
        "before": None,
        "after": first.head_sha,
        "pull_requests": [],
        "app": app_json(world, creator_app(first.creator)),
        "created_at": stamp(first.started_at or now()),
        "updated_at": stamp(first.completed_at or now()),
    }

"""JSON for check runs and check suites."""

from __future__ import annotations

from bot.fake_github.accounts import App, User
from bot.fake_github.api import Json
from bot.fake_github.conversation import Pull
from bot.fake_github.github_state import World
from bot.fake_github.repository_records import CheckRun, Repository
from bot.fake_github.serializers.repositories import api_url, html_url
from bot.fake_github.serializers.users import app_json, node_id, stamp


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
    )


def check_run_json(world: World, repository: Repository, run: CheckRun) -> Json:
    """Return GitHub's `check-run`."""
    url = f"{api_url(world, repository)}/check-runs/{run.id}"
    html = f"{html_url(world, repository)}/runs/{run.id}"
    return {
        "id": run.id,
        "head_sha": run.head_sha,
        "node_id": node_id("CR", run.id),
        "external_id": run.external_id,
        "url": url,
        "html_url": html,
        "details_url": html,
        "status": run.status,
        "conclusion": run.conclusion,
        "started_at": stamp(run.started_at),
        "completed_at": stamp(run.completed_at),
        "output": {
            "title": run.output.get("title"),
            "summary": run.output.get("summary"),
            "text": run.output.get("text"),
            "annotations_count": 0,
            "annotations_url": f"{url}/annotations",
        },
        "name": run.name,
        "check_suite": {"id": run.suite_id},
        "app": app_json(world, creator_app(run.creator)),
        "pull_requests": [
            _pull_json(world, repository, issue.number, issue.pull)
            for issue in repository.pulls()
            if issue.state == "open" and issue.pull and issue.pull.head_sha == run.head_sha
        ],
    }


def _pull_json(world: World, repository: Repository, number: int, pull: Pull) -> Json:
    return {
        "id": pull.id,
        "number": number,
        "url": f"{api_url(world, repository)}/pulls/{number}",
        "head": {"ref": pull.head, "sha": pull.head_sha, "repo": _link_json(world, pull.head_repository or repository)},
        "base": {"ref": pull.base, "sha": pull.base_sha, "repo": _link_json(world, repository)},
    }


def _link_json(world: World, repository: Repository) -> Json:
    return {"id": repository.id, "url": api_url(world, repository), "name": repository.name}

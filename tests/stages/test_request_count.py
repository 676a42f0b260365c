"""How often a backport asks GitHub over all jobs of a CI, whichever account it has. See the count in one process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.environment import credentials
from bot.github.connection_settings import ConnectionSettings
from bot.handlers import ci_plan
from bot.models import Opened, silent
from tests.pipeline.landing import write
from tests.pipeline.office import BOT, MAINTAINER, REPOSITORY
from tests.pipeline.test_request_count import BRANCHES, PER_BRANCH, api_requests, squash_merged
from tests.stages.pipeline import Pipeline

Account = Callable[[Pipeline, pytest.MonkeyPatch], str]
PERMISSIONS = {"contents": "write", "pull_requests": "write", "issues": "write", "checks": "write", "metadata": "read"}


def _run_token(pipeline: Pipeline, _monkeypatch: pytest.MonkeyPatch) -> str:
    return BOT


def _token(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> str:
    """Take a token whose account GitHub has to name."""
    monkeypatch.setattr(Pipeline, "connection", lambda self, job: _settings(self.directory / job, self))
    return BOT


def _app(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> str:
    app, key = pipeline.office.fake_github.add_app("backporter", [REPOSITORY], PERMISSIONS)

    def give_key(_self: Pipeline) -> None:
        monkeypatch.setenv(credentials.APP_ID, str(app.id))
        monkeypatch.setenv(credentials.PRIVATE_KEY, key)

    monkeypatch.setattr(Pipeline, "give_token", give_key)
    _token(pipeline, monkeypatch)
    return "backporter[bot]"


def _settings(directory: Path, pipeline: Pipeline) -> ConnectionSettings:
    return ConnectionSettings(pipeline.office.fake_github.api_url, directory, repository=REPOSITORY)


@pytest.mark.parametrize("branches", [1, 3])
@pytest.mark.parametrize(("account", "first"), [(_run_token, 16), (_token, 18), (_app, 20)])
def test_a_backport_over_all_jobs_asks_seldom(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, account: Account, first: int, branches: int
) -> None:
    office, login = pipeline.office, account(pipeline, monkeypatch)
    config = f"repository: {REPOSITORY}\nprove: {{device: cpu, required: false}}\n"
    write(office, "main", {"backport.yaml": config}, "Configure the bot")
    number = squash_merged(office)
    event = pipeline.event(f"/backport {' '.join(BRANCHES[:branches])}", on=number)
    before = len(office.fake_github.requests())
    pipeline.give_token()
    ci_plan.run_plan(pipeline.folder.root, event, pipeline.connection("plan"), config=None, progress=silent)
    pipeline.pick()
    seal = pipeline.seal()
    pipeline.prove()
    results = pipeline.publish(seal)
    assert [type(result) for result in results] == [Opened] * branches
    requests = api_requests(office.fake_github.requests()[before:], login)
    assert len(requests) <= first + PER_BRANCH * (branches - 1), "\n".join(requests)
    pulls = office.people[MAINTAINER].get_repo(REPOSITORY).get_pulls()
    reviewers = [user.login for pull in pulls if pull.user.login == login for user in pull.requested_reviewers]
    assert reviewers == [MAINTAINER] * branches

"""A repository that is renamed, or moved to another owner, or whose default branch is renamed, while it is served."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from bot.server.database import Database
from bot.server.repositories import Repositories, RepositorySource
from bot.server.served_repository import RepositoryRows, ServedRepository
from bot.server.service import Service
from bot.server.webhooks import signature_of
from tests.pipeline.conftest import history, office
from tests.pipeline.landing import unproven
from tests.pipeline.office import MAINTAINER, REPOSITORY, Office, git, with_pick
from tests.server.serving import SECRET, serving

__all__ = ["history", "office"]


@pytest.fixture
def progress_lines() -> list[str]:
    return []


@pytest.fixture
def service(office: Office, tmp_path: Path, database_url: str, progress_lines: list[str]) -> Iterator[Service]:
    context = with_pick(unproven(office).context, progress=progress_lines.append)
    with serving(replace(office, context=context), tmp_path / "data", database_url) as running:
        yield running


def ask(service: Service, office: Office, name: str, *, target: str = "release/1.2", **repository: object) -> None:
    """Comment on #9 and tell the service of it, as the webhook of a repository of that name would."""
    issue = office.people[MAINTAINER].get_repo(office.context.github.repository).get_issue(9)
    comment = issue.create_comment(f"/backport {target}")
    payload = {
        "action": "created",
        "repository": {"full_name": name, **repository},
        "issue": {"number": 9, "pull_request": {"url": "x"}},
        "comment": {"id": comment.id, "user": {"login": MAINTAINER, "type": "User"}, "body": comment.body},
    }
    body = json.dumps(payload).encode()
    headers = {"X-GitHub-Delivery": str(comment.id), "X-GitHub-Event": "issue_comment"}
    headers["X-Hub-Signature-256"] = signature_of(SECRET, body)
    assert requests.post(service.url, data=body, headers=headers, timeout=30).status_code == 202
    assert service.wait_until_idle(60)


@pytest.mark.parametrize("name", ["acme/gadget", "widgets-inc/widget"], ids=["renamed", "moved to another owner"])
@pytest.mark.parametrize("has_id", [True, False], ids=["by its id", "by asking"])
def test_a_renamed_repository_is_served_on(
    office: Office, service: Service, progress_lines: list[str], name: str, has_id: bool
) -> None:
    about = {"id": office.context.github.repository_id} if has_id else {}
    office.fake_github.rename_repository(REPOSITORY, name)
    for target in ("release/1.2", "release/1.1"):
        ask(service, office, name, target=target, **about)
    assert [pull.base.ref for pull in office.backports()] == ["release/1.2", "release/1.1"]
    assert [line for line in progress_lines if "Correct `repository`" in line] == [
        f"{REPOSITORY} is called {name} now and is served under both names. Correct `repository` in backport.yaml."
    ]


def test_a_default_branch_that_is_renamed_is_where_commits_are_looked_for(office: Office, service: Service) -> None:
    fix = git(office.git_dir, "rev-parse", "pull-9^{commit}")
    ask(service, office, REPOSITORY, target=f"release/1.1 --commits {fix}")
    office.fake_github.rename_default_branch(REPOSITORY, "trunk")
    ask(service, office, REPOSITORY, target=f"release/1.2 --commits {fix}")
    assert [pull.base.ref for pull in office.backports()] == ["release/1.1", "release/1.2"]


def test_another_repository_is_named_and_left_alone(
    office: Office, service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "bot.server.repositories"):
        ask(service, office, "acme/other", id=-1)
        ask(service, office, "acme/other", id=-1)
    assert office.backports() == []
    (line,) = [record.getMessage() for record in caplog.records if record.name == "bot.server.repositories"]
    assert line.startswith("A delivery about acme/other was left alone: this service is not for that repository.")


def test_a_name_that_was_given_up_is_another_repositorys_once_that_has_it(database: Database) -> None:
    rows = RepositoryRows(database)
    rows.keep(ServedRepository(id=1, name="acme/widget"))
    rows.keep(ServedRepository(id=1, name="acme/motor"))
    repositories = Repositories(
        database, RepositorySource(open=lambda _served: pytest.fail("opened"), list=rows.served)
    )
    for number, name in ((1, "acme/widget"), (1, "Acme/Motor")):
        assert repositories.find(name) == repositories.find("whatever", number)
    rows.keep(ServedRepository(id=2, name="acme/widget"))
    numbers = [repositories.find(*about) for about in (("acme/widget",), ("acme/motor",), ("acme/motor", 2))]
    assert [found.id if found else None for found in numbers] == [2, 1, 2]

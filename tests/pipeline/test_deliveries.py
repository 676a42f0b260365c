"""The service on real webhooks of the fake GitHub: what people do on GitHub is all that happens here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from bot.fake_github.middleware import Exchange
from bot.server.service import Service
from bot.server.webhooks import signature_of
from tests.fake_github.conftest import node_modules
from tests.fake_github.contract import PREFIX, Contract
from tests.pipeline.landing import open_pull, unproven, write
from tests.pipeline.office import MAINTAINER, REPOSITORY, Office, git, with_pick
from tests.server.serving import SECRET, serving

__all__ = ["node_modules"]

TARGET = "release/1.2"


@pytest.fixture
def lenient(office: Office) -> Office:
    """Return an office that proves nothing and makes drafts of conflicts."""
    return unproven(office, "publish: {on_conflict: draft}")


@pytest.fixture
def service(lenient: Office, tmp_path: Path, database_url: str) -> Iterator[Service]:
    """Run the service and let the fake GitHub tell it what happens."""
    with serving(lenient, tmp_path / "data", database_url) as running:
        lenient.fake_github.add_webhook(REPOSITORY, running.url, SECRET, ["issue_comment", "pull_request"])
        yield running


def settle(office: Office, service: Service) -> None:
    """Wait until every delivery, and what it caused, has been worked off."""
    for _ in range(3):
        office.fake_github.wait_for_deliveries()
        assert service.wait_until_idle(60)


def test_from_the_label_over_the_merge_to_the_resolved_draft(lenient: Office, service: Service) -> None:
    repository = lenient.people[MAINTAINER].get_repo(REPOSITORY)
    write(lenient, "main", {"widget/count.py": "COUNT = 1\n"}, "Count")
    write(lenient, TARGET, {"widget/count.py": "COUNT = 5\n"}, "Count otherwise")
    write(lenient, "topic", {"widget/count.py": "COUNT = 2\n"}, "Count more", onto="main")
    pull = open_pull(lenient, "topic", title="Count more")
    pull.add_to_labels(f"backport {TARGET}")
    settle(lenient, service)
    assert "Remembered" in lenient.answers(pull.number)[0]
    pull.merge(merge_method="squash")
    settle(lenient, service)
    (backport,) = lenient.backports()
    assert backport.draft
    commit = write(lenient, "fixed", {"widget/count.py": "COUNT = 7\n"}, "Resolve", onto=backport.head.ref)
    repository.get_git_ref(f"heads/{backport.head.ref}").edit(commit)
    settle(lenient, service)
    runs = repository.get_commit(commit).get_check_runs(check_name="Conflicts resolved")
    assert [run.conclusion for run in runs] == ["success"]
    repository.get_pull(backport.number).mark_ready_for_review()
    settle(lenient, service)
    assert not lenient.backports()[0].draft
    assert len(lenient.answers(pull.number)) == 1, "the bot answers nothing that it did itself"


@pytest.mark.node
def test_every_answer_on_the_way_is_one_that_github_gives(office: Office, node_modules: Path) -> None:
    calls: list[Exchange] = []
    office.fake_github.watch(calls.append)
    office_with_limits = unproven(
        office,
        "publish: {on_conflict: draft, copy_milestone: true, auto_merge: squash, team_reviewers: [kernels]}\n"
        "commit: {verified: true, signoff: true}",
    )
    office.fake_github.grant(REPOSITORY, "ann", "write")
    office.fake_github.add_team("acme", "kernels", ["ann"])
    milestone = office.people[MAINTAINER].get_repo(REPOSITORY).create_milestone("1.2.1")
    office.issue(9).edit(milestone=milestone)
    office_with_limits.say("/backport release/1.2 release/1.1", on=9)
    office_with_limits.say("/backport release/1.1", on=7)
    office_with_limits.say("/backport status", on=7)
    office_with_limits.say("/backport release/1.2 --redo", on=9)
    assert len(office_with_limits.backports()) == 3
    contract = Contract(node_modules)
    rest_items = [exchange for exchange in calls if exchange.url.startswith(PREFIX)]
    assert {"check-runs", "assignees", "requested_reviewers", "blobs", "trees"} <= {
        exchange.url.rsplit("/")[-1] for exchange in rest_items
    }
    assert not [problem for exchange in rest_items for problem in contract.problems(exchange)]


def test_several_pull_requests_and_commands_are_served_side_by_side(lenient: Office, service: Service) -> None:
    lenient.issue(9).create_comment(f"/backport {TARGET}\n/backport status")
    lenient.issue(7).create_comment(f"/backport {TARGET}")
    settle(lenient, service)
    assert len(lenient.answers(9)) == 2
    assert len(lenient.answers(7)) == 1
    assert len(lenient.backports()) == 2


def test_another_organisations_repository_of_the_same_name_is_not_ours(lenient: Office, service: Service) -> None:
    body = f"/backport {TARGET}"
    comment = lenient.issue(9).create_comment(body)
    settle(lenient, service)
    before = lenient.answers(9)
    payload = {
        "action": "created",
        "issue": {"number": 9, "pull_request": {"url": "https://api.github.com/…"}},
        "comment": {"id": comment.id + 1, "body": body, "user": {"login": MAINTAINER, "type": "User"}},
        "repository": {"full_name": "other/widget"},
    }
    raw = json.dumps(payload).encode()
    headers = {"X-GitHub-Delivery": "1", "X-GitHub-Event": "issue_comment"}
    headers["X-Hub-Signature-256"] = signature_of(SECRET, raw)
    assert requests.post(service.url, data=raw, headers=headers, timeout=60).status_code == 202
    settle(lenient, service)
    assert lenient.answers(9) == before


def test_a_branch_beyond_the_first_page_of_branches_is_found(lenient: Office) -> None:
    tip = git(lenient.git_dir, "rev-parse", TARGET)
    for number in range(130):
        git(lenient.git_dir, "update-ref", f"refs/heads/feature/{number:03}", tip)
    git(lenient.git_dir, "update-ref", "refs/heads/zebra/1.9", tip)
    config = lenient.context.config.model_copy(update={"branches": ("zebra/*",)})
    office = replace(lenient, context=with_pick(lenient.context, config=config))
    (outcome,) = office.say("/backport zebra/*", on=9)
    assert (outcome.target, outcome.status) == ("zebra/1.9", "opened")


def test_all_and_a_glob_mean_the_newest_first(lenient: Office) -> None:
    dry = [result.target for result in lenient.say("/backport all --dry-run", on=9)]
    assert dry == ["release/1.2", "release/1.1", "release/1.0"]
    assert [result.target for result in lenient.say("/backport release/1.[12] --dry-run", on=9)] == dry[:2]


def test_draft_opens_as_a_draft_what_is_proven(office: Office) -> None:
    office.say(f"/backport {TARGET} --draft")
    (backport,) = office.backports()
    assert backport.draft
    assert "**proven**" in backport.body

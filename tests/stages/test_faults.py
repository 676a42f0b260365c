"""Every kind of call of the last stage fails; afterwards there is one comment, one branch, one pull request."""

from __future__ import annotations

import re
from functools import partial

import pytest

from bot.github.client import GitHubClient
from bot.models import Opened
from bot.pipeline import open_context
from tests.github.lost_answers import give_up_early
from tests.github.test_faults import ASK, FAULTS, READS, WRITES, assert_once, fail_once
from tests.pipeline.office import BOT, MAINTAINER, REPOSITORY
from tests.stages.pipeline import Pipeline

_PLAN_ONLY = {
    r"^/repos/acme/widget/collaborators/mia/permission$",
    r"^/repos/acme/widget/commits/[0-9a-f]{40}$",
    r"^/repos/acme/widget/commits/[0-9a-f]{40}/pulls$",
    r"^/repos/acme/widget/issues/\d+/comments$",
}
"""Who may ask, and what was merged. The comment is made by then; a query finds it, and it is only edited."""
KINDS = [(method, pattern) for method, pattern in READS + WRITES if pattern not in _PLAN_ONLY]
"""Of the kinds of call of the whole journey those that publishing makes."""


@pytest.fixture
def hasty(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """Return the stages with a bot that does not wait for an answer that is lost."""
    pipeline.office.fake_github.grant(REPOSITORY, MAINTAINER, "maintain")
    monkeypatch.setattr(open_context, "GitHubClient", partial(GitHubClient, longest_wait=5))
    give_up_early(pipeline.office.fake_github, monkeypatch)
    return pipeline


@pytest.fixture
def picked(hasty: Pipeline) -> tuple[Pipeline, str]:
    """Return a run that is ready to be published, and its seal."""
    hasty.plan(hasty.event(ASK))
    hasty.pick()
    return hasty, hasty.seal()


def test_the_kinds_above_are_all_that_publishing_makes(picked: tuple[Pipeline, str]) -> None:
    pipeline, seal = picked
    before = len(pipeline.office.fake_github.requests())
    pipeline.publish(seal)
    calls = {
        (request.method, request.path.removeprefix("/api/v3"))
        for request in pipeline.office.fake_github.requests()[before:]
        if request.login == BOT
    }
    opening = {("GET", f"/repos/{REPOSITORY}"), ("GET", "/user")}
    for method, path in calls - opening:
        assert any(method == kind and re.search(pattern, path) for kind, pattern in KINDS), (method, path)
    for kind, pattern in KINDS:
        assert any(method == kind and re.search(pattern, path) for method, path in calls), (kind, pattern)
    assert_once(pipeline.office)


def _fail_once(pipeline: Pipeline, fault: str, kinds: list[tuple[str, str]]) -> None:
    pipeline.office.fake_github.fail_no_more()
    for kind in kinds:
        fail_once(pipeline.office, fault, kind)


@pytest.mark.parametrize("fault", FAULTS)
def test_every_kind_of_call_may_fail_once_in_each_stage(hasty: Pipeline, fault: str) -> None:
    event = hasty.event(ASK)
    _fail_once(hasty, fault, READS + WRITES)
    hasty.plan(event)
    _fail_once(hasty, fault, KINDS)
    hasty.pick()
    seal = hasty.seal()
    _fail_once(hasty, fault, KINDS)
    (outcome,) = hasty.publish(seal)
    assert isinstance(outcome, Opened)
    assert_once(hasty.office)


@pytest.mark.parametrize(("method", "pattern"), WRITES)
def test_a_publication_that_could_not_be_finished_is_finished_by_the_job_run_again(
    picked: tuple[Pipeline, str], method: str, pattern: str
) -> None:
    pipeline, seal = picked
    for _ in range(8):
        pipeline.office.fake_github.fail_next(method, pattern, 502)
    pipeline.publish(seal)
    pipeline.office.fake_github.fail_no_more()
    pipeline.publish(seal)
    assert_once(pipeline.office)

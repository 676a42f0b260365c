"""The job that publishes has a partial mirror: the workflow files come in one request, however many there are."""

from __future__ import annotations

import pytest

from bot.models import Opened
from tests.pipeline.landing import write
from tests.pipeline.office import MAINTAINER, REPOSITORY
from tests.stages.pipeline import Pipeline

MAIN_ONLY = "on: {pull_request: {branches: [main]}}\njobs: {}\n"


def fetches(pipeline: Pipeline, count: int) -> int:
    """Publish a backport to a branch with so many workflow files; return the fetches of that job."""
    files = {f".github/workflows/pr-{number}.yml": f"name: Test {number}\n{MAIN_ONLY}" for number in range(count)}
    write(pipeline.office, "release/1.2", files, "Its workflows")
    pipeline.office.fake_github.grant(REPOSITORY, MAINTAINER, "maintain")
    pipeline.plan(pipeline.event("/backport release/1.2 --no-prove"))  # a proof would bring all files of the candidate
    pipeline.pick()
    seal = pipeline.seal()
    before = len(pipeline.office.fake_github.requests())
    (result,) = pipeline.publish(seal)
    assert isinstance(result, Opened), result
    (pull,) = pipeline.office.backports()
    assert pull.body.count("(Test ") == count
    return sum(
        request.method == "POST" and request.path.endswith("git-upload-pack")
        for request in pipeline.office.fake_github.requests()[before:]
    )


@pytest.mark.parametrize("count", [2, 12])
def test_workflow_files_are_fetched_together(pipeline: Pipeline, count: int) -> None:
    assert fetches(pipeline, count) <= 6

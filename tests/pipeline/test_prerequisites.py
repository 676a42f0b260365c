"""A conflict names what is missing, and `--with-prerequisites` brings it along, each as a commit of its own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.config import parse_config
from bot.models import Conflicted, Opened
from tests.pipeline.office import REPOSITORY, Office, git, with_pick


@pytest.fixture
def unguided(office: Office) -> Office:
    """Take patch and proposals away, so that #7 conflicts on release/1.1; what is not proven opens as a draft."""
    config = parse_config(
        f"repository: {REPOSITORY}\nprove: {{device: cpu, required: false}}\npick: {{propose: false}}\n"
    )
    return replace(office, context=with_pick(office.context, patches={}, config=config))


def test_the_conflict_offers_what_makes_it_apply(unguided: Office) -> None:
    (result,) = unguided.say("/backport release/1.1")
    assert isinstance(result, Conflicted)
    assert [prerequisite.subject for prerequisite in result.conflict.prerequisites] == ["Remember the sizes"]
    answer = unguided.answers()[-1]
    assert "`/backport release/1.1 --with-prerequisites`" in answer
    assert "Remember the sizes" in answer
    assert unguided.backports() == []


def test_asked_for_they_come_first_as_commits_of_their_own(unguided: Office) -> None:
    (result,) = unguided.say("/backport release/1.1 --with-prerequisites")
    assert isinstance(result, Opened)
    (pull,) = unguided.backports()
    log = git(unguided.git_dir, "log", "--reverse", "--format=%s%n%b", f"release/1.1..{pull.head.sha}")
    near_commit, original = (git(unguided.git_dir, "rev-parse", name) for name in ("release/1.2", "pull-7^{commit}"))
    assert log.split("\n\n") == [
        f"Remember the sizes\n(cherry picked from commit {near_commit})",
        f"Size the ring by entry (#7)\n(cherry picked from commit {original})",
    ]
    assert "Earlier commits of main come before it" in pull.body
    assert f"- `{near_commit[:12]}` (Remember the sizes, by Ann)" in pull.body


def test_where_it_applies_by_itself_nothing_else_comes(unguided: Office) -> None:
    (result,) = unguided.say("/backport release/1.2 --with-prerequisites")
    assert isinstance(result, Opened)
    assert result.candidate is not None
    assert (len(result.candidate.commits), result.candidate.prerequisites) == (1, ())

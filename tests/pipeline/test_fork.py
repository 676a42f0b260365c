"""Backport branches on a fork: the bot needs no right to push to the repository, and finds its own again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from github.PullRequest import PullRequest

from bot.config import parse_config
from bot.errors import ConfigError
from bot.github.connection_settings import ConnectionSettings
from bot.models import Conflicted, Failed, Opened
from bot.pipeline.conflict_drafts import recheck
from bot.pipeline.open_context import open_connection
from tests.pipeline.landing import write
from tests.pipeline.office import BOT, MAINTAINER, REPOSITORY, Office, git

FORK = f"{BOT}/widget"
ASK = "/backport release/1.2"
HEAD = "backport/9-to-release-1.2"

Forked = Callable[..., Office]


@pytest.fixture
def forked(office: Office, tmp_path: Path) -> Iterator[Forked]:
    """Let the bot, who may only read the repository, push to a fork of its own."""
    office.fake_github.create_repository(FORK, fork_of=REPOSITORY)
    office.fake_github.grant(REPOSITORY, BOT, "read")
    with ExitStack() as stack:

        def open_office(settings: str = "", fork: str = FORK) -> Office:
            rest = "prove: {device: cpu, required: false}\npick: {propose: false}\n"
            config = parse_config(f"publish: {{fork: {fork}{settings}}}\n{rest}", repository=REPOSITORY)
            token = office.fake_github.add_token(BOT)
            connection = ConnectionSettings(
                office.fake_github.api_url, tmp_path / "data", repository=REPOSITORY, partial=True
            )
            opened = stack.enter_context(open_connection(connection, token))
            return replace(office, context=stack.enter_context(opened.open_context(config, {})))

        yield open_office


def branches(office: Office, repository: str = FORK) -> dict[str, str]:
    """Return the branches of a repository on the forge."""
    owner, _, name = repository.partition("/")
    record = office.fake_github.world.repository(owner, name)
    assert record is not None
    output = git(record.git.directory, "for-each-ref", "--format=%(refname:lstrip=2) %(objectname)", "refs/heads")
    return dict(line.split() for line in output.splitlines())


def pull_of(office: Office, result: object) -> PullRequest:
    assert isinstance(result, Opened), result
    return office.people[MAINTAINER].get_repo(REPOSITORY).get_pull(result.pull_request.number)


def test_the_branch_is_pushed_to_the_fork_and_a_second_request_finds_its_pull_request(
    office: Office, forked: Forked
) -> None:
    before = office.branches()
    bot = forked()
    (result,) = bot.say(ASK, on=9)
    pull = pull_of(office, result)
    assert (pull.head.label, pull.base.label) == (f"{BOT}:{HEAD}", "acme:release/1.2")
    assert pull.raw_data["maintainer_can_modify"] is True
    assert office.branches() == before
    assert branches(office)[HEAD] == pull.head.sha
    (again,) = forked().say(ASK, on=9)
    assert isinstance(again, Opened)
    assert (again.created, again.pull_request.number) == (False, pull.number)


def test_a_redo_replaces_the_branch_of_the_fork(office: Office, forked: Forked) -> None:
    bot = forked(", maintainer_can_modify: false")
    (result,) = bot.say(ASK, on=9)
    first = pull_of(office, result)
    assert first.raw_data["maintainer_can_modify"] is False
    write(office, "release/1.2", {"other.py": "A = 1\n"}, "Meanwhile")
    (again,) = bot.say(f"{ASK} --redo", on=9)
    second = pull_of(office, again)
    assert second.number == first.number
    assert second.head.sha != first.head.sha
    assert branches(office)[HEAD] == second.head.sha


def test_a_persons_commit_on_the_forks_branch_is_kept(office: Office, forked: Forked) -> None:
    bot = forked()
    bot.say(ASK, on=9)
    record = office.fake_github.world.repository(BOT, "widget")
    assert record is not None
    directory = record.git.directory
    own = git(directory, "commit-tree", f"{HEAD}^{{tree}}", "-p", HEAD, "-m", "By hand")
    git(directory, "update-ref", f"refs/heads/{HEAD}", own)
    (result,) = bot.say(f"{ASK} --redo", on=9)
    assert isinstance(result, Failed)
    assert "holds" in result.message
    assert branches(office)[HEAD] == own


def test_a_pull_request_from_before_the_fork_is_found(office: Office, forked: Forked) -> None:
    (result,) = replace(office, context=forked().context).say(ASK, on=9)
    assert isinstance(result, Opened)
    office.fake_github.grant(REPOSITORY, BOT, "write")
    git(
        office.git_dir,
        "update-ref",
        "refs/heads/backport/9-to-release-1.1",
        git(office.git_dir, "rev-parse", "pull-9^{commit}"),
    )
    old = (
        office.people[BOT]
        .get_repo(REPOSITORY)
        .create_pull("release/1.1", "backport/9-to-release-1.1", title="Old", body="")
    )
    (again,) = forked().say("/backport release/1.1", on=9)
    assert isinstance(again, Opened)
    assert again.pull_request.number == old.number


def test_a_fork_with_the_same_owner_is_told_apart_by_its_name(office: Office, forked: Forked) -> None:
    office.fake_github.create_repository("acme/backports", fork_of=REPOSITORY)
    office.fake_github.grant("acme/backports", BOT, "write")
    (result,) = forked(fork="acme/backports").say(ASK, on=9)
    pull = pull_of(office, result)
    assert pull.head.repo.full_name == "acme/backports"
    assert HEAD in branches(office, "acme/backports")
    assert HEAD not in office.branches()


def test_a_conflict_is_a_draft_from_the_fork_and_its_check_follows_it(office: Office, forked: Forked) -> None:
    bot = forked(", on_conflict: draft")
    (result,) = bot.say("/backport release/1.1", on=7)
    assert isinstance(result, Conflicted)
    assert result.draft is not None
    head = "backport/7-to-release-1.1"
    assert branches(office)[head] == result.draft.head_sha
    recheck(result.draft.number, bot.context)
    runs = office.people[MAINTAINER].get_repo(REPOSITORY).get_commit(result.draft.head_sha).get_check_runs()
    assert [run.conclusion for run in runs] in (["failure"], []), "an account that may only read writes none"


def test_what_the_bot_opened_from_its_fork_counts_as_the_repositorys_own(office: Office, forked: Forked) -> None:
    """A survey takes a stranger's pull request for none; the bot has no rights here, and is no stranger."""
    bot = forked()
    (result,) = bot.say(ASK, on=9)
    assert isinstance(result, Opened)
    listed = {pull.number: pull.insider for pull in bot.context.github.changed_pull_requests()}
    assert listed[result.pull_request.number]
    with bot.context.github.for_another_thread() as client:
        assert {pull.number: pull.insider for pull in client.changed_pull_requests()} == listed


def test_commits_that_github_signs_are_written_to_the_fork(office: Office, forked: Forked) -> None:
    bot = forked()
    config = bot.context.config.model_copy(
        update={"commit": bot.context.config.commit.model_copy(update={"verified": True})}
    )
    signing = replace(bot.context, pick=replace(bot.context.pick, config=config))
    (result,) = replace(bot, context=signing).say(ASK, on=9)
    pull = pull_of(office, result)
    assert branches(office)[HEAD] == pull.head.sha
    posted = {request.path for request in office.fake_github.requests() if request.method == "POST"}
    assert f"/api/v3/repos/{FORK}/git/commits" in posted
    assert f"/api/v3/repos/{REPOSITORY}/git/commits" not in posted


@pytest.mark.parametrize(
    ("fork", "reason"), [("nobody/widget", "cannot see"), (REPOSITORY, "no fork of"), ("other/thing", "no fork of")]
)
def test_what_is_no_fork_is_an_error_before_anything_is_tried(
    office: Office, forked: Forked, fork: str, reason: str
) -> None:
    office.fake_github.create_repository("other/thing")
    with pytest.raises(ConfigError, match=reason):
        forked(fork=fork)

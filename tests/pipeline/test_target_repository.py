"""Target branches in another repository: asked for at home, made, proven and opened there.

fork of acme/widget:  rocm/widget with rocm-1 at release/1.1 and rocm-2 at release/1.2
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.config import Permission, Permissions, PickConfig, parse_config
from bot.github.connection_settings import ConnectionSettings
from bot.models import Conflicted, Failed, Opened
from bot.pipeline.open_context import open_repository_context
from tests.pipeline.office import BOT, MAINTAINER, REPOSITORY, Office, git, with_pick

THERE = "rocm/widget"
CONFIG = f"""
repository: {REPOSITORY}
elsewhere: [{{repository: {THERE}, branches: ["rocm-*"]}}]
patches: [{Path(__file__).parent / "patches"}]
prove: {{device: cpu}}
"""


@pytest.fixture
def fork(office: Office, tmp_path: Path) -> Path:
    """Return the git directory of the other repository, where the bot and the maintainer may write."""
    target_text = tmp_path / "rocm.git"
    shutil.copytree(office.git_dir, target_text)
    git(target_text, "branch", "rocm-1", "release/1.1")
    git(target_text, "branch", "rocm-2", "release/1.2")
    for name in ("release/1.0", "release/1.1", "release/1.2", "open-topic"):
        git(target_text, "branch", "--quiet", "-D", name)
    office.fake_github.create_repository(THERE, target_text, fork_of=REPOSITORY)
    for login in (BOT, MAINTAINER):
        office.fake_github.grant(THERE, login, "write")
    return target_text


@pytest.fixture
def both(office: Office, fork: Path, tmp_path: Path) -> Iterator[Office]:
    """Return the office with a bot that knows both repositories."""
    connection = ConnectionSettings(office.fake_github.api_url, tmp_path / "data")
    account = office.fake_github.add_token(BOT)
    with open_repository_context(parse_config(CONFIG), connection, account) as context:
        yield replace(office, context=context)


def _branches(directory: Path) -> dict[str, str]:
    listed_output = git(directory, "for-each-ref", "--format=%(refname:lstrip=2) %(objectname)", "refs/heads")
    return dict(line.split() for line in listed_output.splitlines())


def test_a_backport_is_opened_where_its_target_branch_is(both: Office, fork: Path) -> None:
    home, target_outcome = both.say(f"/backport release/1.2 {THERE}:rocm-1")
    assert isinstance(home, Opened)
    assert isinstance(target_outcome, Opened)
    assert target_outcome.target == f"{THERE}:rocm-1"
    assert target_outcome.verdict is not None
    assert target_outcome.verdict.proven
    (pull,) = both.people[MAINTAINER].get_repo(THERE).get_pulls()
    assert (pull.base.ref, pull.head.repo.full_name) == ("rocm-1", THERE)
    assert pull.head.sha == _branches(fork)["backport/7-to-rocm-1"]
    assert "backport/7-to-rocm-1" not in both.branches()
    assert f"[#7](<{both.fake_github.url}/{REPOSITORY}/pull/7>)" in pull.body
    assert f"git fetch {both.fake_github.url}/{THERE}.git refs/heads/rocm-1" in pull.body
    (answer,) = both.answers()
    assert f"{both.fake_github.url}/{THERE}/pull/{pull.number}" in answer


def test_asking_again_opens_nothing_again(both: Office, fork: Path) -> None:
    both.say(f"/backport {THERE}:rocm-2")
    before = _branches(fork)
    (second_outcome,) = both.say(f"/backport {THERE}:rocm-2")
    assert isinstance(second_outcome, Opened)
    assert not second_outcome.created
    assert _branches(fork) == before


def test_permission_is_asked_of_the_repository_of_the_target(both: Office, fork: Path) -> None:
    both.fake_github.grant(REPOSITORY, "ann", "write")
    refusal, outcome = both.say(f"/backport {THERE}:rocm-2 release/1.2", as_="ann")
    assert isinstance(refusal, Failed)
    assert THERE in refusal.message
    assert isinstance(outcome, Opened)
    assert not any(name.startswith("backport/") for name in _branches(fork))


def test_a_configuration_gives_nobody_a_right_in_another_repository(both: Office, fork: Path) -> None:
    both.fake_github.grant(REPOSITORY, "ann", "write")
    both.fake_github.grant(THERE, "ann", "read")
    generous = {"permissions": Permissions(backport=Permission.READ, no_prove=Permission.READ, users=("ann",))}
    others = {
        name: with_pick(other, config=other.config.model_copy(update=generous))
        for name, other in both.context.other_repositories.items()
    }
    (refusal,) = replace(both, context=replace(both.context, other_repositories=others)).say(
        f"/backport {THERE}:rocm-2", as_="ann"
    )
    assert isinstance(refusal, Failed)
    assert "@ann may not ask" in refusal.message
    assert not any(name.startswith("backport/") for name in _branches(fork))


def test_all_means_the_other_repositorys_branches_too(both: Office) -> None:
    results = both.say("/backport all --dry-run")
    assert {result.target for result in results} == {
        "release/1.0",
        "release/1.1",
        "release/1.2",
        f"{THERE}:rocm-1",
        f"{THERE}:rocm-2",
    }


def test_a_repository_that_the_configuration_does_not_name_is_no_target(both: Office) -> None:
    (result,) = both.say("/backport evil/widget:main")
    assert isinstance(result, Failed)


def test_the_recipe_for_a_conflict_there_names_that_repository(both: Office) -> None:
    bare_value = replace(both, context=replace(with_pick(both.context, patches={}), other_repositories={}))
    strict = {"pick": PickConfig(propose=False)}
    others_values = {
        name: with_pick(target_context, patches={}, config=target_context.config.model_copy(update=strict))
        for name, target_context in both.context.other_repositories.items()
    }
    (result,) = replace(bare_value, context=replace(bare_value.context, other_repositories=others_values)).say(
        f"/backport {THERE}:rocm-1"
    )
    assert isinstance(result, Conflicted)
    (answer,) = both.answers()
    assert f"git fetch {both.fake_github.url}/{THERE}.git refs/heads/rocm-1" in answer
    assert f"| `{THERE}:rocm-1` | ❌ conflict |" in answer


def test_before_the_merge_a_target_there_is_remembered_and_not_taken_for_a_mistake(both: Office) -> None:
    assert both.say(f"/backport release/1.0 {THERE}:rocm-2", on=11) == ()
    (answer,) = both.answers(11)
    assert f"{THERE}:rocm-2" in answer
    assert "another repository" in answer
    assert "no such branch" not in answer

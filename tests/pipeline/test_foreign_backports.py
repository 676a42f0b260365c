"""An open backport of a person's or another tool's, by the name of its branch and by its change."""

from __future__ import annotations

import pytest
from github.PullRequest import PullRequest

from bot.models import Opened, WouldOpen
from tests.pipeline.landing import open_pull, unproven, write
from tests.pipeline.office import BOT, MAINTAINER, Office, git

ASK = "/backport release/1.2"
FIX = {"widget/hello.py": "GREETING = 'hello'\n"}


@pytest.fixture
def lenient(office: Office) -> Office:
    """Return an office in which nothing is proven, so that nothing has to run."""
    return unproven(office)


def by_workflow(office: Office, files: dict[str, str], message: str = "Say hello (#9)") -> PullRequest:
    """Open a pull request as sglang's workflow does, whose commit names no source."""
    original = git(office.git_dir, "rev-parse", "pull-9^{commit}")
    head = f"cherry-pick/{original[:9]}-to-1.2-0a1b2c3d"
    write(office, head, files, message, onto="release/1.2")
    return open_pull(office, head, title="[Cherry-pick to release/1.2] Say hello (#9)", base="release/1.2")


@pytest.mark.parametrize("number_in_name", [False, True])
def test_an_open_backport_of_another_tool_is_not_opened_twice(lenient: Office, *, number_in_name: bool) -> None:
    if number_in_name:
        write(lenient, "mergify/bp/release/1.2/pr-9", FIX, "Say hello (#9)", onto="release/1.2")
        theirs = open_pull(lenient, "mergify/bp/release/1.2/pr-9", base="release/1.2")
    else:
        theirs = by_workflow(lenient, FIX)
    (outcome,) = lenient.say(ASK, on=9)
    assert isinstance(outcome, Opened)
    assert (outcome.created, outcome.pull_request.number) == (False, theirs.number)
    assert lenient.backports() == []
    assert f"{MAINTAINER} opened it; nothing was pushed this time." in lenient.answers(9)[-1]


def test_its_name_alone_is_not_believed(lenient: Office) -> None:
    theirs = by_workflow(lenient, {"widget/other.py": "A = 1\n"}, "Something else (#9)")
    (outcome,) = lenient.say(ASK, on=9)
    assert isinstance(outcome, Opened)
    assert outcome.created
    assert (outcome.pull_request.author, outcome.pull_request.number != theirs.number) == (BOT, True)


def test_one_that_merges_all_of_main_is_none(lenient: Office) -> None:
    git(lenient.git_dir, "branch", "cherry-pick/9-to-1.2", "main")
    open_pull(lenient, "cherry-pick/9-to-1.2", base="release/1.2")
    (outcome,) = lenient.say(f"{ASK} --dry-run", on=9)
    assert isinstance(outcome, WouldOpen)


def test_one_that_is_closed_or_for_another_branch_is_none(lenient: Office) -> None:
    by_workflow(lenient, FIX).edit(state="closed")
    (outcome,) = lenient.say(f"{ASK} --dry-run", on=9)
    assert isinstance(outcome, WouldOpen)
    (outcome,) = lenient.say("/backport release/1.1 --dry-run", on=9)
    assert isinstance(outcome, WouldOpen)


def test_a_maintainer_can_have_another_one_made(lenient: Office) -> None:
    by_workflow(lenient, FIX)
    (outcome,) = lenient.say(f"{ASK} --redo --dry-run", on=9)
    assert isinstance(outcome, WouldOpen)


def test_github_is_asked_only_about_branches_that_name_the_original(lenient: Office) -> None:
    git(lenient.git_dir, "branch", "cherry-pick/0123456789-to-1.2-0a1b2c3d", "main")
    before = len(lenient.fake_github.requests())
    lenient.say(f"{ASK} --dry-run", on=9)
    asked = [request.path for request in lenient.fake_github.requests()[before:]]
    assert not [path for path in asked if "cherry-pick" in path]

"""A branch and a pull request of a person's that are called as the bot's would be."""

from __future__ import annotations

import pytest

from bot.models import AlreadyApplied, Failed, Opened
from tests.pipeline.landing import unproven, write
from tests.pipeline.office import BOT, MAINTAINER, REPOSITORY, Office, git

ASK = "/backport release/1.2"
NAMED_ALIKE = "backport/9-to-release-1.2"


@pytest.fixture
def lenient(office: Office) -> Office:
    """Return an office in which nothing is proven, so that nothing has to run."""
    return unproven(office)


def test_a_persons_pull_request_is_not_taken_for_the_backport_and_keeps_its_branch(lenient: Office) -> None:
    git(lenient.git_dir, "update-ref", f"refs/heads/{NAMED_ALIKE}", "main")
    theirs = (
        lenient.people[MAINTAINER]
        .get_repo(REPOSITORY)
        .create_pull("release/1.2", NAMED_ALIKE, title="Not the bot's", body="Everything of main")
    )
    (outcome,) = lenient.say(ASK, on=9)
    assert isinstance(outcome, Opened)
    assert outcome.created
    assert outcome.pull_request.number != theirs.number
    assert outcome.pull_request.author == BOT
    assert lenient.branches()[NAMED_ALIKE] == lenient.branches()["main"]


def test_a_marker_of_the_bots_in_a_persons_pull_request_makes_it_no_backport(lenient: Office) -> None:
    write(lenient, NAMED_ALIKE, {"widget/other.py": "A = 1\n"}, "Something else", onto="release/1.2")
    merged = git(lenient.git_dir, "rev-parse", "pull-9^{commit}")
    marker = f"<!-- backport-bot:pull-request repository={REPOSITORY} commit={merged} target=release/1.2 -->"
    repository = lenient.people[MAINTAINER].get_repo(REPOSITORY)
    repository.create_pull("release/1.2", NAMED_ALIKE, title="Say hello", body=f"Hello\n{marker}\n").edit(
        state="closed"
    )
    (outcome,) = lenient.say(ASK, on=9)
    assert isinstance(outcome, Opened)
    assert outcome.created


def test_a_persons_branch_is_neither_pushed_over_nor_proven_in_vain(lenient: Office) -> None:
    theirs = write(lenient, NAMED_ALIKE, {"widget/other.py": "A = 1\n"}, "Something else", onto="release/1.2")
    (outcome,) = lenient.say(f"{ASK} --dry-run", on=9)
    assert isinstance(outcome, Failed)
    assert NAMED_ALIKE in outcome.message
    assert lenient.branches()[NAMED_ALIKE] == theirs


@pytest.mark.parametrize("words", ["This reverts commit {sha}.", "Reverts acme/widget#{number}"])
def test_a_backport_that_was_merged_and_reverted_is_made_again_when_asked(lenient: Office, words: str) -> None:
    (first,) = lenient.say(ASK, on=9)
    assert isinstance(first, Opened)
    pull = lenient.backports()[0]
    pull.merge(merge_method="squash")
    (outcome,) = lenient.say(ASK, on=9)
    assert isinstance(outcome, AlreadyApplied)
    tip = git(lenient.git_dir, "rev-parse", "release/1.2")
    title = git(lenient.git_dir, "show", "--no-patch", "--format=%s", tip)
    message = f'Revert "{title}"\n\n{words.format(sha=tip, number=pull.number)}'
    write(lenient, "release/1.2", {"widget/hello.py": None}, message)
    (second_outcome,) = lenient.say(ASK, on=9)
    assert isinstance(second_outcome, Opened)
    assert second_outcome.created
    assert second_outcome.pull_request.number != pull.number


@pytest.mark.parametrize("merged", [False, True])
def test_a_backport_that_a_person_made_by_hand_counts(lenient: Office, *, merged: bool) -> None:
    original = git(lenient.git_dir, "rev-parse", "pull-9^{commit}")
    message = f"Say hello (#9)\n\n(cherry picked from commit {original})"
    write(lenient, NAMED_ALIKE, {"widget/hello.py": "GREETING = 'hello'\n"}, message, onto="release/1.2")
    repository = lenient.people[MAINTAINER].get_repo(REPOSITORY)
    pull = repository.create_pull("release/1.2", NAMED_ALIKE, title="Say hello", body="By hand.")
    if merged:
        pull.merge(merge_method="squash")
    (result,) = lenient.say(ASK, on=9)
    assert result.status == ("already-applied" if merged else "opened")
    assert lenient.backports() == []

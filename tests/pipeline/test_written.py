"""How the commits are written: signed off, or by GitHub itself; either way what is pushed is what was proven."""

from __future__ import annotations

from dataclasses import replace

import pytest
from github.PullRequest import PullRequest

from bot.config import parse_config
from bot.models import Failed, Opened
from tests.pipeline.landing import message, open_pull, unproven, write
from tests.pipeline.office import BOT, REPOSITORY, Office, git, with_pick

ASK = "/backport release/1.2"
SIGNED = "Signed-off-by: backport-bot <backport-bot@users.noreply.github.com>"


@pytest.fixture
def pull(office: Office) -> PullRequest:
    """Merge a pull request of two commits: one adds a file and a program, the other takes a file away."""
    write(office, "topic", {"widget/first.py": "A = 'é'\n", "deep/er/new.py": "B = 1\n"}, "First", onto="main")
    write(office, "topic", {"widget/first.py": None, "widget/second.py": "C = 1\n"}, "Second\n\nSigned-off-by: Z <z@z>")
    pull = open_pull(office, "topic", title="Both")
    pull.merge(merge_method="rebase")
    return pull


def series(office: Office, outcome: Opened) -> list[str]:
    assert outcome.candidate is not None
    return list(outcome.candidate.commits)


def test_every_commit_is_signed_off_by_the_committer(office: Office, pull: PullRequest) -> None:
    (outcome,) = unproven(office, "commit: {signoff: true}").say(ASK, on=pull.number)
    assert isinstance(outcome, Opened)
    first, second = series(office, outcome)
    assert message(office, first).endswith(SIGNED)
    assert message(office, second).endswith(f"Signed-off-by: Z <z@z>\n{SIGNED}")
    assert git(office.git_dir, "show", "--no-patch", "--format=%an", first) == "Bea", "the author stays"


def test_github_writes_every_commit_and_the_author_is_credited(office: Office, pull: PullRequest) -> None:
    (outcome,) = unproven(office, "commit: {verified: true}").say(ASK, on=pull.number)
    assert isinstance(outcome, Opened)
    first, second = series(office, outcome)
    assert office.branches()[f"backport/{pull.number}-to-release-1.2"] == second
    for commit in (first, second):
        assert git(office.git_dir, "show", "--no-patch", "--format=%an", commit) == BOT
        assert "Co-authored-by: Bea <bea@widget.example>" in message(office, commit)
        assert "(cherry picked from commit " in message(office, commit)
    assert git(office.git_dir, "ls-tree", "-r", "--name-only", second, "deep", "widget").splitlines() == [
        "deep/er/new.py",
        "widget/__init__.py",
        "widget/ring.py",
        "widget/second.py",
    ]
    assert git(office.git_dir, "show", f"{first}:widget/first.py") == "A = 'é'"


def test_what_github_wrote_is_what_is_proven_and_pushed(office: Office) -> None:
    config = parse_config(f"repository: {REPOSITORY}\nprove: {{device: cpu}}\ncommit: {{verified: true}}\n")
    (outcome,) = replace(office, context=with_pick(office.context, config=config)).say(ASK)
    assert isinstance(outcome, Opened)
    assert outcome.candidate is not None
    assert outcome.verdict is not None
    assert outcome.verdict.proven
    assert office.backports()[0].head.sha == outcome.candidate.commit
    assert outcome.candidate.commit[:12] in office.backports()[0].body


def test_a_redo_may_replace_what_github_wrote_for_the_bot(office: Office, pull: PullRequest) -> None:
    verified = unproven(office, "commit: {verified: true}")
    verified.say(ASK, on=pull.number)
    (second_outcome,) = verified.say(f"{ASK} --redo", on=pull.number)
    assert isinstance(second_outcome, Opened)


def test_a_redo_never_replaces_what_github_wrote_for_a_person(office: Office, pull: PullRequest) -> None:
    """A commit that somebody made on GitHub's pages has GitHub as its committer, as the bot's own has."""
    verified = unproven(office, "commit: {verified: true}")
    verified.say(ASK, on=pull.number)
    branch = f"backport/{pull.number}-to-release-1.2"
    noreply = "noreply@github.com"
    theirs = git(
        *(office.git_dir, "commit-tree", f"{branch}^{{tree}}", "-p", branch, "-m", "On the page"),
        GIT_COMMITTER_NAME="GitHub",
        GIT_COMMITTER_EMAIL=noreply,
        GIT_AUTHOR_EMAIL="7+mia@users.noreply.github.com",
    )
    git(office.git_dir, "update-ref", f"refs/heads/{branch}", theirs)
    (result,) = verified.say(f"{ASK} --redo", on=pull.number)
    assert isinstance(result, Failed)
    assert office.branches()[branch] == theirs

"""Which commits a pull request left, also where GitHub is late, silent or names several pull requests."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import requests
from github.PullRequest import PullRequest

from bot.commands.triggers import MergeTrigger
from bot.errors import FetchFailed, NotYetKnown
from bot.git import connection
from bot.handlers.reconcile import reconcile
from bot.handlers.serve_trigger import answer
from bot.models import Sha, WouldOpen
from bot.pipeline.merged_commits import merged_commits
from tests.pipeline.landing import open_pull, unproven, write
from tests.pipeline.office import MAINTAINER, REPOSITORY, Office, git

TARGET = "release/1.2"
NO_RECORD = rf"^/repos/{REPOSITORY}/commits/[0-9a-f]+/pulls"


@pytest.fixture
def lenient(office: Office) -> Office:
    opens = unproven(office)
    return replace(opens, context=replace(opens.context, pauses=(0.0, 0.0)))


@pytest.fixture
def halves(lenient: Office) -> PullRequest:
    write(lenient, "topic", {"widget/first.py": "A = 1\n"}, "First half", onto="main")
    write(lenient, "topic", {"widget/second.py": "B = 2\n"}, "Second half")
    return open_pull(lenient, "topic")


def statuses(office: Office, pull: PullRequest, command: str = f"/backport {TARGET} --dry-run") -> list[str]:
    return [result.status.value for result in office.say(command, on=pull.number)]


def nameless(office: Office, pull: PullRequest, times: int, *, instead: str | None = None) -> None:
    """Let GitHub say that a pull request is merged without naming the merge commit, or naming one that is not there."""
    # Where GraphQL names no merge commit, REST is asked.
    office.fake_github.without_fields("PullRequest.mergeCommit")
    headers = {"Authorization": f"Bearer {office.fake_github.add_token(MAINTAINER)}"}
    path = f"/repos/{REPOSITORY}/pulls/{pull.number}"
    pull_data = requests.get(f"{office.fake_github.api_url}{path}", headers=headers, timeout=60).json()
    for _ in range(times):
        office.fake_github.fail_next("GET", f"^{path}$", 200, body=pull_data | {"merge_commit_sha": instead})


@pytest.mark.parametrize("method", ["squash", "rebase", "merge"])
def test_what_was_asked_for_before_the_merge_is_served_though_github_has_no_record_yet(
    lenient: Office, halves: PullRequest, method: str
) -> None:
    assert lenient.say(f"/backport {TARGET}", on=halves.number) == ()
    halves.merge(merge_method=method)
    for _ in range(8):
        lenient.fake_github.fail_next("GET", NO_RECORD, 200, body=[])
    trigger = MergeTrigger(repository=REPOSITORY, pull_request=halves.number, sender=MAINTAINER, labels=())
    (outcome,) = answer(trigger, lenient.context)
    lenient.fake_github.fail_no_more()
    assert outcome.status.value == "opened"


@pytest.mark.parametrize(("base", "target"), [("develop", "main"), ("main", "next")])
def test_a_squash_that_is_part_of_a_later_pull_request_stays_what_it_was(
    lenient: Office, base: str, target: str
) -> None:
    """GitHub names two pull requests for it: its own, and the one that brought its branch forward."""
    for name in ("develop", "next"):
        git(lenient.git_dir, "branch", name, "main")
    write(lenient, "next", {"widget/next.py": "N = 1\n"}, "Only on next")
    write(lenient, "topic", {"widget/first.py": "A = 1\n"}, "First half", onto=base)
    write(lenient, "topic", {"widget/second.py": "B = 2\n"}, "Second half")
    pull = open_pull(lenient, "topic", base=base)
    pull.merge(merge_method="squash")
    assert statuses(lenient, pull) == ["would-open"]
    open_pull(lenient, base, title="Bring it forward", base=target).merge(merge_method="merge")
    assert statuses(lenient, pull) == ["would-open"]


def test_an_octopus_brings_each_pull_request_its_own(lenient: Office) -> None:
    seven = write(lenient, "seven", {"seven.py": "S = 7\n"}, "Seven", onto="main")
    eight = write(lenient, "eight", {"eight.py": "E = 8\n"}, "Eight", onto="main")
    pulls = {open_pull(lenient, name, title=name): f"{name}.py" for name in ("seven", "eight")}
    both_output = git(lenient.git_dir, "merge-tree", "--write-tree", seven, eight)
    octopus = git(
        lenient.git_dir, "commit-tree", both_output, "-p", "main", "-p", seven, "-p", eight, "-m", "Merge both"
    )
    lenient.people[MAINTAINER].get_repo(REPOSITORY).get_git_ref("heads/main").edit(octopus)
    for pull, own in pulls.items():
        (would,) = lenient.say(f"/backport {TARGET} --dry-run", on=pull.number)
        assert isinstance(would, WouldOpen)
        assert would.candidate.files == (own,)


@pytest.mark.parametrize("instead", [None, "0123" * 10], ids=["not named", "not in git"])
def test_a_merge_commit_that_github_does_not_name_or_have_yet_is_asked_for_again(
    lenient: Office, halves: PullRequest, instead: str | None
) -> None:
    halves.merge(merge_method="squash")
    nameless(lenient, halves, 2, instead=instead)
    assert statuses(lenient, halves) == ["would-open"]


@pytest.mark.parametrize("status", [404, 422])
def test_a_merge_commit_that_github_does_not_find_yet_is_looked_for_again(lenient: Office, status: int) -> None:
    """A landing queue wrote it anew, so that git alone does not show which pull request it came by."""
    topic = write(lenient, "topic", {"widget/fix.py": "F = 1\n"}, "Fix", onto="main")
    merged = write(lenient, "main", {"widget/fix.py": "F = 1\n", "widget/queue.py": "Q = 1\n"}, "Fix")
    lenient.fake_github.seed_pull_request(
        REPOSITORY, number=40, title="Fix", author="ann", head="topic", head_sha=topic, merge_commit_sha=merged
    )
    command = f"/backport {TARGET} --dry-run"
    unknown = {"message": f"No commit found for SHA: {merged}"}
    for _ in range(2):
        lenient.fake_github.fail_next("GET", rf"^/repos/{REPOSITORY}/commits/{merged}$", status, body=unknown)
    assert [result.status.value for result in lenient.say(command, on=40)] == ["would-open"]
    for _ in range(3):
        lenient.fake_github.fail_next("GET", rf"^/repos/{REPOSITORY}/commits/{merged}$", status, body=unknown)
    assert lenient.say(command, on=40) == ()
    lenient.fake_github.fail_no_more()
    assert "no record yet" in lenient.answers(40)[-1]
    assert f"or add its commits to the command: `--commits {merged[:12]}`" in lenient.answers(40)[-1]
    assert [outcome.status.value for outcome in lenient.say(f"{command} --commits {merged[:12]}", on=40)] == [
        "would-open"
    ]


def test_where_it_stays_unnamed_nobody_is_told_to_merge_it_and_nothing_is_guessed(
    lenient: Office, halves: PullRequest
) -> None:
    halves.merge(merge_method="squash")
    nameless(lenient, halves, 20)
    assert statuses(lenient, halves, f"/backport {TARGET}") == []
    lenient.fake_github.fail_no_more()
    said = lenient.answers(halves.number)[-1]
    assert "does not name its merge commit yet" in said
    assert "--commits" in said
    assert "Merge it" not in said
    assert lenient.backports() == []


def test_whoever_comes_back_leaves_it_unanswered_until_then(lenient: Office, halves: PullRequest) -> None:
    """The service tries the delivery again, and the next look at GitHub finds the request, too."""
    lenient.say(f"/backport {TARGET}", on=halves.number)
    halves.merge(merge_method="squash")
    trigger = MergeTrigger(repository=REPOSITORY, pull_request=halves.number, sender=MAINTAINER, labels=())
    nameless(lenient, halves, 20)
    with pytest.raises(NotYetKnown):
        answer(trigger, replace(lenient.context, pauses=(), retries_later=True))
    since = datetime.now(UTC) - timedelta(days=1)
    assert reconcile(lenient.context, since=since) == ()
    lenient.fake_github.fail_no_more()
    (outcome,) = reconcile(lenient.context, since=since)
    assert outcome.status.value == "opened"


def test_a_git_that_does_not_answer_is_waited_for_by_whoever_comes_back(
    lenient: Office, halves: PullRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    halves.merge(merge_method="squash")
    monkeypatch.setattr(connection, "_PAUSES", ())
    service = replace(lenient, context=replace(lenient.context, pauses=(), retries_later=True))
    assert statuses(service, halves) == ["would-open"]
    for _ in range(2):  # the first is to look for a revert, which the request does without
        lenient.fake_github.fail_next("GET", r"/info/refs$", 500)
    with pytest.raises(FetchFailed):
        statuses(service, halves)
    assert len(lenient.answers(halves.number)) == 1


def test_objects_that_the_server_lacks_end_the_request_and_are_not_waited_for(
    lenient: Office, halves: PullRequest
) -> None:
    halves.merge(merge_method="squash")
    tree = git(lenient.git_dir, "rev-parse", "main~2^{tree}")
    (lenient.git_dir / "objects" / tree[:2] / tree[2:]).unlink()
    service = replace(lenient, context=replace(lenient.context, pauses=(), retries_later=True))
    assert statuses(service, halves) == []
    said = lenient.answers(halves.number)[-1]
    assert "the server's repository lacks objects of its history" in said
    assert "git fsck" in said
    assert " yet" not in said


def test_commits_of_the_branch_that_the_original_was_merged_into_may_be_named(lenient: Office) -> None:
    """It was merged into a stable branch together with another one, by hand; the refusal says to name its commits."""
    git(lenient.git_dir, "branch", "release/0.9", TARGET)
    write(lenient, TARGET, {"widget/only.py": "O = 1\n"}, "Only here")
    topic = write(lenient, "topic", {"widget/fix.py": "F = 1\n"}, "Fix", onto=TARGET)
    other_commit = write(lenient, "other", {"widget/g.py": "G = 1\n"}, "Another", onto=TARGET)
    pull = open_pull(lenient, "topic", base=TARGET)
    open_pull(lenient, "other", title="Another", base=TARGET)
    both_files = {"widget/fix.py": "F = 1\n", "widget/g.py": "G = 1\n"}
    rolled = write(lenient, "rollup", both_files, "Merge both", onto="topic", also=other_commit)
    merged = write(lenient, "rolled", both_files, "Roll up", onto=TARGET, also=rolled)
    lenient.people[MAINTAINER].get_repo(REPOSITORY).get_git_ref(f"heads/{TARGET}").edit(merged)
    assert statuses(lenient, pull, "/backport release/0.9") == []
    assert "--commits" in lenient.answers(pull.number)[-1]
    assert statuses(lenient, pull, f"/backport release/0.9 --dry-run --commits {topic}") == ["would-open"]
    write(lenient, "nobodys", {"widget/x.py": "X = 1\n"}, "Nobody merged it", onto=TARGET)
    assert (
        statuses(lenient, pull, f"/backport release/0.9 --commits {git(lenient.git_dir, 'rev-parse', 'nobodys')}") == []
    )


def test_what_git_cannot_prove_is_left_to_githubs_record(lenient: Office, halves: PullRequest) -> None:
    """A landing queue wrote the commit anew, with a file of its own; GitHub knows which pull request it came by."""
    halves.merge(merge_method="squash")
    other_commit = write(
        lenient, "other", {"widget/first.py": "A = 9\n"}, "What it was before the queue", onto="main~1"
    )
    original = replace(lenient.context.github.pull_request(halves.number), head_sha=Sha(other_commit))
    assert merged_commits(original, lenient.context)[1] == (original.merge_commit,)
    for _ in range(9):
        lenient.fake_github.fail_next("GET", NO_RECORD, 200, body=[])
    with pytest.raises(NotYetKnown, match="no record yet"):
        merged_commits(original, replace(lenient.context, pauses=()))
    lenient.fake_github.fail_no_more()


@pytest.mark.parametrize("words", ["This reverts commit {sha}.", "Reverts acme/widget#{number}", ""])
def test_an_original_that_main_took_back_is_backported_with_a_word_about_it(lenient: Office, words: str) -> None:
    """The requester reads it in the status comment, the reviewer in the pull request."""
    write(lenient, "topic", {"widget/fix.py": "F = 1\n"}, "Fix", onto="main")
    pull = open_pull(lenient, "topic", title="Fix")
    pull.merge(merge_method="squash")
    sha = git(lenient.git_dir, "rev-parse", "main")
    title = git(lenient.git_dir, "show", "--no-patch", "--format=%s", "main")
    message = f'Revert "{title}"\n\n{words.format(sha=sha, number=pull.number)}'
    revert = write(lenient, "main", {"widget/fix.py": None}, message)
    assert statuses(lenient, pull, f"/backport {TARGET}") == ["opened"]
    (backport,) = lenient.backports()
    for text in (lenient.answers(pull.number)[-1], backport.body):
        assert f"took the original back: reverted by {revert[:12]}" in text
    second_commit = write(lenient, "main", {"widget/fix.py": "F = 1\n"}, f"Again\n\nThis reverts commit {revert}.")
    assert second_commit
    assert statuses(lenient, pull, f"/backport {TARGET} --redo") == ["opened"]
    assert "took the original back" not in lenient.answers(pull.number)[-1]

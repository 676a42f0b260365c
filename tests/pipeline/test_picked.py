"""What is picked is what was merged, for every way in which GitHub merges."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from github import Auth, Github
from github.PullRequest import PullRequest

from bot.git.mirror import open_mirror
from bot.github.client import GitHubClient
from bot.models import Failed, MergeMethod, NothingLeft, Opened, Status, WouldOpen
from tests.pipeline.landing import message, open_pull, picked, unproven, write
from tests.pipeline.office import BOT, MAINTAINER, REPOSITORY, Office, git, with_pick

TARGET = "release/1.2"
FIRST, SECOND = "Bea 1767312000 +0200 First half", "Cem 1767398400 -0500 Second half"
CREDIT = "Co-authored-by: Dee <dee@widget.example>\nSigned-off-by: Bea <bea@widget.example>"


@pytest.fixture
def lenient(office: Office) -> Office:
    """Return an office that opens what it cannot prove, as drafts: here it is picked, not proven."""
    return unproven(office)


@pytest.fixture
def halves(lenient: Office) -> PullRequest:
    """Open a pull request of two commits by two people; meanwhile main has moved."""
    write(lenient, "topic", {"widget/first.py": "A = 1\n"}, f"First half\n\nWhy.\n\n{CREDIT}", onto="main")
    author = {"author": "Cem <cem@widget.example>", "date": "1767398400 -0500"}
    write(lenient, "topic", {"widget/second.py": "B = 2\n"}, "Second half\n\nFixes #11", **author)
    write(lenient, "main", {"widget/other.py": "C = 3\n"}, "Meanwhile")
    return open_pull(lenient, "topic")


def backport_branch(pull: PullRequest) -> str:
    return f"backport/{pull.number}-to-release-1.2"


def ask(office: Office, pull: PullRequest, command: str = f"/backport {TARGET}") -> Opened:
    (outcome,) = office.say(command, on=pull.number)
    assert isinstance(outcome, Opened), outcome
    return outcome


def files(office: Office, pull: PullRequest) -> list[str]:
    return git(office.git_dir, "diff", "--name-only", TARGET, backport_branch(pull)).splitlines()


def test_every_commit_of_a_rebase_is_picked_in_order_with_author_and_date(lenient: Office, halves: PullRequest) -> None:
    halves.merge(merge_method="rebase")
    ask(lenient, halves)
    assert picked(lenient, backport_branch(halves), TARGET) == [FIRST, SECOND]
    assert files(lenient, halves) == ["widget/first.py", "widget/second.py"]


def test_a_squash_is_one_commit(lenient: Office, halves: PullRequest) -> None:
    halves.merge(merge_method="squash", commit_title="Reworded by the merger", commit_message="")
    ask(lenient, halves)
    (commit,) = picked(lenient, backport_branch(halves), TARGET)
    assert commit.endswith("Reworded by the merger")
    assert files(lenient, halves) == ["widget/first.py", "widget/second.py"]


def test_what_a_merge_commit_brought_is_picked_commit_by_commit(lenient: Office, halves: PullRequest) -> None:
    """Whoever pressed the button wrote none of it."""
    halves.merge(merge_method="merge")
    outcome = ask(lenient, halves)
    assert files(lenient, halves) == ["widget/first.py", "widget/second.py"], "not what main did meanwhile"
    assert picked(lenient, backport_branch(halves), TARGET) == [FIRST, SECOND]
    assert outcome.candidate is not None
    assert "by Bea <bea@widget.example> and Cem <cem@widget.example>" in message(lenient, outcome.candidate.commit)


def test_a_merge_commit_is_picked_against_its_first_parent_where_that_is_asked_for(
    office: Office, halves: PullRequest
) -> None:
    mainline = unproven(office, "pick: {mainline: true}")
    halves.merge(merge_method="merge")
    merged = mainline.people[MAINTAINER].get_repo(REPOSITORY).get_pull(halves.number).merge_commit_sha
    (would,) = unproven(office).say(f"/backport {TARGET} --dry-run --commits {merged}", on=halves.number)
    assert isinstance(would, WouldOpen)
    assert len(would.candidate.commits) == 1
    ask(mainline, halves)
    assert files(mainline, halves) == ["widget/first.py", "widget/second.py"], "not what main did meanwhile"
    assert len(picked(mainline, backport_branch(halves), TARGET)) == 1
    trailers = git(office.git_dir, "log", "-1", "--format=%(trailers:key=Co-authored-by)", backport_branch(halves))
    assert trailers.splitlines() == [
        "Co-authored-by: Bea <bea@widget.example>",
        "Co-authored-by: Cem <cem@widget.example>",
    ]


def test_a_merge_that_resolved_a_conflict_is_one_commit_and_credits_all_who_wrote_it(
    lenient: Office, halves: PullRequest
) -> None:
    """Its commits do not give its tree, so the merge itself is picked; its author only resolved the conflict."""
    write(lenient, "main", {"widget/second.py": "B = 3\n"}, "The same file meanwhile")
    both = {"widget/first.py": "A = 1\n", "widget/second.py": "B = 23\n"}
    mia = "Mia <mia@widget.example>"
    merge = write(lenient, "main", both, f"Merge pull request #{halves.number}", also="topic", author=mia)
    pull = _looked_at_again(lenient, halves)
    assert pull.merge_commit_sha == merge
    outcome = ask(lenient, pull)
    assert outcome.candidate is not None
    assert len(outcome.candidate.commits) == 1
    author, trailers = git(
        lenient.git_dir, "log", "-1", "--format=%an%x00%(trailers:key=Co-authored-by)", backport_branch(halves)
    ).split("\0")
    assert author == "Mia"
    assert trailers.splitlines() == [
        "Co-authored-by: Bea <bea@widget.example>",
        "Co-authored-by: Cem <cem@widget.example>",
    ]


def test_a_merge_commit_keeps_the_dates_and_trailers_of_each_commit(lenient: Office, halves: PullRequest) -> None:
    halves.merge(merge_method="merge")
    ask(lenient, halves)
    first = f"{backport_branch(halves)}~1"
    assert git(lenient.git_dir, "log", "-1", "--format=%ad", "--date=raw", first) == "1767312000 +0200"
    parsed = git(lenient.git_dir, "interpret-trailers", "--parse", stdin=f"{message(lenient, first)}\n")
    assert parsed == CREDIT


@pytest.mark.parametrize("method", ["squash", "merge", "rebase"])
def test_a_merge_of_main_inside_the_pull_request_brings_nothing_of_main(
    lenient: Office, halves: PullRequest, method: str
) -> None:
    write(lenient, "topic", {"widget/other.py": "C = 3\n"}, "Merge branch 'main' into topic", also="main")
    write(lenient, "topic", {"widget/third.py": "D = 4\n"}, "Third")
    lenient.people[MAINTAINER].get_repo(REPOSITORY).get_pull(halves.number).edit(title="Three parts")
    halves = _looked_at_again(lenient, halves)
    halves.merge(merge_method=method)
    ask(lenient, halves)
    assert files(lenient, halves) == ["widget/first.py", "widget/second.py", "widget/third.py"]


def _looked_at_again(office: Office, pull: PullRequest) -> PullRequest:
    """Let GitHub notice the commits that were put on the branch behind its back."""
    repository = office.people[MAINTAINER].get_repo(REPOSITORY)
    repository.get_git_ref(f"heads/{pull.head.ref}").edit(git(office.git_dir, "rev-parse", pull.head.ref), force=True)
    return repository.get_pull(pull.number)


def test_what_a_merge_queue_merged_is_picked(lenient: Office, halves: PullRequest) -> None:
    """A queue merges in a bot's name, and the next in it lands before anybody asks."""
    queue = "github-merge-queue[bot]"
    token = lenient.fake_github.add_user(queue, type="Bot")
    lenient.fake_github.grant(REPOSITORY, queue, "write")
    with Github(auth=Auth.Token(token), base_url=lenient.fake_github.api_url) as client:
        client.get_repo(REPOSITORY).get_pull(halves.number).merge(merge_method="squash")
    write(lenient, "main", {"widget/next.py": "E = 5\n"}, "The next in the queue (#99)")
    ask(lenient, halves)
    assert files(lenient, halves) == ["widget/first.py", "widget/second.py"]


def test_a_stacked_pull_request_does_not_bring_the_one_below_it(lenient: Office, halves: PullRequest) -> None:
    """The upper pull request was made on the lower one's commit, which main has under another name by now."""
    write(lenient, "lower", {"widget/low.py": "L = 1\n"}, "Lower", onto="main")
    write(lenient, "upper", {"widget/up.py": "U = 1\n"}, "Upper one", onto="lower")
    write(lenient, "upper", {"widget/up2.py": "U = 2\n"}, "Upper two")
    lower, upper = open_pull(lenient, "lower", title="Lower"), open_pull(lenient, "upper", title="Upper")
    write(lenient, "main", {"widget/between.py": "F = 6\n"}, "Between")
    lower.merge(merge_method="rebase")
    upper.merge(merge_method="squash")
    ask(lenient, upper)
    assert files(lenient, upper) == ["widget/up.py", "widget/up2.py"]


def test_several_pull_requests_merged_by_one_push_are_refused_with_the_way_out(
    lenient: Office, halves: PullRequest
) -> None:
    other_commit = write(lenient, "other", {"widget/g.py": "G = 7\n"}, "Another", onto="main")
    another_pull = open_pull(lenient, "other", title="Another")
    rolled = write(lenient, "rollup", {"widget/g.py": "G = 7\n"}, "Merge the other", onto="topic", also=other_commit)
    everything_files = {"widget/first.py": "A = 1\n", "widget/second.py": "B = 2\n", "widget/g.py": "G = 7\n"}
    merged = write(lenient, "rolled", everything_files, "Roll up", onto="main", also=rolled)
    lenient.people[MAINTAINER].get_repo(REPOSITORY).get_git_ref("heads/main").edit(merged)
    assert lenient.people[MAINTAINER].get_repo(REPOSITORY).get_pull(another_pull.number).merged
    assert lenient.say(f"/backport {TARGET}", on=another_pull.number) == ()
    assert "--commits" in lenient.answers(another_pull.number)[0]
    assert lenient.backports() == []


def test_named_commits_are_picked_in_the_order_of_the_default_branch(lenient: Office, halves: PullRequest) -> None:
    """The pull request was closed: a landing queue of the project's own pushed its commits."""
    halves.edit(state="closed")
    landed_items = [
        write(lenient, "main", {"widget/first.py": "A = 1\n"}, "First half"),
        write(lenient, "main", {"widget/second.py": "B = 2\n"}, "Second half"),
    ]
    assert lenient.say(f"/backport {TARGET}", on=halves.number) == ()
    ask(lenient, halves, f"/backport {TARGET} --commits {landed_items[1][:8]} {landed_items[0]}")
    subjects = [line.partition("+0200 ")[2] for line in picked(lenient, backport_branch(halves), TARGET)]
    assert subjects == ["First half", "Second half"]


def test_a_commit_that_nobody_merged_is_not_picked(lenient: Office, halves: PullRequest) -> None:
    """Whoever may ask for a backport must not bring by it what was never reviewed."""
    for name in (halves.head.sha, halves.head.sha[:9], "1234567"):
        assert lenient.say(f"/backport {TARGET} --commits {name}", on=halves.number) == ()
        assert "has no single commit" in lenient.answers(halves.number)[-1]
    assert lenient.backports() == []


def test_the_line_that_names_the_original_leaves_credit_a_trailer_block(lenient: Office, halves: PullRequest) -> None:
    halves.merge(merge_method="rebase")
    ask(lenient, halves)
    first = f"{backport_branch(halves)}~1"
    text = message(lenient, first)
    parsed_output = git(lenient.git_dir, "interpret-trailers", "--parse", stdin=f"{text}\n")
    assert parsed_output == CREDIT
    assert "(cherry picked from commit " in text.partition("Co-authored-by")[0]


@pytest.mark.parametrize(
    "closing", ["Fixes #11", "closes acme/widget#11", "Resolved: https://github.com/acme/widget/issues/11"]
)
def test_nothing_that_is_written_closes_an_issue(lenient: Office, closing: str) -> None:
    write(lenient, "topic", {"widget/first.py": "A = 1\n"}, f"Say it\n\n{closing}", onto="main")
    pull = open_pull(lenient, "topic", title=f"Say it, {closing}", body=closing)
    pull.merge(merge_method="rebase")
    outcome = ask(lenient, pull)
    (backport,) = lenient.backports()
    assert outcome.candidate is not None
    for text in (message(lenient, outcome.candidate.commit), backport.title, backport.body):
        assert closing not in text
    assert "11)" in message(lenient, outcome.candidate.commit), "it still says what it fixed"


def test_a_title_with_replacement_patterns_is_taken_as_it_is(lenient: Office) -> None:
    write(lenient, "topic", {"widget/first.py": "A = 1\n"}, "Pay $& and $1 to \\1 {target}", onto="main")
    pull = open_pull(lenient, "topic", title="Pay $& and $1 to \\1 {target}")
    pull.merge(merge_method="squash")
    ask(lenient, pull)
    assert lenient.backports()[0].title == f"[{TARGET}] Pay $& and $1 to \\1 {{target}} (backport #{pull.number})"


def test_an_open_pull_request_has_a_test_merge_that_is_never_picked(lenient: Office) -> None:
    """GitHub fills merge_commit_sha of open pull requests, too."""
    pull = lenient.people[MAINTAINER].get_repo(REPOSITORY).get_pull(11)
    assert pull.merge_commit_sha
    assert lenient.context.github.pull_request(11).merge_commit is None


@pytest.fixture
def builder(lenient: Office) -> PullRequest:
    """Return a merged pull request that changes a workflow file."""
    write(lenient, "topic", {".github/workflows/ci.yml": "on: push\n"}, "Build it", onto="main")
    pull = open_pull(lenient, "topic", title="Build it")
    pull.merge(merge_method="squash")
    return pull


def test_a_workflow_file_that_the_token_may_not_push_is_found_before_the_push(
    lenient: Office, builder: PullRequest
) -> None:
    token = lenient.fake_github.add_token(BOT, workflows=False)
    client = GitHubClient(REPOSITORY, token=token, api_url=lenient.fake_github.api_url, with_pauses=False)
    (result,) = replace(lenient, context=replace(lenient.context, github=client)).say(
        f"/backport {TARGET}", on=builder.number
    )
    client.close()
    assert isinstance(result, Failed)
    assert "`.github/workflows/ci.yml`" in result.message
    assert "`workflow` scope" in result.hint
    assert "`pick: {leave_out: [.github/**]}`" in result.hint
    assert not [request for request in lenient.fake_github.requests() if "git-receive-pack" in request.path]


def test_what_is_left_out_needs_no_right_and_is_named_in_the_pull_request(lenient: Office) -> None:
    write(lenient, "topic", {".github/workflows/ci.yml": "on: push\n", "widget/new.py": "N = 1\n"}, "Add", onto="main")
    pull = open_pull(lenient, "topic", title="Add")
    pull.merge(merge_method="squash")
    token = lenient.fake_github.add_token(BOT, workflows=False)
    client = GitHubClient(REPOSITORY, token=token, api_url=lenient.fake_github.api_url, with_pauses=False)
    config = lenient.context.config
    config = config.model_copy(update={"pick": config.pick.model_copy(update={"leave_out": (".github/**",)})})
    context = replace(with_pick(lenient.context, config=config), github=client)
    office = replace(lenient, context=context)
    (result,) = office.say(f"/backport {TARGET}", on=pull.number)
    assert isinstance(result, Opened)
    (backport,) = lenient.backports()
    assert [file.filename for file in backport.get_files()] == ["widget/new.py"]
    assert "is left out" in backport.body
    assert "- `.github/workflows/ci.yml`" in backport.body
    assert "Left out by `pick.leave_out`: `.github/workflows/ci.yml`." in lenient.answers(pull.number)[-1]
    (second,) = office.say(f"/backport {TARGET} --redo --dry-run", on=pull.number)
    assert second.status in (Status.OPENED, Status.WOULD_OPEN)
    client.close()


def test_an_original_with_nothing_left_opens_nothing(lenient: Office, builder: PullRequest) -> None:
    config = lenient.context.config
    config = config.model_copy(update={"pick": config.pick.model_copy(update={"leave_out": (".github/**",)})})
    office = replace(lenient, context=with_pick(lenient.context, config=config))
    (result,) = office.say(f"/backport {TARGET}", on=builder.number)
    assert isinstance(result, NothingLeft)
    assert lenient.backports() == []
    assert "nothing left to bring" in lenient.answers(builder.number)[-1]


def test_a_refused_push_of_a_workflow_file_is_a_failure_that_names_the_right(
    lenient: Office, builder: PullRequest, tmp_path: Path
) -> None:
    """Of an App's token GitHub tells no scopes: only the push finds out."""
    token = lenient.fake_github.add_token(BOT, workflows=False)
    with open_mirror(lenient.context.github.clone_url, tmp_path / "other.git", token=token) as mirror:
        office = replace(lenient, context=with_pick(lenient.context, mirror=mirror))
        (result,) = office.say(f"/backport {TARGET}", on=builder.number)
    assert isinstance(result, Failed)
    assert "workflow" in result.hint
    assert lenient.backports() == []
    assert backport_branch(builder) not in lenient.branches()


def test_merge_method_is_reported(lenient: Office, halves: PullRequest) -> None:
    halves.merge(merge_method="rebase")
    original = lenient.context.github.pull_request(halves.number)
    method, commits = lenient.context.github.merged_commits(original)
    assert (method, len(commits)) == (MergeMethod.REBASE, 2)

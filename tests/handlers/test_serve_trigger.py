"""The whole line over real HTTP and real git: a comment in, a status comment, branches and pull requests out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.carried.load import CarriedPatch
from bot.commands.triggers import LabelTrigger
from bot.config import parse_config
from bot.handlers.serve_trigger import answer
from bot.models import (
    AlreadyApplied,
    Candidate,
    Conflicted,
    Failed,
    Method,
    NotAffected,
    NotProven,
    Opened,
    Status,
    TargetOutcome,
    Verdict,
    WouldOpen,
)
from bot.pick.context import PickContext
from bot.pipeline import run
from bot.pipeline.prove import prove_candidate
from bot.proof.runner import Runner
from tests.pipeline.conftest import running_office
from tests.pipeline.landing import unproven
from tests.pipeline.office import MAINTAINER, REPOSITORY, Office, git, with_pick

pytestmark = pytest.mark.long

ALL = "/backport release/1.0 release/1.1 release/1.2"
Served = tuple[Office, tuple[TargetOutcome, ...]]


@pytest.fixture(scope="module")
def served(history: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve one request for all branches, for tests that only look at what came of it."""
    with running_office(history, tmp_path_factory.mktemp("served")) as office:
        yield office, office.say(ALL)


def test_each_branch_ends_as_it_must(served: Served) -> None:
    office, (old, conflicting, clean) = served
    assert isinstance(old, NotAffected)
    assert isinstance(conflicting, Opened)
    assert isinstance(clean, Opened)
    assert conflicting.candidate is not None
    assert clean.candidate is not None
    assert (conflicting.candidate.method, clean.candidate.method) == (Method.CARRIED_PATCH, Method.CHERRY_PICK)
    assert all(outcome.verdict is not None and outcome.verdict.proven for outcome in (conflicting, clean))
    assert [pull.base.ref for pull in office.backports()] == ["release/1.1", "release/1.2"]
    assert office.reactions() == ["eyes", "rocket"]


def test_the_commit_that_was_tested_is_the_commit_that_is_opened(
    served: Served,
) -> None:
    office, (_, outcome, _) = served
    assert isinstance(outcome, Opened)
    assert outcome.candidate is not None
    assert office.branches()["backport/7-to-release-1.1"] == outcome.candidate.commit
    assert office.backports()[0].head.sha == outcome.candidate.commit
    assert git(office.git_dir, "rev-parse", f"{outcome.candidate.commit}^") == office.branches()["release/1.1"]


@pytest.mark.parametrize("branch", ["release/1.1", "release/1.2"], ids=["carried patch", "cherry-pick"])
def test_the_commit_keeps_its_author_and_names_its_original(served: Served, branch: str) -> None:
    office, _ = served
    head = next(pull.head.sha for pull in office.backports() if pull.base.ref == branch)
    assert (
        git(office.git_dir, "show", "--no-patch", "--format=%an %ae %at", head) == "Ann ann@widget.example 1767225600"
    )
    original = git(office.git_dir, "rev-parse", "pull-7^{commit}")
    assert f"(cherry picked from commit {original})" in git(office.git_dir, "show", "--no-patch", "--format=%B", head)


def test_one_status_comment_is_edited_to_the_end(served: Served) -> None:
    office, _ = served
    (answer,) = office.answers()
    assert "under way" not in answer
    assert all(branch in answer for branch in ("release/1.0", "release/1.1", "release/1.2"))
    assert "There is no ring yet." in answer


def test_a_second_request_opens_no_second_pull_request(office: Office) -> None:
    office.say(ALL)
    before = office.branches()
    results = office.say(ALL)
    assert [result.status for result in results] == [Status.NOT_AFFECTED, Status.OPENED, Status.OPENED]
    assert [result.created for result in results if isinstance(result, Opened)] == [False, False]
    assert len(office.backports()) == 2
    assert office.branches() == before
    assert "already open" in office.answers()[-1]


def test_serving_one_comment_twice_has_the_effects_of_once(office: Office) -> None:
    """A crash after the last effect and before its record makes the service serve the comment again."""
    office.say(ALL)
    comment = next(comment for comment in office.issue(7).get_comments() if comment.user.login == MAINTAINER)
    office.serve(comment.id, ALL)
    assert len(office.answers()) == 1
    assert len(office.backports()) == 2
    assert sorted(office.reactions()) == ["eyes", "rocket"]


def test_a_pull_request_that_was_closed_without_a_merge_is_refused(office: Office) -> None:
    office.issue(11).edit(state="closed")
    assert office.say("/backport release/1.2", on=11) == ()
    assert "without being merged" in office.answers(11)[0]
    assert office.backports() == []
    assert office.reactions(11) == ["eyes", "confused"]


def test_an_unknown_branch_gets_the_nearest_names_and_the_others_go_on(office: Office) -> None:
    unknown, outcome = office.say("/backport release/1.3 release/1.2")
    assert isinstance(unknown, Failed)
    assert "`release/1.2`" in unknown.hint
    assert isinstance(outcome, Opened)


@pytest.mark.parametrize("level", [None, "read", "triage"])
def test_a_person_without_write_permission_is_refused_politely(office: Office, level: str | None) -> None:
    if level:
        office.fake_github.grant(REPOSITORY, "otto", level)
    assert office.say("/backport release/1.2", as_="otto") == ()
    assert "`write`" in office.answers()[0]
    assert office.backports() == []


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("```\n/backport release/1.2\n```", id="code block"),
        pytest.param("> /backport release/1.2", id="quote"),
        pytest.param("<!--\n/backport release/1.2\n-->", id="HTML comment"),
        pytest.param("I would /backport release/1.2 myself", id="in a sentence"),
    ],
)
def test_what_is_not_addressed_to_the_bot_is_left_alone(office: Office, body: str) -> None:
    assert office.say(body) == ()
    assert office.answers() == []
    assert office.reactions() == []


def test_answers_are_in_the_words_that_the_configuration_gives(office: Office) -> None:
    custom_office = unproven(office, 'templates: {answer: "Robot says: {{ lead }}"}')
    for comment in ("/backport help", "/backport", "/backport status"):
        custom_office.say(comment)
    assert all("Robot says: " in answer for answer in custom_office.answers())


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ("/backport", "The stable branches are `release/1.2`, `release/1.1`, `release/1.0`."),
        ("/backport --draft", "The stable branches are `release/1.2`, `release/1.1`, `release/1.0`."),
        ("/backport relaese/1.2", "`/backport release/1.2`"),
        ("/backport relaese/1.2 --draft", "`/backport release/1.2 --draft`"),
        ("/backport relaese/1.2 releese/1.1", "`/backport release/1.2 release/1.1`"),
        ("/backport release\\1.2", "`/backport release/1.2`"),
        ("/backport statsu", "`/backport status`"),
        ("/backport xyzzy", "The stable branches are `release/1.2`, `release/1.1`, `release/1.0`."),
        ("/backport feature/*", "The stable branches are `release/1.2`, `release/1.1`, `release/1.0`."),
        ("/backport release/1.2 --darft", "`--draft`"),
    ],
)
def test_a_typo_is_answered_in_two_lines_with_the_names_of_this_repository(
    office: Office, body: str, name: str
) -> None:
    results = office.say(body)
    assert all(isinstance(result, Failed) for result in results)
    _marker, fact, remedy = office.answers()[0].strip().split("\n")
    assert "nothing was" in fact.lower()
    assert name in remedy
    assert office.backports() == []


@pytest.mark.parametrize("body", ["/backport", "/backport release/1.2 --darft", "/backport a..b", "/Backport"])
def test_a_stranger_is_told_one_thing_whatever_they_mistype(office: Office, body: str) -> None:
    assert office.say(body, as_="otto") == ()
    _marker, reply = office.answers()[0].strip().split("\n")
    assert "needs the `write` permission" in reply


def test_what_a_stranger_wrote_is_not_read_where_they_may_ask_for_nothing(office: Office) -> None:
    config = parse_config(f"repository: {REPOSITORY}\npermissions: {{status: write}}\n")
    closed_value = replace(office, context=with_pick(office.context, config=config))
    assert closed_value.say("/backport help", as_="otto") == ()
    assert "needs the `write` permission" in closed_value.answers()[0]
    assert closed_value.say("I would\n```\n/backport help\n```", as_="otto") == ()
    assert len(closed_value.answers()) == 1


def test_a_comment_that_has_its_answer_is_left_alone(office: Office) -> None:
    office.say("/backport release/1.2 --dry-run")
    before = office.answers()
    comment = next(comment for comment in office.issue(7).get_comments() if comment.user.login == MAINTAINER)
    assert office.serve(comment.id, "/backport release/1.2") == ()
    assert office.answers() == before
    assert office.backports() == []


def test_what_cannot_be_proven_is_not_opened_where_a_proof_is_always_required(office: Office) -> None:
    config = parse_config(f"repository: {REPOSITORY}\nprove: {{device: cpu, required: always}}\n")
    strict = replace(office, context=with_pick(office.context, config=config))
    (result,) = strict.say("/backport release/1.2", on=9)
    assert isinstance(result, NotProven)
    assert office.backports() == []
    assert "backport/9-to-release-1.2" not in office.branches()


def test_a_maintainer_may_open_an_unproven_one_as_a_draft_that_says_so(office: Office) -> None:
    office.fake_github.grant(REPOSITORY, MAINTAINER, "maintain")
    (result,) = office.say("/backport release/1.2 --no-prove", on=9)
    assert isinstance(result, Opened)
    (pull,) = office.backports()
    assert pull.draft
    assert "unproven" in pull.body.lower() or "not proven" in pull.body.lower()


def test_skipping_the_proof_takes_more_than_write_permission(office: Office) -> None:
    assert office.say("/backport release/1.2 --no-prove") == ()
    assert "`maintain`" in office.answers()[0]
    assert office.backports() == []


def test_a_conflict_without_a_carried_patch_pushes_nothing(office: Office) -> None:
    config = parse_config(f"repository: {REPOSITORY}\nprove: {{device: cpu}}\npick: {{propose: false}}\n")
    bare_value = replace(office, context=with_pick(office.context, patches={}, config=config))
    (result,) = bare_value.say("/backport release/1.1")
    assert isinstance(result, Conflicted)
    assert [file.path for file in result.conflict.files] == ["widget/ring.py"]
    assert office.backports() == []
    assert "backport/7-to-release-1.1" not in office.branches()
    assert office.reactions() == ["eyes", "confused"]


def test_a_dry_run_pushes_nothing(office: Office) -> None:
    (result,) = office.say("/backport release/1.2 --dry-run")
    assert isinstance(result, WouldOpen)
    assert office.backports() == []
    assert "backport/7-to-release-1.2" not in office.branches()


def test_a_branch_that_moves_during_the_proof_is_planned_again(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    proofs: list[str] = []
    prove = prove_candidate

    def prove_while_somebody_pushes(
        candidate: Candidate, patch: CarriedPatch | None, context: PickContext, runner: Runner
    ) -> Verdict:
        verdict = prove(candidate, patch, context, runner)
        if not proofs:
            tree = git(office.git_dir, "rev-parse", "release/1.2^{tree}")
            moved_sha = git(office.git_dir, "commit-tree", tree, "-p", "release/1.2", "-m", "Meanwhile")
            git(office.git_dir, "update-ref", "refs/heads/release/1.2", moved_sha)
        proofs.append(candidate.base_commit)
        return verdict

    monkeypatch.setattr(run, "prove_candidate", prove_while_somebody_pushes)
    (result,) = office.say("/backport release/1.2")
    assert isinstance(result, Opened)
    assert result.candidate is not None
    assert len(proofs) == 2
    assert result.candidate.base_commit == office.branches()["release/1.2"]


def test_a_branch_that_is_removed_during_the_proof_fails_alone(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    prove = prove_candidate

    def prove_while_somebody_tidies(
        candidate: Candidate, patch: CarriedPatch | None, context: PickContext, runner: Runner
    ) -> Verdict:
        verdict = prove(candidate, patch, context, runner)
        if candidate.branch == "release/1.2":
            git(office.git_dir, "update-ref", "-d", "refs/heads/release/1.2")
        return verdict

    monkeypatch.setattr(run, "prove_candidate", prove_while_somebody_tidies)
    refusal, outcome = office.say("/backport release/1.2 release/1.1")
    assert isinstance(refusal, Failed)
    assert "was deleted since" in refusal.message
    assert isinstance(outcome, Opened)


def test_a_merged_backport_is_already_applied(office: Office) -> None:
    office.say("/backport release/1.2")
    office.people[MAINTAINER].get_repo(REPOSITORY).get_pull(office.backports()[0].number).merge()
    (result,) = office.say("/backport release/1.2")
    assert isinstance(result, AlreadyApplied)
    assert len(office.backports()) == 1


def test_a_backport_that_a_person_closed_stays_closed_until_redo(office: Office) -> None:
    office.say("/backport release/1.2")
    office.people[MAINTAINER].get_repo(REPOSITORY).get_pull(office.backports()[0].number).edit(state="closed")
    (result,) = office.say("/backport release/1.2")
    assert isinstance(result, Failed)
    assert "--redo" in result.hint
    (second_outcome,) = office.say("/backport release/1.2 --redo")
    assert isinstance(second_outcome, Opened)
    assert [pull.state for pull in office.backports()] == ["closed", "open"]


def test_a_commit_that_a_person_made_is_never_overwritten(office: Office) -> None:
    office.say("/backport release/1.2")
    branch = "backport/7-to-release-1.2"
    theirs = git(office.git_dir, "commit-tree", f"{branch}^{{tree}}", "-p", branch, "-m", "A touch of mine")
    git(office.git_dir, "update-ref", f"refs/heads/{branch}", theirs)
    (result,) = office.say("/backport release/1.2 --redo")
    assert isinstance(result, Failed)
    assert "Ann" in result.message
    assert office.branches()[branch] == theirs


def test_auto_takes_the_branches_that_are_affected(office: Office) -> None:
    results = office.say("/backport auto")
    assert [(result.target, result.status) for result in results] == [
        ("release/1.2", Status.OPENED),
        ("release/1.1", Status.OPENED),
    ]


def test_status_says_what_is_open(office: Office) -> None:
    office.say("/backport release/1.2")
    office.say("/backport status")
    assert "release/1.2" in office.answers()[-1]


def test_a_change_without_tests_opens_as_an_ordinary_pull_request(office: Office) -> None:
    (result,) = office.say("/backport release/1.2", on=9)
    assert isinstance(result, Opened)
    assert not office.backports()[0].draft


def test_no_token_reaches_the_pages_the_requests_or_the_mirror(
    served: Served,
) -> None:
    office, _ = served
    settings = (office.context.mirror.git.directory / "config").read_text()
    assert "ghs_" not in settings
    assert "authorization" not in settings.casefold()
    assert all("token" not in (request.path or "").casefold() for request in office.fake_github.requests())


def test_a_label_on_a_merged_pull_request_asks_as_a_comment_does(office: Office) -> None:
    trigger = LabelTrigger(
        repository=REPOSITORY, pull_request=7, label="backport release/1.2", sender=MAINTAINER, merged=True
    )
    (outcome,) = answer(trigger, office.context)
    assert isinstance(outcome, Opened)
    assert len(office.answers()) == 1


def test_a_label_that_a_pattern_reads_asks_for_the_branch_of_its_group(office: Office) -> None:
    settings = "trigger_labels: [{pattern: '^backport-([0-9.]+)$', branch: 'release/$1'}]"
    config = parse_config(f"repository: {REPOSITORY}\n{settings}\nprove: {{device: cpu}}\n")
    reading = replace(office, context=with_pick(office.context, config=config))
    trigger = LabelTrigger(repository=REPOSITORY, pull_request=7, label="backport-1.2", sender=MAINTAINER, merged=True)
    (result,) = answer(trigger, reading.context)
    assert (result.target, result.status) == ("release/1.2", Status.OPENED)


def test_whoever_added_the_label_needs_the_permission(office: Office) -> None:
    office.fake_github.grant(REPOSITORY, "otto", "triage")
    trigger = LabelTrigger(
        repository=REPOSITORY, pull_request=7, label="backport release/1.2", sender="otto", merged=True
    )
    assert answer(trigger, office.context) == ()
    assert office.backports() == []


def test_redo_makes_branch_and_text_anew_in_the_same_pull_request(office: Office) -> None:
    office.say("/backport release/1.2")
    (before,) = office.backports()
    tree = git(office.git_dir, "rev-parse", "release/1.2^{tree}")
    moved_sha = git(office.git_dir, "commit-tree", tree, "-p", "release/1.2", "-m", "Meanwhile")
    git(office.git_dir, "update-ref", "refs/heads/release/1.2", moved_sha)
    (second_outcome,) = office.say("/backport release/1.2 --redo")
    assert isinstance(second_outcome, Opened)
    (after,) = office.backports()
    assert (after.number, after.head.sha) == (before.number, office.branches()["backport/7-to-release-1.2"])
    assert git(office.git_dir, "rev-parse", f"{after.head.sha}^") == moved_sha
    assert after.head.sha[:12] in after.body
    assert before.head.sha[:12] not in after.body


def test_a_branch_left_without_a_pull_request_is_made_anew(office: Office) -> None:
    """A crash between the push and the pull request leaves exactly this."""
    office.say("/backport release/1.2")
    git(office.git_dir, "update-ref", "refs/heads/backport/9-to-release-1.2", office.backports()[0].head.sha)
    office.fake_github.grant(REPOSITORY, MAINTAINER, "maintain")
    (result,) = office.say("/backport release/1.2 --no-prove", on=9)
    assert isinstance(result, Opened)
    assert result.candidate is not None
    assert office.branches()["backport/9-to-release-1.2"] == result.candidate.commit


def test_a_pull_request_from_a_fork_with_the_same_branch_name_is_not_ours(office: Office) -> None:
    """GitHub's `head.ref` names no owner."""
    fork = office.people["otto"].get_repo(REPOSITORY).create_fork()
    fork.create_git_ref("refs/heads/backport/7-to-release-1.2", fork.get_branch("main").commit.sha)
    repository = office.people["otto"].get_repo(REPOSITORY)
    theirs = repository.create_pull("release/1.2", "otto:backport/7-to-release-1.2", title="Mine", body="")
    (outcome,) = office.say("/backport release/1.2")
    assert isinstance(outcome, Opened)
    assert outcome.created
    assert outcome.pull_request.number != theirs.number

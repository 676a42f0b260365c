"""What the jobs must do as the service does: learn from a sibling, pick again what moved, reach other repositories."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import RunFolderError
from bot.models import (
    Candidate,
    Failed,
    Method,
    Opened,
    Sha,
    SuiteRun,
    TargetOutcome,
    Verdict,
    VerdictOutcome,
)
from bot.pipeline import run as target_run
from bot.pipeline.run_folder import RunFolder
from bot.pipeline.run_folder_records import Proof
from tests.pipeline.office import BOT, MAINTAINER, Office, git
from tests.pipeline.test_siblings import drifting_office
from tests.pipeline.test_target_repository import THERE, fork
from tests.stages.pipeline import Pipeline

pytestmark = pytest.mark.long

__all__ = ["drifting_office", "fork"]

CLEAN = "/backport release/1.2"


def _move(office: Office, branch: str) -> Sha:
    moved_sha = git(office.git_dir, "commit-tree", f"{branch}^{{tree}}", "-p", branch, "-m", "Meanwhile")
    git(office.git_dir, "update-ref", f"refs/heads/{branch}", moved_sha)
    return Sha(moved_sha)


# --- siblings ---------------------------------------------------------------------------------------------------------


def test_an_older_branch_learns_from_a_newer_one_of_the_same_request(
    drifting_office: Office, pipeline: Pipeline
) -> None:
    pipeline.write_config(required=False)
    older, newer = pipeline.run("/backport release/1.9 release/2.0", on=20)
    assert isinstance(older, Opened)
    assert isinstance(newer, Opened)
    assert older.candidate is not None
    assert newer.candidate is not None
    assert (newer.candidate.method, older.candidate.method) == (Method.CHERRY_PICK, Method.SIBLING)


def test_what_was_made_from_a_sibling_that_is_not_opened_is_not_opened_either(
    drifting_office: Office, pipeline: Pipeline
) -> None:
    pipeline.write_config(required=False)
    pipeline.plan(pipeline.event("/backport release/1.9 release/2.0", on=20))
    pipeline.pick()
    seal = pipeline.seal()
    pipeline.prove()
    _move(drifting_office, "release/2.0")
    older, newer = pipeline.publish(seal)
    assert isinstance(newer, Failed)
    assert "moved" in newer.message
    assert isinstance(older, Failed)
    assert "made from the one to another branch" in older.message
    assert "`/backport release/1.9`" in older.hint
    assert drifting_office.backports() == []
    assert "made from the one to another branch" in drifting_office.answers(20)[0]


def test_what_was_made_from_a_sibling_that_moved_is_made_again_with_it(
    drifting_office: Office, pipeline: Pipeline, tmp_path: Path
) -> None:
    pipeline.write_config(required=False)
    pipeline.plan(pipeline.event("/backport release/1.9 release/2.0", on=20))
    pipeline.pick()
    seal = pipeline.seal()
    pipeline.prove()
    tip = _move(drifting_office, "release/2.0")
    again = RunFolder(tmp_path / "again")
    assert pipeline.publish(seal, next_round=again) == ()
    assert drifting_office.backports() == []
    assert "the branch of a sibling moved: picked and proven again" in drifting_office.answers(20)[0]
    older, newer = _next_round(pipeline, again)
    assert isinstance(newer, Opened)
    assert isinstance(older, Opened)
    assert newer.candidate is not None
    assert older.candidate is not None
    assert newer.candidate.base_commit == tip
    assert older.candidate.siblings == newer.candidate.commits


def test_what_was_made_from_a_sibling_that_failed_its_proof_is_not_opened(
    drifting_office: Office, pipeline: Pipeline
) -> None:
    """The sibling itself is opened, as a draft that says so: it may not stand in for the original."""
    pipeline.write_config(required=False)
    older, newer = pipeline.plan(pipeline.event("/backport release/1.9 release/2.0", on=20))
    pipeline.pick()
    seal = pipeline.seal()
    pipeline.prove([older.id])
    made = pipeline.folder.read_pick(newer.id)
    assert made is not None
    assert isinstance(made.made.value, Candidate)
    run = SuiteRun(tree="", cases=(), device=None, seconds=1.0)
    verdict = Verdict(outcome=VerdictOutcome.REGRESSED, reason="a case fails", base=run, candidate=run)
    candidate = made.made.value
    proof = Proof(base_commit=candidate.base_commit, candidate=candidate.commit, verdict=verdict)
    pipeline.folder.write(f"prove/{newer.id}.json", proof)
    pipeline.proven.add(newer.id)
    first, second = pipeline.publish(seal)
    assert isinstance(second, Opened)
    assert isinstance(first, Failed)
    assert "or its proof failed" in first.message


def test_the_pick_names_the_commits_of_siblings_that_it_was_made_from(
    drifting_office: Office, pipeline: Pipeline
) -> None:
    pipeline.write_config(required=False)
    older, newer = pipeline.plan(pipeline.event("/backport release/1.9 release/2.0", on=20))
    pipeline.pick()
    picked_items = [pipeline.folder.read_pick(target.id) for target in (older, newer)]
    results = [record.made.value for record in picked_items if record is not None]
    assert isinstance(results[0], Candidate)
    assert isinstance(results[1], Candidate)
    assert (results[0].siblings, results[1].siblings) == (results[1].commits, ())


def test_an_error_in_a_pick_offers_the_command_with_its_options(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> object:
        raise RecursionError

    monkeypatch.setattr(target_run, "pick_candidate", fail)
    (outcome,) = pipeline.run(f"{CLEAN} --with-companions --draft")
    assert isinstance(outcome, Failed)
    assert f"comment `{CLEAN} --with-companions --draft` again" in outcome.hint


# --- a branch that moves ----------------------------------------------------------------------------------------------


def _until_proven(pipeline: Pipeline, body: str) -> str:
    pipeline.plan(pipeline.event(body))
    pipeline.pick()
    seal = pipeline.seal()
    pipeline.prove()
    return seal


def _next_round(pipeline: Pipeline, next_round: RunFolder) -> tuple[TargetOutcome, ...]:
    following = pipeline.following(next_round)
    following.pick(seal=next_round.seal("plan"))
    seal = following.seal()
    following.prove()
    return following.publish(seal)


def test_a_branch_that_moved_is_picked_and_proven_on_its_new_tip(pipeline: Pipeline, tmp_path: Path) -> None:
    seal = _until_proven(pipeline, "/backport release/1.0 release/1.1 release/1.2")
    tip = _move(pipeline.office, "release/1.2")
    again = RunFolder(tmp_path / "again")
    first = pipeline.publish(seal, next_round=again)
    assert [result.target for result in first] == ["release/1.0", "release/1.1"]
    (answer,) = pipeline.office.answers()
    assert "the branch moved" in answer
    assert pipeline.office.reactions() == ["eyes"], "the request has not ended"
    results = _next_round(pipeline, again)
    assert [result.target for result in results] == ["release/1.0", "release/1.1", "release/1.2"]
    result = results[-1]
    assert isinstance(result, Opened)
    assert result.candidate is not None
    assert result.candidate.base_commit == tip
    assert result.verdict is not None
    assert result.verdict.base.commit == tip
    (answer,) = pipeline.office.answers()
    assert "moved" not in answer
    assert len(pipeline.office.backports()) == 2
    assert pipeline.office.reactions() == ["eyes", "rocket"]


def test_where_nothing_moved_there_is_no_other_round(pipeline: Pipeline, tmp_path: Path) -> None:
    again = RunFolder(tmp_path / "again")
    pipeline.publish(_until_proven(pipeline, CLEAN), next_round=again)
    assert not again.root.exists()


def test_a_request_under_way_is_kept_in_its_comment_until_the_last_round(pipeline: Pipeline, tmp_path: Path) -> None:
    """A round that dies loses nothing: what was started and not ended is found in the comment."""
    seal = _until_proven(pipeline, CLEAN)
    _move(pipeline.office, "release/1.2")
    again = RunFolder(tmp_path / "again")
    pipeline.publish(seal, next_round=again)
    assert ":started:" in pipeline.office.answers()[0]
    _next_round(pipeline, again)
    assert ":started:" not in pipeline.office.answers()[0]


def test_without_another_round_a_moved_branch_ends_with_the_way_out(pipeline: Pipeline) -> None:
    seal = _until_proven(pipeline, CLEAN)
    _move(pipeline.office, "release/1.2")
    (result,) = pipeline.publish(seal)
    assert isinstance(result, Failed)
    assert "moved" in result.message
    assert "`/backport release/1.2`" in result.hint
    assert pipeline.office.backports() == []


def test_a_plan_that_was_changed_between_the_rounds_is_refused(pipeline: Pipeline, tmp_path: Path) -> None:
    seal = _until_proven(pipeline, CLEAN)
    _move(pipeline.office, "release/1.2")
    again = RunFolder(tmp_path / "again")
    pipeline.publish(seal, next_round=again)
    sealed = again.seal("plan")
    with again.path("plan/backport.yaml").open("a") as config:
        config.write("labels: [forged]\n")
    with pytest.raises(RunFolderError, match="not as it was sealed"):
        pipeline.following(again).pick(seal=sealed)


# --- other repositories -----------------------------------------------------------------------------------------------

ELSEWHERE = f'elsewhere: [{{repository: {THERE}, branches: ["rocm-*"]}}]\n'


def test_a_target_in_another_repository_is_picked_proven_and_opened_there(pipeline: Pipeline, fork: Path) -> None:
    pipeline.write_config(ELSEWHERE)
    home, there = pipeline.run(f"/backport release/1.2 {THERE}:rocm-1")
    assert isinstance(home, Opened)
    assert isinstance(there, Opened)
    assert there.target == f"{THERE}:rocm-1"
    (pull,) = pipeline.office.people[MAINTAINER].get_repo(THERE).get_pulls()
    assert pull.base.ref == "rocm-1"
    assert pull.head.sha == git(fork, "rev-parse", "backport/7-to-rocm-1")
    assert f"{pipeline.office.fake_github.url}/{THERE}/pull/{pull.number}" in pipeline.office.answers()[0]


def test_auto_finds_what_is_affected_in_other_repositories_too(pipeline: Pipeline, fork: Path) -> None:
    pipeline.write_config(ELSEWHERE)
    targets = pipeline.plan(pipeline.event("/backport auto"))
    assert {target.target for target in targets} == {
        "release/1.1",
        "release/1.2",
        f"{THERE}:rocm-1",
        f"{THERE}:rocm-2",
    }


@pytest.mark.parametrize("asked", [f"{THERE}:rocm-1", "all"])
def test_a_repository_out_of_sight_fails_alone_and_says_why(pipeline: Pipeline, asked: str) -> None:
    pipeline.write_config(ELSEWHERE)
    results = pipeline.run(f"/backport release/1.2 {asked}")
    failed_items = [result for result in results if isinstance(result, Failed)]
    (there,) = failed_items
    assert there.target.startswith(THERE)
    assert "cannot be seen with this token" in there.message
    assert any(isinstance(result, Opened) and result.target == "release/1.2" for result in results)


# --- commits that GitHub signs ----------------------------------------------------------------------------------------


def test_github_writes_and_signs_the_commits_that_are_proven(pipeline: Pipeline) -> None:
    pipeline.write_config("commit: {verified: true}\n")
    (outcome,) = pipeline.run(CLEAN)
    assert isinstance(outcome, Opened)
    assert outcome.candidate is not None
    assert outcome.verdict is not None
    assert outcome.verdict.candidate.commit == outcome.candidate.commit
    (pull,) = pipeline.office.backports()
    assert pull.head.sha == outcome.candidate.commit
    # The fake GitHub signs nothing; GitHub signs what is written like this: in the name of the token's account.
    assert git(pipeline.office.git_dir, "show", "--no-patch", "--format=%an", pull.head.sha) == BOT
    assert "Co-authored-by: " in git(pipeline.office.git_dir, "show", "--no-patch", "--format=%B", pull.head.sha)


# --- what was refused -------------------------------------------------------------------------------------------------


def test_what_was_refused_in_one_comment_is_not_held_against_another(pipeline: Pipeline) -> None:
    office = pipeline.office
    good = office.issue(7).create_comment(CLEAN)
    bad = office.issue(7, as_="otto").create_comment("/backport release/1.1")
    pipeline.plan(pipeline.merged(7))
    pipeline.pick()
    seal = pipeline.seal()
    pipeline.prove()
    pipeline.publish(seal)
    assert [reaction.content for reaction in good.get_reactions()] == ["eyes", "rocket"]
    assert [reaction.content for reaction in bad.get_reactions()] == ["eyes", "confused"]


def test_a_branch_that_is_gone_by_the_publication_fails_alone(pipeline: Pipeline, tmp_path: Path) -> None:
    seal = _until_proven(pipeline, "/backport release/1.1 release/1.2")
    git(pipeline.office.git_dir, "update-ref", "-d", "refs/heads/release/1.2")
    outcome, gone = pipeline.publish(seal, next_round=RunFolder(tmp_path / "again"))
    assert isinstance(outcome, Opened)
    assert isinstance(gone, Failed)
    assert "was deleted since" in gone.message
    assert not (tmp_path / "again").exists()

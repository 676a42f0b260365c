"""The stages over real HTTP and real git: a comment's event in, pull requests out, and no stage believes too much."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.environment import credentials
from bot.environment.trace import record, render_json
from bot.errors import ConfigError, RunFolderError
from bot.handlers import ci_outputs, ci_plan
from bot.handlers.ci_event import Event
from bot.models import Candidate, Failed, NotAffected, NotProven, Opened, Status, VerdictOutcome
from bot.report.trace_page import render_trace
from bot.report.trace_rows import Kind
from tests.pipeline.landing import open_pull, write
from tests.pipeline.office import BOT, MAINTAINER, REPOSITORY, git
from tests.stages.pipeline import Pipeline

pytestmark = pytest.mark.long

ALL = "/backport release/1.0 release/1.1 release/1.2 release/9"
CLEAN = "/backport release/1.2"


def test_every_target_ends_as_on_the_line_and_what_was_tested_is_what_is_opened(pipeline: Pipeline) -> None:
    office = pipeline.office
    unknown, old, carried, clean = pipeline.run(ALL)
    assert isinstance(unknown, Failed)
    assert isinstance(old, NotAffected)
    assert isinstance(carried, Opened)
    assert isinstance(clean, Opened)
    assert [pull.base.ref for pull in office.backports()] == ["release/1.1", "release/1.2"]
    for opened, pull in zip((carried, clean), office.backports(), strict=True):
        assert opened.candidate is not None
        assert opened.verdict is not None
        assert opened.verdict.proven
        assert pull.head.sha == opened.candidate.commit
    (answer,) = office.answers()
    assert all(branch in answer for branch in ("release/1.0", "release/1.1", "release/1.2", "release/9"))
    assert "under way" not in answer
    assert office.reactions() == ["eyes", "confused"]


def test_workflow_files_that_may_not_be_pushed_are_found_before_the_proof(pipeline: Pipeline) -> None:
    office = pipeline.office
    write(office, "topic", {".github/workflows/ci.yml": "on: push\n", "widget/new.py": "N = 1\n"}, "Add", onto="main")
    pull = open_pull(office, "topic", title="Add")
    pull.merge(merge_method="squash")
    pipeline.token = office.fake_github.add_token(BOT, workflows=False)
    (target,) = pipeline.plan(pipeline.event(CLEAN, on=pull.number))
    assert pipeline.pick(target.id) == (f"{target.id}: release/1.2: failed",)
    (failed,) = pipeline.publish(pipeline.seal())
    assert isinstance(failed, Failed)
    assert "may not push workflow files" in failed.message
    assert office.backports() == []


def test_a_trace_shows_what_git_github_and_the_proof_took(pipeline: Pipeline, tmp_path: Path) -> None:
    file, page = tmp_path / "trace.json", tmp_path / "trace.html"
    with record({file: render_json, page: render_trace}, "all stages"):
        pipeline.run(CLEAN)
    (resource,) = json.loads(file.read_text())["resourceSpans"]
    spans = resource["scopeSpans"][0]["spans"]
    assert {"fetch", "git", "github", "push", "suite run"} <= {span["name"] for span in spans}
    assert {"plan", "pick", "strategy", "prove", "publish"} <= {span["name"] for span in spans}
    values = {
        span["spanId"]: {entry["key"]: entry["value"] for entry in span["attributes"]}
        for span in spans
        if span["name"] == "fetch"
    }
    assert any(int(of_span["bytes"]["intValue"]) > 0 for of_span in values.values() if "bytes" in of_span)
    requests = [event for span in spans for event in span["events"]]
    assert {"POST", "GET"} <= {event["attributes"][0]["value"]["stringValue"] for event in requests}
    assert pipeline.token not in file.read_text()
    for kind in Kind:
        assert f"</span>{kind.value}</td>" in page.read_text()


def test_publishing_twice_opens_nothing_twice(pipeline: Pipeline) -> None:
    for item in pipeline.plan(pipeline.event(CLEAN)):
        pipeline.pick(item.id)
    seal = pipeline.seal()
    pipeline.prove()
    pipeline.publish(seal)
    before = pipeline.office.branches()
    pipeline.publish(seal)
    assert pipeline.office.branches() == before
    assert len(pipeline.office.backports()) == 1
    assert len(pipeline.office.answers()) == 1
    assert pipeline.office.reactions() == ["eyes", "rocket"]


def test_a_proof_needs_no_token_no_mirror_and_no_github(pipeline: Pipeline, tmp_path: Path) -> None:
    (target,) = pipeline.plan(pipeline.event(CLEAN))
    pipeline.pick(target.id)
    for job in ("plan", f"pick{target.id}"):
        shutil.rmtree(pipeline.directory / job)
    before = len(pipeline.office.fake_github.requests())
    (verdict,) = pipeline.prove().values()
    assert verdict.proven
    assert len(pipeline.office.fake_github.requests()) == before
    assert credentials.TOKEN not in os.environ


def test_a_request_without_proof_is_opened_as_a_draft(pipeline: Pipeline) -> None:
    pipeline.office.fake_github.grant(REPOSITORY, MAINTAINER, "maintain")
    (outcome,) = pipeline.run(f"{CLEAN} --no-prove")
    assert isinstance(outcome, Opened)
    assert pipeline.office.backports()[0].draft


def test_a_branch_that_moves_during_the_proof_is_not_published(pipeline: Pipeline) -> None:
    (target,) = pipeline.plan(pipeline.event(CLEAN))
    pipeline.pick(target.id)
    seal = pipeline.seal()
    pipeline.prove()
    moved_sha = git(
        pipeline.office.git_dir, "commit-tree", "release/1.2^{tree}", "-p", "release/1.2", "-m", "Meanwhile"
    )
    git(pipeline.office.git_dir, "update-ref", "refs/heads/release/1.2", moved_sha)
    (result,) = pipeline.publish(seal)
    assert isinstance(result, Failed)
    assert "moved" in result.message
    assert pipeline.office.backports() == []


def test_a_cancellation_during_the_proof_stops_the_publication(pipeline: Pipeline) -> None:
    (target,) = pipeline.plan(pipeline.event(CLEAN))
    pipeline.pick(target.id)
    seal = pipeline.seal()
    pipeline.prove()
    pipeline.office.issue(7).create_comment("/backport cancel")
    (result,) = pipeline.publish(seal)
    assert result.status is Status.CANCELLED
    assert pipeline.office.backports() == []


def test_an_outsiders_comment_is_refused_and_nothing_is_planned(pipeline: Pipeline) -> None:
    assert pipeline.plan(pipeline.event(CLEAN, as_="otto")) == ()
    assert "`write`" in pipeline.office.answers()[0]
    assert pipeline.office.reactions() == ["eyes", "confused"]


def test_an_event_that_asks_for_nothing_opens_no_door(pipeline: Pipeline) -> None:
    before = len(pipeline.office.fake_github.requests())
    assert pipeline.plan(Event("push", {"ref": "refs/heads/main"})) == ()
    assert len(pipeline.office.fake_github.requests()) == before


def test_a_comment_can_be_named_by_its_number_and_its_author_is_asked_of_github(pipeline: Pipeline) -> None:
    comment = pipeline.office.issue(7, as_="otto").create_comment(CLEAN)
    assert pipeline.plan(Event("issue_comment", comment_id=comment.id)) == ()
    comment = pipeline.office.issue(7).create_comment(CLEAN)
    (target,) = pipeline.plan(Event("issue_comment", comment_id=comment.id))
    assert target.plan.branch == "release/1.2"


# --- what publish believes --------------------------------------------------------------------------------------------


@pytest.fixture
def proven(pipeline: Pipeline) -> tuple[Pipeline, str]:
    """Return a run of one target that is proven and sealed, with its seal."""
    (target,) = pipeline.plan(pipeline.event(CLEAN))
    pipeline.pick(target.id)
    seal = pipeline.seal()
    pipeline.prove()
    return pipeline, seal


def _edit(file: Path, key: str, value: object) -> None:
    content = json.loads(file.read_text())
    content[key] = value
    file.write_text(json.dumps(content))


def test_a_pick_that_was_changed_after_the_seal_is_refused_before_anything_happens(
    proven: tuple[Pipeline, str],
) -> None:
    pipeline, seal = proven
    _edit(pipeline.folder.path("plan/plan.json"), "refused", [1])
    before = len(pipeline.office.fake_github.requests())
    with pytest.raises(RunFolderError, match="not as it was sealed"):
        pipeline.publish(seal)
    assert len(pipeline.office.fake_github.requests()) == before


def test_another_bundle_breaks_the_seal(proven: tuple[Pipeline, str]) -> None:
    pipeline, seal = proven
    with pipeline.folder.bundle("1").open("ab") as bundle:
        bundle.write(b"more")
    with pytest.raises(RunFolderError, match="not as it was sealed"):
        pipeline.publish(seal)


@pytest.mark.parametrize("field", ["candidate", "base_commit"])
def test_a_verdict_about_another_commit_is_none(proven: tuple[Pipeline, str], field: str) -> None:
    pipeline, seal = proven
    _edit(pipeline.folder.path("prove/1.json"), field, "0" * 40)
    (result,) = pipeline.publish(seal)
    assert isinstance(result, NotProven)
    assert "other commits" in result.verdict.reason
    assert pipeline.office.backports() == []


def test_a_proof_that_left_nothing_is_inconclusive(proven: tuple[Pipeline, str]) -> None:
    pipeline, seal = proven
    pipeline.folder.path("prove/1.json").unlink()
    (result,) = pipeline.publish(seal)
    assert isinstance(result, NotProven)
    assert result.verdict.outcome is VerdictOutcome.INCONCLUSIVE
    assert pipeline.office.reactions() == ["eyes", "confused"]


def test_a_link_in_place_of_a_verdict_is_not_followed(proven: tuple[Pipeline, str], tmp_path: Path) -> None:
    pipeline, seal = proven
    verdict = pipeline.folder.path("prove/1.json")
    verdict.rename(tmp_path / "elsewhere.json")
    verdict.symlink_to(tmp_path / "elsewhere.json")
    (result,) = pipeline.publish(seal)
    assert isinstance(result, NotProven)
    assert pipeline.office.backports() == []


@pytest.mark.parametrize("place", ["publish", "publish/results.json"])
def test_the_results_are_not_written_through_a_link(proven: tuple[Pipeline, str], tmp_path: Path, place: str) -> None:
    pipeline, seal = proven
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "results.json").write_text("kept")
    link = pipeline.folder.path(place)
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(outside if place == "publish" else outside / "results.json")
    if place == "publish":
        with pytest.raises(RunFolderError, match=r"results\.json"):
            pipeline.publish(seal)
    else:
        pipeline.publish(seal)
        assert not link.is_symlink()
    assert (outside / "results.json").read_text() == "kept"
    assert len(pipeline.office.backports()) == 1


def test_a_verdict_cannot_say_more_than_a_verdict(proven: tuple[Pipeline, str]) -> None:
    pipeline, seal = proven
    _edit(pipeline.folder.path("prove/1.json"), "branch", "main")
    (result,) = pipeline.publish(seal)
    assert isinstance(result, NotProven)
    assert "branch" in result.verdict.reason


def test_a_proof_that_claims_there_are_no_tests_is_not_believed(proven: tuple[Pipeline, str]) -> None:
    """The original has a carried patch, so its suite had to run; only the machine of the proof says otherwise."""
    pipeline, seal = proven
    file = pipeline.folder.path("prove/1.json")
    verdict = json.loads(file.read_text())["verdict"]
    _edit(file, "verdict", {**verdict, "outcome": "no-tests", "reason": "nothing to run"})
    (result,) = pipeline.publish(seal)
    assert isinstance(result, NotProven)
    assert result.verdict.outcome is VerdictOutcome.INCONCLUSIVE
    assert "there is a suite for this change" in result.verdict.reason
    assert pipeline.office.backports() == []


def test_a_proof_leaves_its_reports_for_people_and_the_pull_request_links_them(pipeline: Pipeline) -> None:
    page = "https://github.example/acme/widget/actions/runs/5"
    (outcome,) = pipeline.run(CLEAN, evidence_url=page)
    assert isinstance(outcome, Opened)
    (pull,) = pipeline.office.backports()
    assert f"](<{page}>) keeps the report" in pull.body
    (run,) = pull.base.repo.get_commit(pull.head.sha).get_check_runs(check_name="backport proof")
    assert page in run.output.summary
    kept = {file.relative_to(pipeline.folder.path("evidence/1")).as_posix() for file in _files(pipeline, "evidence/1")}
    assert {"report.html", "verdict.json", "widget-7/base.xml", "widget-7/candidate.xml"} <= kept


def test_an_unproven_branch_links_the_run_and_no_page_of_the_proofs_own(proven: tuple[Pipeline, str]) -> None:
    pipeline, seal = proven
    content = json.loads(pipeline.folder.path("prove/1.json").read_text())
    content["verdict"] |= {"outcome": "incomplete", "evidence_url": "https://evil.example"}
    pipeline.folder.path("prove/1.json").write_text(json.dumps(content))
    pipeline.publish(seal, evidence_url="https://github.example/runs/5")
    (answer,) = pipeline.office.answers()
    assert "https://github.example/runs/5" in answer
    assert "evil.example" not in answer


def _files(pipeline: Pipeline, folder: str) -> list[Path]:
    return [path for path in pipeline.folder.path(folder).rglob("*") if path.is_file()]


def test_a_verdicts_words_mention_nobody_and_link_nothing(proven: tuple[Pipeline, str]) -> None:
    pipeline, seal = proven
    content = json.loads(pipeline.folder.path("prove/1.json").read_text())
    content["verdict"] |= {"outcome": "incomplete", "reason": "@everyone see [this](https://evil.example) #1"}
    pipeline.folder.path("prove/1.json").write_text(json.dumps(content))
    (result,) = pipeline.publish(seal)
    assert isinstance(result, NotProven)
    (answer,) = pipeline.office.answers()
    assert "@everyone" not in answer
    assert "](https://evil.example)" not in answer


def test_a_pick_that_left_nothing_fails_its_target_alone(pipeline: Pipeline) -> None:
    first, second = pipeline.plan(pipeline.event("/backport release/1.1 release/1.2"))
    pipeline.pick(second.id)
    seal = pipeline.seal()
    pipeline.prove()
    lost, outcome = pipeline.publish(seal)
    assert isinstance(lost, Failed)
    assert lost.target == first.plan.branch
    assert isinstance(outcome, Opened)


TWO = "/backport release/1.1 release/1.2"


def test_a_proof_of_what_was_changed_after_the_seal_runs_nothing(pipeline: Pipeline, tmp_path: Path) -> None:
    """Whoever can replace an artifact of the run would give a sibling's proof another suite."""
    pipeline.plan(pipeline.event(TWO))
    pipeline.pick()
    pipeline.seal()
    for suite in pipeline.folder.path("plan").rglob("suite/test_*.py"):
        suite.write_text(f"import pathlib\ndef test_it():\n    pathlib.Path({str(tmp_path / 'ran')!r}).touch()\n")
    with pytest.raises(RunFolderError, match="not as it was sealed"):
        pipeline.prove()
    assert not (tmp_path / "ran").exists()
    assert not pipeline.folder.path("prove").exists()


def test_a_proofs_job_speaks_of_no_other_target(pipeline: Pipeline) -> None:
    """The job of target 2 died; that of target 1 leaves a verdict about target 2's very commits."""
    pipeline.plan(pipeline.event(TWO))
    pipeline.pick()
    seal = pipeline.seal()
    pipeline.prove(["1"])
    forged = json.loads(pipeline.folder.path("prove/1.json").read_text())
    picked = json.loads(pipeline.folder.path("pick/2.json").read_text())["made"]["value"]
    forged |= {"base_commit": picked["base_commit"], "candidate": picked["commit"]}
    pipeline.folder.path("prove/2.json").write_text(json.dumps(forged))
    first, second = pipeline.publish(seal)
    assert isinstance(first, Opened)
    assert isinstance(second, NotProven)
    assert "left no verdict" in second.verdict.reason


def _link_to_a_folder(place: Path, outside: Path) -> None:
    (place / "9").symlink_to(outside)


def _link_to_a_file(place: Path, outside: Path) -> None:
    (place / "9").symlink_to(outside / "patch.yaml")


def _pipe(place: Path, outside: Path) -> None:
    os.mkfifo(place / "9")


def _hard_link(place: Path, outside: Path) -> None:
    os.link(outside / "patch.yaml", place / "9")


@pytest.mark.parametrize("plant", [_link_to_a_folder, _link_to_a_file, _pipe, _hard_link])
def test_a_seal_covers_no_more_than_plain_files(
    pipeline: Pipeline, tmp_path: Path, plant: Callable[[Path, Path], None]
) -> None:
    """A link to a folder of patches was in no digest and would have been loaded."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "patch.yaml").touch()
    pipeline.plan(pipeline.event(CLEAN))
    pipeline.pick()
    seal = pipeline.seal()
    plant(pipeline.folder.path("plan/patches"), outside)
    with pytest.raises(RunFolderError, match="not a plain file"):
        pipeline.folder.check_seal(seal)


def test_a_folder_that_is_a_link_is_not_read_through(pipeline: Pipeline, tmp_path: Path) -> None:
    pipeline.plan(pipeline.event(CLEAN))
    pipeline.folder.path("plan").rename(tmp_path / "away")
    pipeline.folder.path("plan").symlink_to(tmp_path / "away")
    with pytest.raises(RunFolderError, match="not a plain file"):
        pipeline.folder.plan()


def test_a_verdicts_words_hold_nothing_that_cannot_be_shown(proven: tuple[Pipeline, str]) -> None:
    pipeline, seal = proven
    content = json.loads(pipeline.folder.path("prove/1.json").read_text())
    content["verdict"] |= {"outcome": "incomplete", "reason": "nul \0 escape \x1b[2J turned \u202e"}
    pipeline.folder.path("prove/1.json").write_text(json.dumps(content))
    (result,) = pipeline.publish(seal)
    assert isinstance(result, NotProven)
    assert "nul \ufffd escape \ufffd[2J turned \ufffd" in result.verdict.reason


# --- settings, outputs ------------------------------------------------------------------------------------------------


def test_without_a_file_the_configuration_and_own_patches_come_from_the_default_branch(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    office = pipeline.office
    checkout = tmp_path / "checkout"
    git(tmp_path, "clone", "--quiet", str(office.git_dir), str(checkout))
    shutil.copytree(Path(__file__).parents[1] / "pipeline" / "patches", checkout / "backports")
    config = f"repository: {REPOSITORY}\npatches: [backports]\nprove: {{device: cpu}}\n"
    (checkout / "backport.yaml").write_text(config)
    git(checkout, "add", "--all")
    git(checkout, "commit", "--quiet", "--message", "Configure the bot")
    git(checkout, "push", "--quiet", "origin", "main")
    pipeline.give_token()
    event = pipeline.event("/backport release/1.1")
    ready = ci_plan.run_plan(
        pipeline.folder.root, event, pipeline.connection("plan"), config=None, progress=lambda _: None
    )
    (target,) = ready.targets
    assert target.plan.patch == "widget-7"
    pipeline.pick(target.id)
    seal = pipeline.seal()
    pipeline.prove()
    (result,) = pipeline.publish(seal)
    assert result.status is Status.OPENED


def test_whoever_asks_is_told_that_the_configuration_is_broken(pipeline: Pipeline) -> None:
    pipeline.write_config("branchs: [release/*]\n")
    with pytest.raises(ConfigError):
        pipeline.plan(pipeline.event(CLEAN))
    (answer,) = pipeline.office.answers()
    assert "`branchs` is not a key" in answer
    assert "`branches`" in answer
    assert pipeline.office.reactions() == ["eyes", "confused"]


def test_whoever_asks_is_told_of_a_folder_of_patches_that_is_not_there(pipeline: Pipeline) -> None:
    pipeline.write_config()
    (pipeline.directory / "backport.yaml").write_text(f"repository: {REPOSITORY}\npatches: [nowhere]\n")
    with pytest.raises(ConfigError, match="nowhere"):
        pipeline.plan(pipeline.event(CLEAN))
    (answer,) = pipeline.office.answers()
    assert "`patches` names nowhere, which is no folder" in answer


def test_nobody_who_did_not_ask_is_told_of_a_broken_configuration(pipeline: Pipeline) -> None:
    pipeline.write_config("branchs: [release/*]\n")
    for event in (pipeline.event("Thank you for the /backport."), pipeline.merged(7)):
        with pytest.raises(ConfigError):
            pipeline.plan(event)
    assert pipeline.office.answers() == []


def test_outputs_are_one_line_each_whatever_a_branch_is_called(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "outputs"))
    targets = [{"id": "1", "branch": 'a"\nseal=forged', "original": 7}]
    ci_outputs.write_outputs({"targets": targets, "seal": "sha256:0"})
    lines = (tmp_path / "outputs").read_text().splitlines()
    assert [line.partition("=")[0] for line in lines] == ["targets", "seal"]
    assert json.loads(lines[0].partition("=")[2]) == targets


def test_a_candidate_is_written_down_whole(pipeline: Pipeline) -> None:
    (target,) = pipeline.plan(pipeline.event("/backport release/1.1"))
    pipeline.pick(target.id)
    picked = pipeline.folder.read_pick(target.id)
    assert picked is not None
    assert isinstance(picked.made.value, Candidate)
    assert [rung.won for rung in picked.made.value.rungs] == [False, False, True]

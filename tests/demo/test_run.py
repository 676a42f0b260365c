"""The demo itself: real releases, real kernels in Triton's interpreter or on a GPU, HTTP, git and webhooks for real."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator

import pytest
import requests
from github.GithubException import GithubException

from bot.demo import run
from bot.demo.scenario import BOT, REPOSITORY, DemoRun, start_demo
from bot.errors import NoDevice
from bot.models import Failed, NotAffected, Opened, Verdict
from bot.report.json_data import target_to_json

pytestmark = [
    pytest.mark.skipif(platform.system() != "Linux", reason="Triton runs on Linux; the demo says so elsewhere"),
    pytest.mark.long,
]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoRun]:
    """The demo's stage with its comment asked and answered once."""
    with start_demo(tmp_path_factory.mktemp("demo")) as running:
        running.ask(f"/backport {' '.join(running.branches)}")
        yield running


def test_every_branch_ends_as_it_must(stage: DemoRun) -> None:
    assert run.is_as_expected(stage.results[0], stage.heads())


def test_the_data_for_scripts_says_how_each_branch_ended(stage: DemoRun) -> None:
    rows = {row["branch"]: row for row in map(target_to_json, stage.results[0])}
    outline = {
        str(branch).removeprefix("release/v"): (row["status"], row["method"], row["verdict"], row["candidate_failed"])
        for branch, row in rows.items()
    }
    assert outline == {
        "0.5.9": ("not-affected", None, None, None),
        "0.5.10": ("opened", "carried-patch", "proven", 0),
        "0.5.11": ("opened", "carried-patch", "proven", 0),
        "0.5.12": ("opened", "cherry-pick", "proven", 0),
    }
    assert rows["release/v0.5.12"]["fidelity"] == "exact"
    for branch in ("release/v0.5.10", "release/v0.5.11", "release/v0.5.12"):
        assert rows[branch]["base_failed"]
        assert rows[branch]["device"]
    json.dumps(list(rows.values()))


def _verdict(stage: DemoRun, branch: str) -> Verdict:
    (verdict,) = [end.verdict for end in stage.results[0] if isinstance(end, Opened) and end.target == branch]
    assert verdict is not None
    return verdict


def test_what_is_declared_to_fail_still_does(stage: DemoRun) -> None:
    known_failures = _verdict(stage, "release/v0.5.12").known_failures
    assert known_failures
    assert all(known_failure.still_fails for known_failure in known_failures)


@pytest.mark.parametrize(
    ("case", "figures"),
    [
        ("decode-replay-ctx64-page16-full", {"past_end": "240", "numel": "16", "needed": "256"}),
        ("decode-mla-replay-ctx64-page16-full", {"past_end": "240", "numel": "16", "needed": "256"}),
        ("decode-replay-ctx200-page64-full", {"past_end": "784", "numel": "16", "needed": "800"}),
        ("decode-replay-ctx64-page1-full", {"past_end": "0", "numel": "256", "needed": "256"}),
    ],
)
def test_the_overflow_is_counted_to_the_element(stage: DemoRun, case: str, figures: dict[str, str]) -> None:
    cases = {case.name: case for case in _verdict(stage, "release/v0.5.12").base.cases}
    result = cases[f"test_token_indices::test_writes_stay_inside_and_are_right[{case}]"]
    assert {name: result.figures[name] for name in figures} == figures
    if figures["past_end"] != "0":
        assert f"{figures['past_end']} elements past the end of cuda_graph_kv_indices (16 elements)" in result.message


def test_the_unaffected_branch_is_told_why(stage: DemoRun) -> None:
    unaffected = stage.results[0][0]
    assert isinstance(unaffected, NotAffected)
    assert "max_context_len" in unaffected.check.reason


def test_one_comment_and_two_reactions_answer_the_request(stage: DemoRun) -> None:
    issue = stage.maintainer.get_repo(REPOSITORY).get_issue(stage.original)
    request_comment, answer = list(issue.get_comments())[:2]
    assert answer.user.login == BOT
    assert all(branch in answer.body for branch in stage.branches)
    assert {reaction.content for reaction in request_comment.get_reactions()} == {"eyes", "rocket"}


def test_each_pull_request_shows_what_was_measured(stage: DemoRun) -> None:
    opened_items = [outcome for outcome in stage.results[0] if isinstance(outcome, Opened)]
    repository = stage.maintainer.get_repo(REPOSITORY)
    for result in opened_items:
        pull = repository.get_pull(result.pull_request.number)
        assert "elements past the end before, 0 after" in pull.body
        assert "Triton interpreter" in pull.body or "NVIDIA" in pull.body or "AMD" in pull.body
        assert "max_kv_len" in pull.body
        assert pull.head.ref == f"backport/{stage.original}-to-{result.target.replace('/', '-')}"
        assert [file.filename for file in pull.get_files()] == ["python/sglang/srt/layers/attention/aiter_backend.py"]
        commit = repository.get_commit(pull.head.sha).commit
        assert commit.author.name == "xiaobochen-amd"
        assert "(cherry picked from commit " in commit.message


def test_the_pages_are_there_for_a_browser(stage: DemoRun) -> None:
    page = requests.get(stage.page, timeout=60)
    assert page.status_code == 200
    assert "release/v0.5.12" in page.text


def test_asking_again_opens_nothing_new(stage: DemoRun) -> None:
    before = stage.heads()
    second_result = stage.ask(f"/backport {' '.join(stage.branches)}")
    assert stage.heads() == before
    assert [result.created for result in second_result if isinstance(result, Opened)] == [False] * 3


def test_an_edited_comment_asks_for_nothing(stage: DemoRun) -> None:
    issue = stage.maintainer.get_repo(REPOSITORY).get_issue(stage.original)
    comment = issue.create_comment("Looks good.")
    comment.edit("/backport release/v0.5.12 --redo")
    stage.fake_github.wait_for_deliveries(timeout=30)
    assert stage.service.wait_until_idle(60)
    assert list(comment.get_reactions()) == []


def test_a_result_that_is_not_what_the_facts_say_fails_the_demo(stage: DemoRun) -> None:
    results = list(stage.results[0])
    assert not run.is_as_expected(results[:-1], stage.heads())
    assert not run.is_as_expected(results, {})
    results[0] = Failed(target="release/v0.5.9", message="Not so.", hint="Look.")
    assert not run.is_as_expected(results, stage.heads())


def test_the_fake_refuses_what_github_refuses(stage: DemoRun) -> None:
    with pytest.raises(GithubException) as caught:
        stage.maintainer.get_repo(REPOSITORY).get_branch("release/v9")
    assert caught.value.status == 404


def test_without_triton_the_demo_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    with pytest.raises(NoDevice, match="Darwin"):
        run.show_demo(as_json=True, serve=False, device="auto")


def test_a_sync_after_the_comment_finds_nothing_left_to_open(stage: DemoRun) -> None:
    before = stage.heads()
    (unaffected,) = stage.sync()
    assert unaffected.target == "release/v0.5.9"
    assert isinstance(unaffected, NotAffected)
    assert "max_context_len" in unaffected.check.reason
    assert stage.heads() == before
    assert len(stage.tracking_pages()) == len(stage.branches)

"""What a backport pull request says about the workflows of its branch. They are read where the branch has them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.config import load_config, parse_config
from tests.pipeline.landing import unproven, write
from tests.pipeline.office import REPOSITORY, Office, with_pick

ASK = "/backport release/1.2"
MAIN_ONLY = "name: PR Test\non: {pull_request: {branches: [main]}}\njobs: {}\n"
WORKFLOWS = {
    ".github/workflows/lint.yml": "name: Lint\non: [push, pull_request]\njobs: {}\n",
    ".github/workflows/pr-test.yml": MAIN_ONLY,
    ".github/workflows/pr-docs.yml": "on: {pull_request: {paths: ['docs/**']}}\njobs: {}\n",
    ".github/workflows/nightly.yml": "name: Nightly\non: {schedule: [{cron: '1 1 * * *'}]}\njobs: {}\n",
    ".github/workflows/labeled.yml": "name: Labeled\non: {pull_request: {types: [labeled]}}\njobs: {}\n",
    ".github/workflows/broken.yml": "name: Broken\non: [pull_request",
    ".github/workflows/hostile.yml": "name: '@mia <b>](https://x) Fixes #1'\non: pull_request\njobs: {}\n",
}


def body(office: Office, settings: str = "", files: dict[str, str] = WORKFLOWS) -> str:
    write(office, "release/1.2", files, "Its workflows")
    config = parse_config(f"repository: {REPOSITORY}\nprove: {{device: cpu}}\n{settings}")
    replace(office, context=with_pick(office.context, config=config)).say(ASK)
    (pull,) = office.backports()
    return str(pull.body)


def checks(text: str) -> str:
    return text.partition("### Checks on this branch\n")[2].partition("\n###")[0].partition("<details>")[0].strip()


def test_the_body_says_what_starts_and_what_does_not(office: Office) -> None:
    text = checks(body(office))
    starting, other_names = text.split("These do not: ")
    assert "`lint.yml` (Lint)" in starting
    assert "`hostile.yml`" in starting
    assert "`pr-test.yml` (PR Test; for `main`)" in other_names
    assert "`pr-docs.yml` (for other files)" in other_names
    for unknown in ("nightly", "labeled", "broken"):
        assert unknown not in text
    for active in ("@mia", "<b>", "](https://x)", "Fixes #1"):
        assert active not in text
    assert "only test" not in text


def test_where_none_of_the_tests_starts_the_proof_is_the_only_one(office: Office) -> None:
    text = checks(body(office, 'publish: {test_workflows: ["pr-test*.yml"]}'))
    assert text.startswith("By the workflow files of `release/1.2` these do not start here: `pr-test.yml`")
    assert text.endswith("So before the merge the proof above is the only test of this change.")


def test_nothing_is_concluded_from_a_file_that_cannot_be_read(office: Office) -> None:
    text = checks(body(office, 'publish: {test_workflows: ["pr-test.yml", broken.yml]}'))
    assert "`pr-test.yml`" in text
    assert "only test" not in text


@pytest.mark.parametrize("files", [{".github/workflows/a.yml": "on: ["}, {"docs/a.md": "No workflow.\n"}])
def test_where_nothing_is_known_nothing_is_said(office: Office, files: dict[str, str]) -> None:
    assert "Checks on this branch" not in body(office, files=files)


def test_a_workflow_that_the_backport_itself_changes_counts_as_it_will_be(office: Office) -> None:
    write(office, "release/1.2", {".github/workflows/pr-test.yml": MAIN_ONLY}, "Its workflow")
    fix = {".github/workflows/pr-test.yml": MAIN_ONLY.replace("[main]", "['release/*']")}
    write(office, "main", {".github/workflows/pr-test.yml": MAIN_ONLY}, "Its workflow")
    picked_commit = write(office, "main", fix, "Test release branches")
    office.fake_github.seed_pull_request(
        REPOSITORY, number=13, title="Test release branches", author="ann", head="t", merged_by="mia",
        merge_commit_sha=picked_commit,
    )  # fmt: skip
    unproven(office, "publish: {draft_note: '`gate.yml` fails on drafts.'}").say(f"{ASK} --draft", on=13)
    (pull,) = office.backports()
    assert pull.draft
    text = checks(pull.body)
    assert text.startswith("By the workflow files of `release/1.2` these start here: `pr-test.yml` (PR Test).")
    assert text.endswith("`gate.yml` fails on drafts.")


def test_what_is_proven_opens_ready_and_with_the_labels_that_sglang_s_gate_wants(office: Office) -> None:
    shipped = load_config(Path(__file__).parents[2] / "backport.yaml")
    settings = f"labels: {list(shipped.labels)}\npublish: {{draft_note: {shipped.publish.draft_note!r}}}"
    assert "drafts" not in checks(body(office, settings))
    (pull,) = office.backports()
    assert not pull.draft
    assert {label.name for label in pull.labels} >= {"cherry-pick", "run-ci"}

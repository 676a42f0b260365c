"""The words about a branch's own workflows."""

from __future__ import annotations

from bot.models import BranchChecks, WorkflowStart
from bot.report.branch_checks import render_checks

LINT = WorkflowStart(file="lint.yml", name="Lint", starts=True)
TEST = WorkflowStart(file="pr-test.yml", name="", starts=False, only_for=("main", "a", "b", "c|`d"))


def test_a_pull_request_of_a_run_s_own_token_starts_nothing() -> None:
    text = render_checks(BranchChecks(workflows=(LINT, TEST), own_token=True), branch="v1", proven=True)
    reason, conclusion = text
    assert reason.startswith("None of this branch's workflows starts here, because the token of a workflow run opened")
    assert conclusion == "So before the merge the proof above is the only test of this change."


def test_without_a_proof_and_a_workflow_nothing_tests_the_change() -> None:
    text = render_checks(BranchChecks(workflows=(TEST,)), branch="v1", proven=False)
    assert text == [
        "By the workflow files of `v1` these do not start here: `pr-test.yml` (for `main`, `a`, `b`, …).",
        "So before the merge nothing tests this change.",
    ]


def test_long_lists_are_cut() -> None:
    workflows = tuple(WorkflowStart(file=f"{number}.yml", name="", starts=True) for number in range(30))
    (said,) = render_checks(BranchChecks(workflows=workflows), branch="v1", proven=True)
    assert said.endswith("`19.yml`, and 10 more.")


def test_the_note_is_for_drafts_alone_and_no_markup() -> None:
    checks = BranchChecks()
    assert render_checks(checks, branch="v1", proven=True, draft_note="x") == []
    (said,) = render_checks(checks, branch="v1", proven=True, draft=True, draft_note="`a.yml` fails <b> @mia")
    assert said.startswith("`a.yml` fails ")
    assert "<b>" not in said
    assert "@mia" not in said

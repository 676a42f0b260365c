"""`--with-companions` over the whole line: further commits, each proven by its own suite, in one pull request.

The ring of the small project has two companions: #8 names its default width and was merged, #12 was not. Both are
written here, beside the patch whose suite and rules the office has.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from bot.carried.load import load_patches
from bot.models import Method, NotProven, Opened, VerdictOutcome
from tests.pipeline.landing import write
from tests.pipeline.office import REPOSITORY, Office, git, with_pick

_SUITE = """
import os
from pathlib import Path


def test_the_line_is_there():
    assert {line!r} in Path(os.environ["SUITE_TARGET"], "widget", "ring.py").read_text()
"""


def write_companion(folder: Path, number: int, line: str, *, proves: str = "") -> None:
    """Write the patch that puts a line before the class, and the suite that looks for it, or for something else."""
    document = {
        "provenance": {
            "original": {
                "repository": REPOSITORY,
                "pull_request": number,
                "title": f"Add {line.split(maxsplit=1)[0]}",
                "author": "otto",
            },
            "summary": f"{line} was missing.",
        },
        "target": {
            "project": "widget",
            "roots": ["."],
            "package": "widget",
            "files": {"ring": {"path": "widget/ring.py", "defines": "class Ring"}},
        },
        "functions": {"allocate": {"file": "ring", "class": "Ring", "name": "allocate"}},
        "rules": {"line": {"file": "ring", "says": f"{line} is there", "rule": {"pattern": line}}},
        "detect": [
            {"status": "fixed", "when": [{"some": "line"}], "reason": "It is there."},
            {"status": "affected", "when": [{"none": "line"}], "reason": "It is missing."},
        ],
        "steps": [
            {
                "name": "add-the-line",
                "function": "allocate",
                "expect": "exactly 1",
                "edits": [
                    {
                        "rule": {
                            "kind": "expression_statement",
                            "has": {"pattern": "self.entries = $_", "stopBy": "end"},
                        },
                        "insert-before": line + "\n",
                    }
                ],
            }
        ],
        "suite": {"timeout": 60},
    }
    home = folder / f"widget-{number}"
    (home / "suite").mkdir(parents=True)
    (home / "patch.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    (home / "suite" / "test_line.py").write_text(_SUITE.format(line=proves or line), encoding="utf-8")


@pytest.fixture
def patches(tmp_path: Path) -> Path:
    """The office's patch with two companions beside it."""
    folder = tmp_path / "patches"
    shutil.copytree(Path(__file__).parent / "patches", folder)
    file = folder / "widget-7" / "patch.yaml"
    document = yaml.safe_load(file.read_text())
    document["companions"] = [
        {"patch": "widget-8", "reason": "The width is lost.", "needed_on": "1.2"},
        {"patch": "widget-12", "reason": "The count is lost.", "needed_on": "1.2"},
    ]
    file.write_text(yaml.safe_dump(document))
    write_companion(folder, 8, "self.unit = width")
    write_companion(folder, 12, "self.count = slots")
    return folder


@pytest.fixture
def accompanied(office: Office, patches: Path) -> Office:
    """The office with these patches, and #8 merged into main by ann."""
    git(office.git_dir, "branch", "topic-8", "pull-9")
    tree = git(office.git_dir, "rev-parse", "main^{tree}")
    merged = git(office.git_dir, "commit-tree", tree, "-p", "main", "-m", "Keep the unit (#8)")
    git(office.git_dir, "update-ref", "refs/heads/main", merged)
    office.fake_github.seed_pull_request(
        REPOSITORY,
        number=8,
        title="Keep the unit",
        author="ann",
        head="topic-8",
        merged_by="mia",
        merge_commit_sha=merged,
    )
    return replace(office, context=with_pick(office.context, patches=load_patches([patches])))


def test_companions_are_commits_of_their_own_on_top_of_the_fix(accompanied: Office) -> None:
    (outcome,) = accompanied.say("/backport release/1.2 --with-companions")
    assert isinstance(outcome, Opened)
    assert outcome.candidate is not None
    assert [companion.patch for companion in outcome.candidate.companions] == ["widget-8", "widget-12"]
    messages = {rung.rung: rung.detail for rung in outcome.candidate.rungs}
    assert messages["companion widget-8"] == "1 step changed widget/ring.py"
    head = accompanied.backports()[0].head.sha
    assert head == outcome.candidate.commit == outcome.candidate.companions[-1].commit
    subjects = git(accompanied.git_dir, "log", "--format=%s", f"release/1.2..{head}").splitlines()
    assert subjects == ["Add self.count (#12)", "Keep the unit (#8)", "Size the ring by entry (#7)"]


def test_each_companion_says_whose_fix_it_is(accompanied: Office) -> None:
    accompanied.say("/backport release/1.2 --with-companions")
    head = accompanied.backports()[0].head.sha
    merged = git(accompanied.git_dir, "show", "--no-patch", "--format=%an%n%B", f"{head}^")
    assert merged.startswith("Ann\nKeep the unit (#8)")
    assert f"(cherry picked from commit {git(accompanied.git_dir, 'rev-parse', 'main')})" in merged
    unmerged = git(accompanied.git_dir, "show", "--no-patch", "--format=%an%n%B", head)
    assert unmerged.startswith("backport-bot\nAdd self.count (#12)")
    assert "cherry picked" not in unmerged
    assert unmerged.endswith("Co-authored-by: otto <otto@users.noreply.github.com>")
    assert "by the carried patch widget-12" in unmerged


def merge_unit(office: Office, *messages: str) -> list[str]:
    """Merge #8 as a squash with one message, or as a rebase of two commits, of which the first one has the line."""
    ring = git(office.git_dir, "show", "main:widget/ring.py")
    with_line = {"widget/ring.py": f"{ring}\n        self.unit = width\n"}
    files = (with_line, {"docs/unit.md": "The unit.\n"})
    # On another parent than main's, so that a rebase makes other commits of them.
    git(office.git_dir, "branch", "topic-8", "pull-7")
    for branch in ("topic-8", "main"):
        commits = [write(office, branch, *one) for one in zip(files, messages, strict=False)]
    office.fake_github.seed_pull_request(
        REPOSITORY,
        number=8,
        title="Keep the unit",
        author="ann",
        head="topic-8",
        merged_by="mia",
        merge_commit_sha=commits[-1],
    )
    return commits


@pytest.fixture
def with_companions(office: Office, patches: Path) -> Office:
    """The office with these patches."""
    return replace(office, context=with_pick(office.context, patches=load_patches([patches])))


def test_a_companion_whose_original_applies_comes_as_its_own_commit(with_companions: Office) -> None:
    (original,) = merge_unit(with_companions, "Keep the unit (#8)\n\nIt was lost.\n\nFixes #3")
    (outcome,) = with_companions.say("/backport release/1.2 --with-companions")
    assert isinstance(outcome, Opened)
    assert outcome.candidate is not None
    first, second = outcome.candidate.companions
    assert (first.method, second.method) == (Method.CHERRY_PICK, Method.CARRIED_PATCH)
    shown = git(with_companions.git_dir, "show", "--no-patch", "--format=%an %ae%n%B", first.commit)
    assert shown == (
        "Bea bea@widget.example\nKeep the unit (#8)\n\nIt was lost.\n\nFixes (#3)\n\n"
        f"(cherry picked from commit {original})"
    )
    details = {rung.rung: rung.detail for rung in outcome.candidate.rungs}
    assert details["companion widget-8"] == "its original applies, exact"
    body = with_companions.backports()[0].body
    lines = [line for line in body.splitlines() if "`widget-8`: " in line or "`widget-12`: " in line]
    assert [line.rpartition(", ")[2] for line in lines] == ["its original's own commit", "by the carried patch"]


def test_a_companion_of_several_commits_comes_whole(with_companions: Office) -> None:
    commits = merge_unit(with_companions, "Keep the unit", "Describe the unit")
    (outcome,) = with_companions.say("/backport release/1.2 --with-companions")
    assert isinstance(outcome, Opened)
    assert outcome.candidate is not None
    log = git(with_companions.git_dir, "log", "--reverse", "--format=%B", f"release/1.2..{outcome.candidate.commit}")
    assert [f"(cherry picked from commit {commit})" in log for commit in commits] == [True, True]
    assert outcome.candidate.files == ("docs/unit.md", "widget/ring.py")


def test_a_companion_whose_original_conflicts_is_carried_by_rules(with_companions: Office) -> None:
    """release/1.1 lacks the lines beside which the original puts its own."""
    (original,) = merge_unit(with_companions, "Keep the unit (#8)")
    (outcome,) = with_companions.say("/backport release/1.1 --with-companions")
    assert isinstance(outcome, Opened)
    assert outcome.candidate is not None
    assert [companion.method for companion in outcome.candidate.companions] == [Method.CARRIED_PATCH] * 2
    shown = git(with_companions.git_dir, "show", "--no-patch", "--format=%B", outcome.candidate.companions[0].commit)
    assert "by the carried patch widget-8" in shown
    assert f"(cherry picked from commit {original})" in shown


def test_a_companion_whose_original_does_not_mend_the_branch_is_carried_by_rules(with_companions: Office) -> None:
    write(with_companions, "topic-8", {"docs/unit.md": "The unit.\n"}, "Describe the unit (#8)", onto="main")
    git(with_companions.git_dir, "update-ref", "refs/heads/main", "topic-8")
    with_companions.fake_github.seed_pull_request(
        REPOSITORY,
        number=8,
        title="Describe the unit",
        author="ann",
        head="topic-8",
        merged_by="mia",
        merge_commit_sha=git(with_companions.git_dir, "rev-parse", "topic-8"),
    )
    (outcome,) = with_companions.say("/backport release/1.2 --with-companions")
    assert isinstance(outcome, Opened)
    assert outcome.candidate is not None
    assert outcome.candidate.companions[0].method is Method.CARRIED_PATCH
    assert outcome.candidate.files == ("widget/ring.py",)


def test_the_suites_of_all_run_and_the_pull_request_tells_of_all(accompanied: Office) -> None:
    (outcome,) = accompanied.say("/backport release/1.2 --with-companions")
    assert isinstance(outcome, Opened)
    assert outcome.verdict is not None
    suites = {case.name.partition(".")[0] for case in outcome.verdict.candidate.cases}
    assert suites == {"widget-7", "widget-8", "widget-12"}
    body = accompanied.backports()[0].body
    assert "`widget-8`: Add self.unit" in body
    assert "Belongs with this fix" not in body


def test_without_being_asked_for_companions_are_only_named(accompanied: Office) -> None:
    (outcome,) = accompanied.say("/backport release/1.2")
    assert isinstance(outcome, Opened)
    assert outcome.candidate is not None
    assert outcome.candidate.companions == ()
    body = accompanied.backports()[0].body
    assert "Belongs with this fix" in body
    assert "widget-8: The width is lost." in body


def test_a_companion_that_its_suite_does_not_prove_opens_nothing(accompanied: Office, patches: Path) -> None:
    shutil.rmtree(patches / "widget-12")
    write_companion(patches, 12, "self.count = slots", proves="class Ring")
    unproven = replace(accompanied, context=with_pick(accompanied.context, patches=load_patches([patches])))
    (result,) = unproven.say("/backport release/1.2 --with-companions")
    assert isinstance(result, NotProven)
    assert result.verdict.outcome is VerdictOutcome.NOT_REPRODUCED
    assert result.verdict.reason.startswith("widget-12: ")
    assert accompanied.backports() == []


@pytest.mark.parametrize(("on", "says"), [(9, "there is none for this pull request"), (7, "names none")])
def test_companions_that_cannot_come_along_are_told(office: Office, on: int, says: str) -> None:
    office.say("/backport release/1.2 --with-companions --dry-run", on=on)
    (answer,) = office.answers(on)
    assert "`--with-companions` brings nothing along here: " in answer
    assert says in answer


def test_without_the_option_nothing_is_said_of_companions(office: Office) -> None:
    office.say("/backport release/1.2 --dry-run", on=9)
    assert "companions" not in office.answers(9)[0]

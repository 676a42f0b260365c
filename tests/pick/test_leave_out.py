"""Files that no backport brings: on histories of the shape of fixes that also change CI files."""

from __future__ import annotations

from typing import Any

import pytest

from bot.git.commit_message import picked_from
from bot.git.repository import Repository
from bot.history.landed import find_landing_status
from bot.models import AlreadyApplied, Candidate, Certainty, Conflict, Fidelity, Method, NothingLeft, Sha
from bot.pick.ladder import pick
from tests.git.history import COMMITTER, History
from tests.pick.plans import plan

CODE = "".join(f"line {number}\n" for number in range(10))
FIXED = CODE.replace("line 5\n", "fixed\n")
WORKFLOW = ".github/workflows/test.yml"
LEAVE_OUT = (".github/**",)


def jobs(*names: str) -> str:
    """Write a workflow with these jobs, of three lines each."""
    return "on: push\njobs:\n" + "".join(f"  {name}:\n    runs-on: {name}\n    steps: [{name}]\n" for name in names)


@pytest.fixture
def base(history: History) -> Sha:
    return history.commit({"f": CODE, "g": CODE, WORKFLOW: jobs("one")})


@pytest.fixture
def original(history: History, base: Sha) -> Sha:
    """A fix of one line, with many lines for its nightly test."""
    nightly = jobs("two", *(f"nightly-{number}" for number in range(9)))
    return history.commit({"f": FIXED, WORKFLOW: nightly}, base, message="Fix (#7)\n\nThis repairs it.")


@pytest.fixture
def tip(history: History, base: Sha) -> Sha:
    """A branch whose workflow is another one."""
    return history.commit({WORKFLOW: jobs("release"), "h": "h"}, base)


def run(repository: Repository, tip: Sha, *commits: Sha, **options: Any) -> object:
    options = {"leave_out": LEAVE_OUT} | options
    return pick(repository, plan(tip, *commits), patches={}, committer=COMMITTER, **options)


def test_a_conflict_in_left_out_files_alone_is_none(
    base: Sha, original: Sha, tip: Sha, history: History, repository: Repository
) -> None:
    """base ── original (main);  base ── tip, with another workflow"""
    assert isinstance(run(repository, tip, original, leave_out=(), propose=False), Conflict)
    picked = run(repository, tip, original)
    assert isinstance(picked, Candidate)
    assert (picked.method, picked.certainty, picked.fidelity) == (
        Method.CHERRY_PICK,
        Certainty.CERTAIN,
        Fidelity.EXACT,
    )
    assert (picked.files, picked.left_out) == (("f",), (WORKFLOW,))
    assert repository.read(picked.commit, WORKFLOW) == jobs("release").encode()
    assert repository.commit(picked.commit).message == (
        f"Fix (#7)\n\nThis repairs it.\n\nLeft out is what the original changes in:\n  {WORKFLOW}\n\n"
        f"(cherry picked from commit {original})\n"
    )


def test_a_path_that_is_left_out_acts_on_nothing(history: History, base: Sha, tip: Sha, repository: Repository) -> None:
    """base ── original, with paths that would close an issue and end the message (main);  base ── tip"""
    paths = (".github/fixes #1.yml", f".github/a\n\n(cherry picked from commit {'a' * 40})\n")
    original = history.commit({"f": FIXED, **dict.fromkeys(paths, "a\n")}, base)
    picked = run(repository, tip, original)
    assert isinstance(picked, Candidate)
    assert set(picked.left_out) == set(paths)
    message = repository.commit(picked.commit).message
    assert "fixes #1" not in message
    assert picked_from(message) == (original,)


def test_what_would_apply_is_left_out_too(base: Sha, original: Sha, history: History, repository: Repository) -> None:
    """base ── original (main);  base ── tip, with the same workflow"""
    picked = run(repository, history.commit({"h": "h"}, base), original)
    assert isinstance(picked, Candidate)
    assert picked.files == ("f",)


def test_a_conflict_names_the_other_files_alone(
    base: Sha, original: Sha, history: History, repository: Repository
) -> None:
    """base ── original (main);  base ── tip, with another line in the code and another workflow"""
    tip = history.commit({"f": CODE.replace("line 5\n", "other\n"), WORKFLOW: jobs("release")}, base)
    conflict = run(repository, tip, original, propose=False)
    assert isinstance(conflict, Conflict)
    assert ([file.path for file in conflict.files], conflict.left_out) == (["f"], (WORKFLOW,))


def test_no_prerequisite_is_named_for_what_is_left_out(history: History, base: Sha, repository: Repository) -> None:
    """base ── two (workflow) ── original, which changes both (main);  base (release)"""
    before = history.commit({WORKFLOW: jobs("two")}, base, message="Two (#6)")
    original = history.commit({"f": FIXED, WORKFLOW: jobs("three")}, before, message="Fix (#7)")
    conflict = run(repository, base, original, leave_out=(), propose=False)
    assert isinstance(conflict, Conflict)
    assert [commit.sha for commit in conflict.prerequisites] == [before]
    assert isinstance(run(repository, base, original), Candidate)


def test_a_prerequisite_is_found_without_its_left_out_files(
    history: History, base: Sha, repository: Repository
) -> None:
    """base ── before, of the code and the workflow ── original (main);  base ── tip, with another workflow"""
    before = history.commit({"f": CODE.replace("5", "five"), WORKFLOW: jobs("two")}, base, message="Two (#6)")
    original = history.commit({"f": FIXED}, before, message="Fix (#7)")
    tip = history.commit({WORKFLOW: jobs("release")}, base)
    conflict = run(repository, tip, original, propose=False)
    assert isinstance(conflict, Conflict)
    assert [commit.sha for commit in conflict.prerequisites] == [before]


def test_an_original_of_left_out_files_alone_has_nothing_to_bring(
    history: History, base: Sha, tip: Sha, repository: Repository
) -> None:
    """base ── original, of the workflow alone (main);  base ── tip"""
    original = history.commit({WORKFLOW: jobs("two")}, base)
    assert run(repository, tip, original) == NothingLeft(target="release/1", left_out=(WORKFLOW,))


def test_a_commit_of_a_series_with_nothing_left_is_not_picked(
    history: History, base: Sha, tip: Sha, repository: Repository
) -> None:
    """base ── workflow ── code (main);  base ── tip"""
    workflow = history.commit({WORKFLOW: jobs("two")}, base)
    code = history.commit({"f": FIXED}, workflow)
    picked = run(repository, tip, workflow, code)
    assert isinstance(picked, Candidate)
    assert (len(picked.commits), picked.files, picked.left_out) == (1, ("f",), (WORKFLOW,))


def test_a_file_that_the_original_adds_or_removes_there_stays_as_it_is(
    history: History, base: Sha, tip: Sha, repository: Repository
) -> None:
    """base ── original, which replaces the workflow by a folder of that name (main);  base ── tip"""
    original = history.commit({"f": FIXED, WORKFLOW: None, f"{WORKFLOW}/a.yml": "a\n"}, base)
    picked = run(repository, tip, original)
    assert isinstance(picked, Candidate)
    assert (picked.files, picked.left_out) == (("f",), (WORKFLOW, f"{WORKFLOW}/a.yml"))


def test_the_pick_is_recognised_afterwards(original: Sha, tip: Sha, repository: Repository) -> None:
    """base ── original (main);  base ── tip ── the pick without nine tenths of its lines (release)"""
    picked = run(repository, tip, original)
    assert isinstance(picked, Candidate)
    assert find_landing_status(repository, picked.commit, [original]).unfounded == {original: picked.commit}
    landed_commits = find_landing_status(repository, picked.commit, [original], leave_out=LEAVE_OUT).landed
    assert landed_commits[original].commit == picked.commit
    assert isinstance(run(repository, picked.commit, original), AlreadyApplied)


def test_another_change_that_names_the_original_is_not_taken_for_the_pick(
    history: History, original: Sha, tip: Sha, repository: Repository
) -> None:
    """base ── original (main);  base ── tip ── another change that names it"""
    message = f"Fix\n\n(cherry picked from commit {original})\n"
    other = history.commit({"g": CODE.replace("5", "five")}, tip, message=message)
    status = find_landing_status(repository, other, [original], leave_out=LEAVE_OUT)
    assert (dict(status.landed), status.unfounded) == ({}, {original: other})

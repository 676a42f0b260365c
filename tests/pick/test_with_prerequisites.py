"""Prerequisites brought along: they come first, and what comes of the originals is what was offered."""

from __future__ import annotations

import pytest

from bot.git.commit_message import picked_from
from bot.git.repository import Repository
from bot.models import AlreadyApplied, Candidate, Certainty, Conflict, Method, NothingLeft, Sha, TargetPlan
from bot.pick.ladder import pick
from bot.pick.partial_commit import part_message
from bot.pick.with_prerequisites import bring_prerequisites
from tests.git.history import COMMITTER, History
from tests.pick.missing import swept, ten_lines, with_rest
from tests.pick.plans import plan


def _bring(repository: Repository, planned: TargetPlan) -> tuple[Conflict, Candidate]:
    def run_ladder(plan: TargetPlan, /, *, propose: bool = True) -> Candidate | Conflict | AlreadyApplied | NothingLeft:
        return pick(repository, plan, patches={}, committer=COMMITTER, propose=propose)

    conflict = run_ladder(planned)
    assert isinstance(conflict, Conflict)
    candidate = bring_prerequisites(repository, planned, conflict, COMMITTER, run_ladder)
    assert isinstance(candidate, Candidate)
    return conflict, candidate


@pytest.mark.parametrize("added", [0, 30])
def test_what_conflicts_after_them_is_resolved_as_surely_as_was_said(
    history: History, repository: Repository, added: int
) -> None:
    tip, near_commit, original = with_rest(history, added_lines=added)
    conflict, candidate = _bring(repository, plan(tip, original))
    assert (candidate.certainty, candidate.method) == (conflict.rest, Method.RESOLVED)
    assert [resolution.path for resolution in candidate.resolutions] == ["new.py"]
    assert [commit.sha for commit in candidate.prerequisites] == [near_commit]
    first, last = candidate.commits
    assert (candidate.base_commit, candidate.commit) == (tip, last)
    assert repository.commit(last).parents == (first,)
    assert repository.commit(first).parents == (tip,)
    assert near_commit in repository.commit(first).message
    assert repository.read(last, "f") == ten_lines(l3="fixed").encode()
    assert repository.read(last, "new.py") is None


def test_a_prerequisite_is_resolved_only_where_that_is_certain(history: History, repository: Repository) -> None:
    """base ── notes ── near, which edits the notes, too ── original (main); base ── tip (release)

    The notes are too large a commit to be brought along.
    """
    notes = "".join(f"- change {number}\n" for number in range(40))
    base = history.commit({"f": ten_lines(), "g": "g\n"})
    adding = history.commit({"notes": notes, **{f"many/{number}": "x\n" for number in range(50)}}, base)
    near_commit = history.commit({"f": ten_lines(l3="near"), "notes": f"{notes}- near\n"}, adding)
    original = history.commit({"f": ten_lines(l3="fixed")}, near_commit)
    conflict, candidate = _bring(repository, plan(history.commit({"g": "G\n"}, base), original))
    assert (conflict.rest, candidate.certainty, candidate.method) == (
        Certainty.CERTAIN,
        Certainty.CERTAIN,
        Method.RESOLVED,
    )
    assert [(resolution.path, resolution.result) for resolution in candidate.resolutions] == [("notes", None)]
    assert candidate.files == ("f",)


def test_where_all_of_it_applies_nothing_is_resolved(history: History, repository: Repository) -> None:
    base = history.commit({"f": ten_lines()})
    near_commit = history.commit({"f": ten_lines(l3="near")}, base)
    original = history.commit({"f": ten_lines(l3="fixed")}, near_commit)
    conflict, candidate = _bring(repository, plan(history.commit({"x": "x"}, base), original))
    assert (conflict.rest, candidate.method, candidate.resolutions) == (None, Method.CHERRY_PICK, ())
    assert len(candidate.commits) == 2


def test_part_of_a_sweep_says_what_it_is_and_does_not_count_as_the_sweep(
    history: History, repository: Repository
) -> None:
    tip, sweep, original = swept(history)
    conflict, candidate = _bring(repository, plan(tip, original))
    assert conflict.prerequisites[0].paths == ("f",)
    assert (candidate.certainty, candidate.files) == (Certainty.PROPOSED, ("code.py", "f"))
    part, last = (repository.commit(sha) for sha in candidate.commits)
    assert part.message == f"Tidy up (#4)\n\nThis is only a part of commit {sweep}, what it changes in:\n  f\n"
    assert repository.changed_paths(tip, part.sha) == ("f",)
    assert picked_from(last.message) == (original,)
    result = pick(repository, plan(last.sha, sweep), patches={}, committer=COMMITTER)
    assert not isinstance(result, AlreadyApplied)


def test_what_the_branch_has_in_another_form_is_no_prerequisite(history: History, repository: Repository) -> None:
    """It would pick again, but as it counts as landed it would not be brought."""
    base = history.commit({"f": ten_lines(), "g": "g\n"})
    near_commit = history.commit({"f": ten_lines(l3="near"), "g": "G\n"}, base)
    original = history.commit({"f": ten_lines(l3="fixed")}, near_commit)
    adapted = history.commit({"g": "G\n"}, base, message=f"Near\n\n(cherry picked from commit {near_commit})\n")
    history.branch("release/1", adapted)
    conflict = pick(repository, plan(adapted, original), patches={}, committer=COMMITTER)
    assert isinstance(conflict, Conflict)
    assert conflict.prerequisites == ()
    reverting = history.commit({"g": "g\n"}, adapted, message=f"Revert\n\nThis reverts commit {adapted}.\n")
    _conflict, candidate = _bring(repository, plan(reverting, original))
    assert [commit.sha for commit in candidate.prerequisites] == [near_commit]


def test_nor_is_it_one_where_the_rest_could_be_resolved(history: History, repository: Repository) -> None:
    tip, near_commit, original = with_rest(history, added_lines=0)
    adapted = history.commit(
        {"f": ten_lines(l3="adapted")}, tip, message=f"Near\n\n(cherry picked from commit {near_commit})\n"
    )
    history.branch("release/1", adapted)
    conflict = pick(repository, plan(adapted, original), patches={}, committer=COMMITTER)
    assert isinstance(conflict, Conflict)
    assert (conflict.prerequisites, conflict.rest) == ((), None)


def test_part_of_a_sweep_does_not_claim_what_the_sweep_was_picked_from() -> None:
    other_text = "a" * 40
    message = f"Tidy up\n\nAll of it.\n\n(cherry picked from commit {other_text})\nSigned-off-by: A <a@example.org>\n"
    assert picked_from(message) == (other_text,)
    part = part_message(message, Sha("b" * 40), ["f", "fixes #1.yml"])
    assert "fixes #1" not in part, "a path is the author's text, too"
    assert picked_from(part) == ()
    assert other_text in part
    assert "Signed-off-by: A <a@example.org>" in part


def test_a_part_is_looked_at_together_with_the_originals(history: History, repository: Repository) -> None:
    """The sweep takes a name away from code.py that is still used there; the original takes the use away."""
    between = "".join(f"VALUE_{number} = {number}\n" for number in range(9))
    many = {f"many/{number}": "x\n" for number in range(50)}
    base = history.commit({"f": ten_lines(), "code.py": f"NAME = 1\n{between}print(NAME)\n", **many})
    dropped_files = {"f": ten_lines(l3="swept"), "code.py": f"{between}print(NAME)\n"}
    sweep = history.commit({**dropped_files, **dict.fromkeys(many, "y\n")}, base)
    original = history.commit({"f": ten_lines(l3="fixed"), "code.py": between}, sweep)
    conflict, candidate = _bring(repository, plan(history.commit({"many/7": "mine\n"}, base), original))
    assert conflict.prerequisites[0].paths == ("code.py", "f")
    assert (candidate.certainty, candidate.findings) == (Certainty.PROPOSED, ())

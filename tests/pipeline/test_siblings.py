"""Branches of one request help each other: newest first, and what history says of earlier backports counts.

release/1.9: old ── …      release/2.0: old, half rewritten      main: old, rewritten whole and renamed ── #20

git finds the renamed file on 2.0, by what is left of it, and no longer on 1.9.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.config import parse_config
from bot.handlers.run_sync import open_missing
from bot.models import Certainty, Conflicted, Failed, Method, Opened, SuiteRun, Verdict, VerdictOutcome
from bot.pick.caches import PickCaches
from bot.pipeline.stand_in import may_stand_in
from tests.pipeline.office import MAINTAINER, REPOSITORY, Office, commit, git, with_pick

OLD, NEW = [f"old line {n}\n" for n in range(30)], [f"rewritten {n}\n" for n in range(30)]


def _file(rewritten: int, size: str) -> str:
    return "".join([*NEW[:rewritten], *OLD[rewritten:], f"size = {size}\n", *OLD[20:]])


@pytest.fixture
def drifting_office(office: Office, tmp_path: Path) -> Office:
    """Add the history above to the small project; what is not proven opens as a draft."""
    checkout = tmp_path / "checkout"
    git(tmp_path, "clone", "--quiet", str(office.git_dir), str(checkout))
    commit(checkout, "Add a table", {"widget/old.py": _file(0, "slots")})
    git(checkout, "branch", "release/1.9")
    commit(checkout, "Rewrite half of the table", {"widget/old.py": _file(13, "slots")})
    git(checkout, "branch", "release/2.0")
    git(checkout, "mv", "widget/old.py", "widget/table.py")
    commit(checkout, "Rewrite the table", {"widget/table.py": _file(26, "slots")})
    commit(checkout, "Size the table (#20)", {"widget/table.py": _file(26, "slots * width")})
    git(checkout, "push", "--quiet", "origin", "release/1.9", "release/2.0", "HEAD:main")
    office.fake_github.seed_pull_request(
        REPOSITORY,
        number=20,
        title="Size the table",
        author="ann",
        head="topic-20",
        merged_by=MAINTAINER,
        merge_commit_sha=git(checkout, "rev-parse", "HEAD"),
    )
    config = parse_config(f"repository: {REPOSITORY}\nprove: {{device: cpu, required: false}}\n")
    return replace(office, context=with_pick(office.context, config=config))


def test_the_older_branch_gets_the_version_made_for_the_newer_one(drifting_office: Office) -> None:
    older, newer = drifting_office.say("/backport release/1.9 release/2.0", on=20)
    assert isinstance(older, Opened)
    assert isinstance(newer, Opened)
    assert (older.target, newer.target) == ("release/1.9", "release/2.0"), "the comment keeps the order asked"
    assert older.candidate is not None
    assert newer.candidate is not None
    assert (newer.candidate.method, older.candidate.method) == (Method.CHERRY_PICK, Method.SIBLING)
    shown_output = git(drifting_office.git_dir, "show", f"{older.candidate.commit}:widget/old.py")
    assert shown_output == _file(0, "slots * width").strip()
    assert "backport to another branch" in drifting_office.answers(20)[0]


def test_only_what_is_certain_and_did_not_fail_its_proof_stands_in_for_the_original(drifting_office: Office) -> None:
    (newer,) = drifting_office.say("/backport release/2.0", on=20)
    assert isinstance(newer, Opened)
    assert newer.candidate is not None
    assert may_stand_in(newer.candidate, newer)
    assert not may_stand_in(replace(newer.candidate, certainty=Certainty.PROPOSED), newer)
    assert not may_stand_in(newer.candidate, Failed(target=newer.target, message="", hint=""))
    run = SuiteRun(tree="", cases=(), device=None, seconds=1.0)
    stands = {
        outcome: may_stand_in(
            newer.candidate, replace(newer, verdict=Verdict(outcome=outcome, reason="", base=run, candidate=run))
        )
        for outcome in VerdictOutcome
    }
    assert {outcome for outcome, stood in stands.items() if stood} == {
        VerdictOutcome.PROVEN,
        VerdictOutcome.INCONCLUSIVE,
        VerdictOutcome.NO_TESTS,
    }


def test_a_scheduled_run_copies_no_proposal_to_the_next_branch(drifting_office: Office, tmp_path: Path) -> None:
    """release/1.8 is like release/1.9, on which the original can only be proposed."""
    git(drifting_office.git_dir, "branch", "release/1.8", "release/1.9")
    policy = "sync: {carried_patches: false, rules: [{pull_requests: [20]}]}"
    config = parse_config(f"repository: {REPOSITORY}\nprove: {{device: cpu, required: false}}\n{policy}\n")
    results = open_missing(
        with_pick(drifting_office.context, config=config), tmp_path / "data", "release/1.[89]"
    ).results
    made = [outcome.candidate for outcome in results if isinstance(outcome, Opened) and outcome.candidate is not None]
    assert [(candidate.branch, candidate.method, candidate.certainty) for candidate in made] == [
        ("release/1.9", Method.RESOLVED, Certainty.PROPOSED),
        ("release/1.8", Method.RESOLVED, Certainty.PROPOSED),
    ]


def test_alone_the_older_branch_gets_no_more_than_a_proposal(drifting_office: Office) -> None:
    (older,) = drifting_office.say("/backport release/1.9", on=20)
    assert isinstance(older, Opened)
    assert older.candidate is not None
    assert (older.candidate.method, older.candidate.certainty) == (Method.RESOLVED, Certainty.PROPOSED)
    assert "from where main has moved that file" in older.candidate.rungs[-1].detail


def test_alone_and_without_proposals_the_older_branch_conflicts(drifting_office: Office) -> None:
    config = parse_config(f"repository: {REPOSITORY}\npick: {{propose: false}}\n")
    cautious = replace(drifting_office, context=with_pick(drifting_office.context, config=config))
    (older,) = cautious.say("/backport release/1.9", on=20)
    assert isinstance(older, Conflicted)


def test_a_backport_that_people_landed_on_a_stable_branch_is_found(drifting_office: Office, tmp_path: Path) -> None:
    """A mirror holds no branches, only commits that were asked for: the stable branches are fetched to be read."""
    checkout = tmp_path / "people"
    git(tmp_path, "clone", "--quiet", "--branch=release/2.0", str(drifting_office.git_dir), str(checkout))
    original = git(checkout, "rev-parse", "origin/main")
    message = f"Size the table\n\n(cherry picked from commit {original})"
    commit(checkout, message, {"widget/old.py": _file(13, "slots * width")})
    git(checkout, "push", "--quiet", "origin", "release/2.0")
    (older,) = drifting_office.say("/backport release/1.9", on=20)
    assert isinstance(older, Opened)
    assert older.candidate is not None
    assert older.candidate.method is Method.SIBLING
    assert git(checkout, "rev-parse", "HEAD")[:12] in older.candidate.rungs[-1].detail


def test_what_was_learned_is_there_for_the_next_process(drifting_office: Office, tmp_path: Path) -> None:
    first = PickCaches.open(tmp_path)
    replace(drifting_office, context=with_pick(drifting_office.context, caches=first)).say(
        "/backport release/1.9", on=20
    )
    second_store = PickCaches.open(tmp_path)
    assert second_store.index.read_tips == first.index.read_tips
    assert len(second_store.index.read_tips) == len(
        [name for name in drifting_office.branches() if name.startswith("release/")]
    )

"""`/backport status` tells what the status comments tell, and what is open by now."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

from bot.config import parse_config
from bot.pipeline.run import RequestRun
from tests.pipeline.landing import open_pull, unproven, write
from tests.pipeline.office import REPOSITORY, Office, git, with_pick


def status(office: Office, on: int) -> list[str]:
    """Ask for the status and return the lines about target branches."""
    office.say("/backport status", on=on)
    return [line for line in office.answers(on)[-1].splitlines() if line.startswith("- ")]


def test_a_branch_that_is_not_proven_is_told(office: Office) -> None:
    config = parse_config(f"repository: {REPOSITORY}\nprove: {{device: cpu, required: always}}\n")
    strict = replace(office, context=with_pick(office.context, config=config))
    strict.say("/backport release/1.2", on=9)
    (row,) = status(strict, 9)
    assert row.startswith("- ⚠️ `release/1.2`: not proven, [see its status comment](")


def conflicting_pull(office: Office) -> int:
    """Merge a pull request that conflicts on release/1.2; return its number."""
    write(office, "main", {"widget/count.py": "COUNT = 1\n"}, "Count")
    write(office, "release/1.2", {"widget/count.py": "COUNT = 5\n"}, "Count otherwise")
    write(office, "topic", {"widget/count.py": "COUNT = 2\n", "widget/new.py": "A = 1\n"}, "Count more", onto="main")
    pull = open_pull(office, "topic", title="Count more")
    pull.merge(merge_method="squash")
    return pull.number


def test_a_conflict_and_an_open_pull_request_are_told(office: Office) -> None:
    number = conflicting_pull(office)
    git(office.git_dir, "update-ref", "refs/heads/release/1.3", "main~1")
    unproven(office).say("/backport release/1.2 release/1.3", on=number)
    conflict, opening = status(office, number)
    assert conflict.startswith("- ❌ `release/1.2`: conflict, ")
    assert opening.startswith("- ✅ `release/1.3`: already open, [#")


def test_the_draft_of_a_conflict_is_told_as_a_conflict(office: Office) -> None:
    number = conflicting_pull(office)
    unproven(office, "publish: {on_conflict: draft}").say("/backport release/1.2", on=number)
    (row,) = status(office, number)
    assert row.startswith("- ❌ `release/1.2`: conflict, open as a draft, ")


def test_a_remembered_request_is_told_until_it_is_cancelled(office: Office) -> None:
    office.say("/backport release/1.0 release/1.1", on=11)
    assert status(office, 11) == [
        "- ⏳ `release/1.0`: remembered until the merge",
        "- ⏳ `release/1.1`: remembered until the merge",
    ]
    office.say("/backport cancel", on=11)
    office.say("/backport status", on=11)
    assert "Nobody has requested" in office.answers(11)[-1]


def test_a_branch_that_is_being_worked_on_is_told(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as dying:
        dying.setattr(RequestRun, "run", lambda *_: sys.exit("killed"))
        with pytest.raises(SystemExit):
            office.say("/backport release/1.2", on=9)
    (row,) = status(office, 9)
    assert row.startswith("- ⏳ `release/1.2`: proving, ")

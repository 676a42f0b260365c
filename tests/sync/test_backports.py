"""Which pull requests into a stable branch are backports of what."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from bot.config import parse_config
from bot.models import ListedPullRequest
from bot.sync.backports import Backports, count_open, find_backports
from bot.text.markers import BackportKey, pull_request_marker
from tests.sync.states import SHA

BRANCHES = {"release/1.0": SHA}
ORIGINAL = "24587ab49e258e079688d30142d8f84518b98482"


def number_of(name: str) -> int | None:
    """Return the pull request of the one commit that there is."""
    return 12 if ORIGINAL.startswith(name) else None


def find(pulls: Mapping[int, ListedPullRequest]) -> Backports:
    """Find the backports among them."""
    return find_backports(pulls, BRANCHES, "main", number_of)


def pull(
    number: int,
    title: str = "",
    *,
    head: str = "topic",
    body: str = "",
    base: str = "release/1.0",
    state: str = "open",
    insider: bool = True,
) -> ListedPullRequest:
    return ListedPullRequest(
        number=number,
        title=title,
        body=body,
        author="ann",
        url="",
        state=state,
        base=base,
        head=head,
        updated=0,
        merged=0,
        merge_commit=None,
        labels=(),
        milestone="",
        insider=insider,
    )


@pytest.mark.parametrize(
    "pull_request",
    [
        pull(20, "Anything", head="backport/12-to-release-1.0"),
        pull(20, "Backport PR #12: Fix"),
        pull(20, "[PR #12/0123456 backport][1.0] Fix"),
        pull(20, "Fix", head="patch", body="Backport of #12"),
        pull(
            20,
            "[Cherry-pick to release/1.0] Sync the changes in #11 (#12)",
            head="cherry-pick/5d4e63d49-to-1.0-0a1b2c3d",
        ),
        pull(20, "Fix", body="**Source PR:** #12 (https://github.com/a/b/pull/12)\n\n*Cherry-picked by hand.*"),
        pull(20, "Fix", head=f"cherry-pick/{ORIGINAL[:9]}-to-1.0-0a1b2c3d"),
        pull(20, "Fix", body=f"(cherry picked from commit {ORIGINAL})"),
        pull(20, "Fix", body=f"Cherry-pick of commit `{ORIGINAL}` to `release/1.0`."),
    ],
    ids=["our branch", "title", "patchback", "body", "workflow", "by hand", "hash in the branch", "git's line", "hash"],
)
def test_a_backport_is_found_by_what_people_and_tools_write(pull_request: ListedPullRequest) -> None:
    assert dict(find({20: pull_request})) == {(12, "release/1.0"): pull_request}


def test_a_hash_that_begins_with_a_number_is_not_that_pull_request() -> None:
    assert dict(find({20: pull(20, "Fix", head="cherry-pick/12ab34cd5-to-1.0-0a1b2c3d")})) == {}


def test_the_newest_counts() -> None:
    pulls = {20: pull(20, "Backport #12", state="closed"), 21: pull(21, "Backport #12")}
    assert find(pulls)[12, "release/1.0"].number == 21


@pytest.mark.parametrize(
    "another_pull", [pull(20, "Fix (#12)"), pull(20, "Backport #12", base="main"), pull(12, "Backport #12")]
)
def test_what_only_mentions_a_number_is_no_backport(another_pull: ListedPullRequest) -> None:
    assert dict(find({another_pull.number: another_pull})) == {}


def test_only_the_bot_s_own_open_ones_take_a_place() -> None:
    marker = pull_request_marker(BackportKey(repository="a/b", commit=SHA, target="release/1.0"))
    pulls = {20: pull(20, body=marker), 21: pull(21, body=marker, state="closed"), 22: pull(22, "Backport #12")}
    assert dict(count_open(pulls, parse_config("repository: a/b\n"))) == {"release/1.0": 1}


@pytest.mark.parametrize("state", ["open", "closed"])
def test_a_stranger_who_says_it_is_a_backport_keeps_none_off(state: str) -> None:
    stranger = pull(20, "Backport of #12", state=state, insider=False)
    assert dict(find({20: stranger})) == {}
    entry = pull(19, "Backport of #12")
    assert find({19: entry, 20: stranger})[12, "release/1.0"] is entry

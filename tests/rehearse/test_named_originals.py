"""How a message names its originals: the words of people and of the common bots."""

from __future__ import annotations

import pytest

from bot.rehearse.named_originals import SourceReference, read_source_reference

SHA = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("message", "commits"),
    [
        (f"Fix\n\n(cherry picked from commit {SHA})\n", {SHA}),
        ("[PR #12/0123456789 backport][3.9] Fix (#14)", {"0123456789"}),
        (
            f"[PR #12/01234567 backport][3.9] Fix\n\n**This is a backport of PR #12 as merged into main\n({SHA}).**",
            {SHA},
        ),
        (f"Fix\n\n(cherry picked from commit {SHA})\n(cherry picked from commit {SHA[::-1]})", {SHA, SHA[::-1]}),
    ],
    ids=["trailer", "patchback title", "patchback title and body", "pick of a pick"],
)
def test_message_names_commits(message: str, commits: set[str]) -> None:
    assert read_source_reference(message) == SourceReference("commit", commits=frozenset(commits))


@pytest.mark.parametrize(
    ("message", "rule", "numbers"),
    [
        ("Merge pull request #9 from meeseeksmachine/auto-backport-of-pr-7-on-v1.x", "merge", {7}),
        ("Merge pull request #9 from ann/backport-7", "merge", {7}),
        ("Merge pull request #9 from k8s-infra-cherrypick-robot/cherry-pick-7-to-release/1.6", "merge", {7}),
        ("Merge pull request #9 from ann/fix\n\nBackport PR #7 on branch v1.x (Fix)", "number", {7}),
    ],
)
def test_merge_names_a_pull_request(message: str, rule: str, numbers: set[int]) -> None:
    assert read_source_reference(message) == SourceReference(rule, numbers=frozenset(numbers))


@pytest.mark.parametrize("title", ["Backport PR #7: Fix it", "Backport of #7 from main", "[1.x] Backport #7 (#9)"])
def test_title_names_a_pull_request(title: str) -> None:
    assert read_source_reference(title) == SourceReference("number", numbers=frozenset({7}))


@pytest.mark.parametrize(
    "message",
    [
        "Fix #7",
        "Support backports in the bot (#7)",
        f"Fix\n\n> (cherry picked from commit {SHA})",
        "Merge pull request #9 from ann/backport-1.2-notes",
    ],
)
def test_other_messages_name_nothing(message: str) -> None:
    assert read_source_reference(message) is None

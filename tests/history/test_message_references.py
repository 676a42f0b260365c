"""What messages claim, in the words that people and tools use."""

from __future__ import annotations

import pytest

from bot.history.message_references import NOTHING, References, own_number, parse_references

SHA = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        pytest.param(f"Fix\n\n(cherry picked from commit {SHA})\n", References(sources=(SHA,)), id="git"),
        pytest.param(f"Fix (cherry picked from commit {SHA})", References(sources=(SHA,)), id="git's line in a title"),
        pytest.param(
            "[PR #12/01234567 backport][3.11] Fix (#13)",
            References(sources=("01234567",), backports=(12,)),
            id="patchback",
        ),
        pytest.param(
            f"Fix (#13)\n\n**This is a backport of PR #12 as merged into main ({SHA}).**",
            References(sources=(SHA,), backports=(12,)),
            id="patchback's body",
        ),
        pytest.param("Backport PR #12 on branch 8.x (Fix) (#13)", References(backports=(12,)), id="Meeseeks"),
        pytest.param(
            "Merge pull request #13 from meeseeksmachine/auto-backport-of-pr-12-on-v5.0.x",
            References(backports=(12,)),
            id="merge of a Meeseeks branch",
        ),
        pytest.param(
            "Merge pull request #13 from robot/cherry-pick-12-to-release/1.7", References(backports=(12,)), id="robot"
        ),
        pytest.param(
            "Merge pull request #13 from ann/backport/12-to-release-1", References(backports=(12,)), id="ours"
        ),
        pytest.param("Merge pull request #13 from ann/bp/7.2.x/12", References(backports=(12,)), id="by hand"),
        pytest.param("Merge pull request #13 from ann/backport-1.2-notes", NOTHING, id="a version in a branch"),
        pytest.param(
            f"Merge pull request #13 from acme/cherry-pick/{SHA[:9]}-to-v1.2-0a1b2c3d",
            References(sources=(SHA[:9],)),
            id="a hash of digits in a branch",
        ),
        pytest.param(
            "Merge pull request #13 from acme/cherry-pick/24587ab49-to-v1.2-0a1b2c3d",
            References(sources=("24587ab49",)),
            id="a hash that begins with digits in a branch",
        ),
        pytest.param(
            "Merge pull request #13 from acme/cherry-pick/12-to-release-1.2", References(backports=(12,)), id="a number"
        ),
        pytest.param("Merge pull request #13 from acme/backport/8.x/pr-12", References(backports=(12,)), id="Elastic"),
        pytest.param(
            "Merge pull request #13 from acme/mergify/bp/release/1.2/pr-12", References(backports=(12,)), id="Mergify"
        ),
        pytest.param(
            f"Merge pull request #13 from acme/patchback/backports/stable-2/{SHA}/pr-12",
            References(sources=(SHA,), backports=(12,)),
            id="merge of a patchback branch",
        ),
        pytest.param(
            "[Cherry-pick to release/v1.2] Sync the changes in #11 (#12) (#13)",
            References(backports=(12,)),
            id="a squash whose title names the branch",
        ),
        pytest.param(
            "[Cherry-pick to release/v1.2] Fix (#12)", References(backports=(12,)), id="a title that names the branch"
        ),
        pytest.param(
            f"[Cherry-pick to release/v1.2] Fix ({SHA[:9]}) (#13)",
            References(sources=(SHA[:9],)),
            id="a title with a hash",
        ),
        pytest.param("fix: [cherry-pick 1.2] Fix (#12) (#13)", References(backports=(12,)), id="in the title's middle"),
        pytest.param("[Cherry-pick to release/v1.2] Fix", NOTHING, id="a title that names the branch and no original"),
        pytest.param(
            f"Fix (#13)\n\nCherry-pick of commit `{SHA}` to `release/v1.2`.\n\n"
            f"**Source PR:** #12 (https://github.com/a/b/pull/12)\n**Source commit:** `{SHA}`\n**Original title:** Fix",
            References(sources=(SHA,), backports=(12,)),
            id="lines that name source and commit",
        ),
        pytest.param(
            "Fix [cherry-pick] (#13)\n\nMain PR: https://github.com/a/b/pull/12",
            References(backports=(12,)),
            id="a line that names the main branch's",
        ),
        pytest.param(
            "[8.x] Fix (#12) (#13)\n\n# Backport\n\nThis will backport the following commits from `main` to `8.x`:\n"
            " - [Fix (#12)](https://github.com/a/b/pull/12)\n - [Ring (#14)](https://github.com/a/b/pull/14)\n",
            References(backports=(12, 14)),
            id="a list of several",
        ),
        pytest.param("Automated cherry pick of #12 and #14: Fix", References(backports=(12, 14)), id="several"),
        pytest.param("Fix things (backport of #12) (#13)", References(backports=(12,)), id="in brackets"),
        pytest.param("Fix\n\nBackport of https://github.com/a/b/pull/12", References(backports=(12,)), id="address"),
        pytest.param(
            f'Revert "Fix (#12)"\n\nThis reverts commit {SHA}.',
            References(reverts=(SHA,), reverts_numbers=(12,), undoes_titles=("Fix (#12)",)),
            id="revert",
        ),
        pytest.param(
            'Revert "Fix"\n\nReverts acme/widget#12',
            References(reverts_numbers=(12,), undoes_titles=("Fix",)),
            id="GitHub's revert",
        ),
        pytest.param('Revert "Revert "Fix""', References(undoes_titles=('Revert "Fix"',)), id="revert of a revert"),
        pytest.param('Reapply "Fix" (#12)', References(undoes_titles=('Revert "Fix"',)), id="git's name for that"),
        pytest.param("revert(core): fix: ring", References(undoes_titles=("fix: ring",)), id="conventional commits"),
        pytest.param(
            f"Undo\n\nThis reverts commit {SHA[:9]}.", References(reverts=(SHA[:9],)), id="abbreviated revert"
        ),
        pytest.param(
            f"Undo\n\nThis reverts commits {SHA[:9]}, {'b' * 40} and {'c' * 12}.",
            References(reverts=(SHA[:9], "b" * 40, "c" * 12)),
            id="revert of several",
        ),
        pytest.param(
            f"Undo\n\nThis reverts commit {SHA}, reversing\nchanges made to {'b' * 40}.",
            References(reverts=(SHA,)),
            id="revert of a merge",
        ),
        pytest.param(f'Fix\n\nFixes: {SHA[:12]} ("Add")', References(fixes=(SHA[:12],)), id="fixes a commit"),
        pytest.param("Fix\n\nFixes #12", References(fixes_numbers=(12,)), id="fixes a number"),
        pytest.param("Fix it (#12)", NOTHING, id="a plain title"),
        pytest.param("Fix\n\nWe should not backport #12 before that.", NOTHING, id="prose"),
        pytest.param(f"Fix\n\n> (cherry picked from commit {SHA})", NOTHING, id="quoted"),
        pytest.param("", NOTHING, id="empty"),
    ],
)
def test_a_message_is_read_as_its_writer_meant_it(message: str, expected: References) -> None:
    assert parse_references(message) == expected


@pytest.mark.parametrize(
    ("subject", "number"),
    [
        ("Fix (#12)", 12),
        ("[stable-2.9] Fix (#12) (#13)", 13),
        ("Merge pull request #14 from ann/fix (#12)", 14),
        ("Fix (#12).", 12),
        ("Auto merge of #14 - ann:fix, r=bea", 14),
        ("Merge #14", 14),
        ("Merge #14 #15", None),
        ("Fix #12", None),
        ('Revert "Fix (#12)"', None),
        ('Revert "Fix (#12)" (#13)', 13),
        ("", None),
    ],
)
def test_a_title_ends_in_the_number_of_its_own_pull_request(subject: str, number: int | None) -> None:
    assert own_number(subject) == number

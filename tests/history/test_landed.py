"""Whether a commit has landed on a branch, by what the branch's history says."""

from __future__ import annotations

import pytest

from bot.git.branch_only_commits import BranchOnlyCommits
from bot.git.commit_message import backport_message
from bot.git.repository import Repository
from bot.history.landed import find_landed, find_landing_status
from bot.models import Sha
from tests.git.history import History

LINES = [f"{number}\n" for number in range(20)]
BASE = "".join(LINES)
FIXED = "".join(["fixed\n", *LINES[1:]])
ADAPTED = "".join(["fixed\n", "for this branch\n", *LINES[1:]])


def test_commit_in_the_branch_history_has_landed(history: History, repository: Repository) -> None:
    """base ── original ── tip (branch)"""
    original = history.commit({"f": FIXED}, history.commit({"f": BASE}))
    tip = history.commit({"g": "g"}, original)
    assert find_landed(repository, tip, [original])[original].commit == original


def test_trailer_names_the_original_of_an_adapted_pick(history: History, repository: Repository) -> None:
    """base ── original (main)
    └──── adapted, with the trailer ── tip (branch)
    """
    base = history.commit({"f": BASE})
    original = history.commit({"f": FIXED}, base)
    adapted = history.commit({"f": ADAPTED}, base, message=backport_message("Fix", [original]))
    tip = history.commit({"g": "g"}, adapted)
    assert find_landed(repository, tip, [original])[original].commit == adapted


@pytest.mark.parametrize(
    "words",
    [
        "(cherry picked from commit {upper})",
        "(cherry-picked from commit {original})",
        "cherry picked from {original}",
        "Cherry-pick of {original}.",
        "(backported from commit {original})",
    ],
)
def test_an_adapted_pick_is_known_by_what_people_write_themselves(
    words: str, history: History, repository: Repository
) -> None:
    """base ── original (main);  base ── adapted, which names the original (branch)"""
    base = history.commit({"f": BASE})
    original = history.commit({"f": FIXED}, base)
    message = f"Repair\n\n{words}".format(original=original, upper=original.upper())
    adapted = history.commit({"f": ADAPTED}, base, message=message)
    assert find_landed(repository, adapted, [original])[original].commit == adapted


@pytest.mark.parametrize(
    "message",
    [
        "[Cherry-pick to release/v1] Sync the changes in #11 (#12) (#13)",
        "Backport of #12",
        "Repair\n\n**Source PR:** #12 (https://github.com/a/b/pull/12)\n\n*Cherry-picked by hand.*",
        "Fix (#12) (#13)",
    ],
)
def test_an_adapted_pick_is_known_by_the_original_s_pull_request(
    message: str, history: History, repository: Repository
) -> None:
    """base ── original (#12);  base ── adapted, which names #12 (branch)"""
    base = history.commit({"f": BASE})
    original = history.commit({"f": FIXED}, base, message="Fix (#12)")
    adapted = history.commit({"f": ADAPTED}, base, message=message)
    assert find_landed(repository, adapted, [original])[original].commit == adapted


def test_a_message_that_names_the_pull_request_of_another_change_is_no_evidence(
    history: History, repository: Repository
) -> None:
    """base ── original (#12);  base ── another change, which names #12 (branch)"""
    base = history.commit({"f": BASE})
    original = history.commit({"f": FIXED}, base, message="Fix (#12)")
    other_commit = history.commit({"f": f"{BASE}more\n"}, base, message="[Cherry-pick to release/v1] Fix (#12) (#13)")
    status = find_landing_status(repository, other_commit, [original])
    assert (dict(status.landed), dict(status.unfounded)) == ({}, {original: other_commit})


def test_equal_patch_on_other_lines_has_landed(history: History, repository: Repository) -> None:
    """base ── original (main)
    └──── lines above moved ── same change, other words (branch)
    """
    base = history.commit({"f": BASE})
    original = history.commit({"f": "".join([*LINES[:15], "fixed\n", *LINES[16:]])}, base)
    moved_commit = history.commit({"f": "above\n" + BASE}, base)
    same_commit = history.commit(
        {"f": "above\n" + "".join([*LINES[:15], "fixed\n", *LINES[16:]])}, moved_commit, message="other"
    )
    assert find_landed(repository, same_commit, [original])[original].commit == same_commit


def test_backport_that_was_reverted_has_not_landed(history: History, repository: Repository) -> None:
    """base ── original (main)
    └──── picked ── revert (branch)
    """
    base = history.commit({"f": BASE})
    original = history.commit({"f": FIXED}, base)
    picked_commit = history.commit({"f": FIXED}, base, message=backport_message("Fix", [original]))
    revert = history.commit({"f": BASE}, picked_commit, message=f'Revert "Fix"\n\nThis reverts commit {picked_commit}.')
    assert find_landed(repository, picked_commit, [original])[original].commit == picked_commit
    assert find_landed(repository, revert, [original]) == {}


def test_backport_whose_revert_was_reverted_has_landed_again(history: History, repository: Repository) -> None:
    """base ── original (main)
    └──── adapted, with the trailer ── revert ── revert of the revert ── and that one reverted (branch)
    """
    base = history.commit({"f": BASE})
    original = history.commit({"f": FIXED}, base)
    adapted = history.commit({"f": ADAPTED}, base, message=backport_message("Fix", [original]))
    undone_commit = history.commit({"f": BASE}, adapted, message=f'Revert "Fix"\n\nThis reverts commit {adapted}.')
    second_commit = history.commit(
        {"f": ADAPTED}, undone_commit, message=f'Reapply "Fix"\n\nThis reverts commit {undone_commit}.'
    )
    away_commit = history.commit(
        {"f": BASE}, second_commit, message=f'Revert "Reapply"\n\nThis reverts commit {second_commit}.'
    )
    assert find_landed(repository, second_commit, [original])[original].commit == second_commit
    assert find_landed(repository, away_commit, [original]) == {}


@pytest.mark.parametrize("is_named", [True, False], ids=["named by a trailer", "of an equal patch"])
def test_backport_whose_revert_came_from_main_has_not_landed_until_it_is_picked_again(
    is_named: bool, history: History, repository: Repository
) -> None:
    """base ── original ── revert ── revert of the revert (main)
    └──── picked ── revert, picked ── both ways of bringing it back: the same again, or main's (branches)
    """

    def pick(content: str, parent: Sha, *originals: Sha, words: str) -> Sha:
        return history.commit(
            {"f": content}, parent, message=backport_message(words, originals) if originals else words
        )

    base = history.commit({"f": BASE})
    original = history.commit({"f": FIXED}, base)
    words = f"This reverts commit {original}."
    undone_commit = history.commit({"f": BASE}, original, message=words)
    names = [original] if is_named else []
    result = pick(FIXED, history.commit({"g": "g"}, base), *names, words="Fix")
    away = pick(BASE, result, undone_commit, words=words)
    again = pick(FIXED, away, *names, words="Fix, again")
    back = pick(FIXED, away, history.commit({"f": FIXED}, undone_commit), words=f"This reverts commit {undone_commit}.")
    assert find_landed(repository, result, [original])[original].commit == result
    assert find_landed(repository, away, [original]) == {}
    assert find_landed(repository, again, [original])[original].commit == again
    assert original in find_landed(repository, back, [original])


def test_revert_of_something_else_takes_nothing_away(history: History, repository: Repository) -> None:
    """base ── other ── original ── revert of the other (main)
    └──── original, picked ── that revert, picked (branch)
    """
    base = history.commit({"f": BASE})
    other_commit = history.commit({"g": "g"}, base)
    original = history.commit({"f": FIXED}, other_commit)
    undone_commit = history.commit({"g": None}, original)
    picked_commit = history.commit({"f": FIXED}, base, message=backport_message("Fix", [original]))
    tip = history.commit(
        {"h": "h"}, picked_commit, message=backport_message(f"This reverts commit {other_commit}.", [undone_commit])
    )
    assert find_landed(repository, tip, [original])[original].commit == picked_commit


def test_change_that_differs_in_white_space_only_has_not_landed(history: History, repository: Repository) -> None:
    """base ── original: a line indented by 4 (main)
    └──── the same line indented by 8 (branch); `git patch-id` says both are one
    """
    base = history.commit({"f": "if a:\nb\n"})
    original = history.commit({"f": "if a:\n    b\n"}, base)
    other_commit = history.commit({"f": "if a:\n        b\n"}, base)
    ids = {
        history.git("patch-id", "--stable", stdin=history.git("show", commit).encode())[:40]
        for commit in (original, other_commit)
    }
    assert len(ids) == 1
    assert find_landed(repository, other_commit, [original]) == {}


def test_title_with_the_same_number_is_no_identity(history: History, repository: Repository) -> None:
    """base ── "Fix (#7)" (main); base ── another change called "Fix (#7)" (branch)"""
    base = history.commit({"f": BASE})
    original = history.commit({"f": FIXED}, base, message="Fix (#7)")
    other_commit = history.commit({"f": BASE + "x\n"}, base, message="Fix (#7)")
    assert find_landed(repository, other_commit, [original]) == {}


def test_each_commit_of_a_series_is_judged_by_itself(history: History, repository: Repository) -> None:
    """base ── one ── two (main)
    └──── one again (branch)
    """
    base = history.commit({"f": BASE})
    one = history.commit({"f": FIXED}, base)
    two = history.commit({"g": "g\n"}, one)
    tip = history.commit({"f": FIXED}, base)
    assert set(find_landed(repository, tip, [one, two])) == {one}


def test_branches_read_together_are_told_apart(history: History, repository: Repository) -> None:
    """base ── original ── later (main, and a branch that has it)
    ├──── picked ── shared ── one (branch)
    │                └── two: reverts it (branch)
    └──── other (branch)
    """
    base = history.commit({"f": BASE})
    original = history.commit({"f": FIXED}, base)
    later_commit = history.commit({"g": "g"}, original)
    picked_commit = history.commit({"f": FIXED, "h": "h"}, base, message=backport_message("Fix", [original]))
    shared = history.commit({"i": "i"}, picked_commit)
    one = history.commit({"j": "j"}, shared)
    two = history.commit({"f": BASE}, shared, message=f"This reverts commit {picked_commit}.")
    other_commit = history.commit({"k": "k"}, base)
    tips = [later_commit, one, two, other_commit, base]
    histories = BranchOnlyCommits()
    histories.announce([original], tips)
    joint_values = {tip: find_landed(repository, tip, [original], histories) for tip in tips}
    assert joint_values == {tip: find_landed(repository, tip, [original]) for tip in tips}
    assert [tip for tip, is_found in joint_values.items() if is_found] == [later_commit, one]


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({"other": "x\n"}, id="other files"),
        pytest.param({"f": BASE + "x\n"}, id="the same file, another change"),
        pytest.param({"notes": "fixed\n"}, id="the same line, in another file"),
        pytest.param({}, id="nothing at all"),
    ],
)
@pytest.mark.parametrize(
    "words",
    [
        "(cherry picked from commit {sha})",
        "(cherry picked from commit {sha})\n\nMore of the text.",
        "(cherry picked from commit {short})",
        "Backport of PR #7\n\n**This is a backport of PR #7 as merged into main ({sha}).**",
    ],
    ids=["git's line", "in the middle", "abbreviated", "patchback"],
)
def test_words_of_a_commit_that_makes_another_change_do_not_stand_for_the_original(
    words: str, files: dict[str, str], history: History, repository: Repository
) -> None:
    """base ── original (main);  base ── somebody's commit that names the original (branch)"""
    base = history.commit({"f": BASE})
    original = history.commit({"f": FIXED}, base, message="Fix (#7)")
    message = f"Tidy up\n\n{words}".format(sha=original, short=original[:10])
    tip = history.commit(files, base, message=message)
    landing_status = find_landing_status(repository, tip, [original])
    assert landing_status.landed == {}
    assert landing_status.unfounded == {original: tip}


REVERTS = {
    "git": 'Revert "Fix"\n\nThis reverts commit {picked}.',
    "abbreviated": "Undo it\n\nThis reverts commit {short}.",
    "several": "Undo them\n\nThis reverts commits {other} and {picked}.",
    "several, listed": "Undo them\n\nThis reverts the following commits:\n- {other}\n- {picked}\n",
    "GitHub": 'Revert "Fix (#8)" (#9)\n\nReverts acme/widget#8',
    "GitHub, with the title alone": 'Revert "Fix (#8)" (#9)',
    "several numbers": "Undo them\n\nReverts acme/widget#3 and acme/widget#8",
    "a pull request": "Undo it\n\nThis reverts PR #8.",
    "upper case": "Undo it\n\nThis reverts commit {upper}.",
    "conventional": "revert: Fix (#8)",
    "the original's name": "This reverts commit {original}.",
}


@pytest.mark.parametrize("words", REVERTS.values(), ids=REVERTS)
def test_a_revert_is_heard_in_every_way_of_saying_it(words: str, history: History, repository: Repository) -> None:
    """base ── original (main);  base ── other ── picked ── revert ── a commit that says the same (branches)"""
    base = history.commit({"f": BASE})
    original = history.commit({"f": FIXED}, base, message="Fix (#7)")
    other_commit = history.commit({"g": "g\n"}, base)
    picked_commit = history.commit({"f": FIXED}, other_commit, message=backport_message("Fix (#8)", [original]))
    message = words.format(
        picked=picked_commit,
        short=picked_commit[:8],
        upper=picked_commit.upper(),
        other=other_commit,
        original=original,
    )
    revert = history.commit({"f": BASE}, picked_commit, message=message)
    landing_status = find_landing_status(repository, revert, [original])
    assert landing_status.landed == {}
    assert list(landing_status.reverted) == [original]
    liar = history.commit({"h": "h\n"}, picked_commit, message=message)
    assert original in find_landed(repository, liar, [original])


@pytest.mark.parametrize("words", ['Reapply "Fix (#8)"', 'Revert "Revert "Fix (#8)""', "This reverts commit {revert}."])
def test_a_revert_that_is_reverted_is_heard_by_its_title(words: str, history: History, repository: Repository) -> None:
    """base ── original (main);  base ── picked ── revert ── revert of the revert (branch)"""
    base = history.commit({"f": BASE})
    original = history.commit({"f": FIXED}, base)
    picked_commit = history.commit({"f": ADAPTED}, base, message=backport_message("Fix (#8)", [original]))
    revert = history.commit({"f": BASE}, picked_commit, message='Revert "Fix (#8)"')
    second_commit = history.commit({"f": ADAPTED}, revert, message=words.format(revert=revert))
    assert find_landed(repository, revert, [original]) == {}
    assert find_landed(repository, second_commit, [original])[original].commit == second_commit


def test_the_revert_of_a_merge_takes_away_what_the_merge_brought(history: History, repository: Repository) -> None:
    """base ── original (main)
    └──── merge of picked ── revert of the merge (branch)
    """
    base = history.commit({"f": BASE})
    original = history.commit({"f": FIXED}, base)
    picked_commit = history.commit({"f": FIXED}, base, message=backport_message("Fix", [original]))
    merge = history.commit({"f": FIXED}, base, picked_commit, message="Merge pull request #8 from acme/fix\n\nFix")
    words = f"This reverts commit {merge}, reversing\nchanges made to {base}."
    revert = history.commit({"f": BASE}, merge, message=words)
    assert original in find_landed(repository, merge, [original])
    assert find_landed(repository, revert, [original]) == {}


def test_an_original_that_the_branch_grew_from_and_reverted_has_not_landed(
    history: History, repository: Repository
) -> None:
    """base ── original (main) ── revert (branch)"""
    original = history.commit({"f": FIXED}, history.commit({"f": BASE}))
    revert = history.commit({"f": BASE}, original, message=f"This reverts commit {original}.")
    assert find_landed(repository, revert, [original]) == {}

"""Which originals a branch has, read from small histories; each is drawn where it is made."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.git.commit_message import backport_message
from bot.git.repository import Repository
from bot.history.landing_evidence import LandingEvidence
from bot.history.scan_branches import Scan, scan
from bot.history.store import HistoryStore
from bot.models import Sha, Signature
from tests.git.history import History

LINES = [f"{number}\n" for number in range(20)]
BASE = "".join(LINES)
FIXED = "".join(["fixed\n", *LINES[1:]])
ADAPTED = "".join(["fixed\n", "for this branch\n", *LINES[1:]])
OTHER = Signature("Otto Other", "otto@example.org", "1700009999 +0000")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[HistoryStore]:
    with HistoryStore(tmp_path / "history.sqlite") as opened:
        yield opened


class Reader:
    """Scans one branch and answers in object names."""

    def __init__(self, repository: Repository, store: HistoryStore) -> None:
        self.repository, self.store = repository, store

    def scan(self, main: Sha, branch: Sha, until: int | None = None) -> Scan:
        return scan(self.repository, self.store, main=main, branches={"stable": branch}, until=until)

    def here(self, main: Sha, branch: Sha) -> dict[Sha, str]:
        branch_scan = self.scan(main, branch)
        return {
            branch_scan.commits[position].sha: landing.reason
            for position, landing in branch_scan.landed["stable"].present.items()
        }

    def unconfirmed(self, main: Sha, branch: Sha) -> dict[Sha, str]:
        branch_scan = self.scan(main, branch)
        return {
            branch_scan.commits[position].sha: claim.reason
            for position, claim in branch_scan.landed["stable"].unconfirmed.items()
        }

    def reverted(self, main: Sha, branch: Sha) -> list[Sha]:
        branch_scan = self.scan(main, branch)
        return [branch_scan.commits[position].sha for position in branch_scan.landed["stable"].reverted]


@pytest.fixture
def reader(repository: Repository, store: HistoryStore) -> Reader:
    return Reader(repository, store)


def test_what_main_got_since_the_branch_point_is_an_original(history: History, reader: Reader) -> None:
    """base ── one ── two (main);  base (stable)"""
    base = history.commit({"f": BASE})
    one = history.commit({"f": FIXED}, base)
    two = history.commit({"g": "g\n"}, one)
    branch_scan = reader.scan(two, base)
    originals = branch_scan.main.since(branch_scan.branches["stable"].point)
    assert [branch_scan.commits[original].sha for original in originals] == [one, two]
    assert branch_scan.landed["stable"].present == {}


def test_a_name_by_hash_is_followed_through_the_branch_it_was_picked_from(history: History, reader: Reader) -> None:
    """base ── original (main); base ── picked (newer) names original; base ── again (stable) names picked"""
    base = history.commit({"f": BASE})
    original = history.commit({"f": FIXED}, base)
    picked_commit = history.commit({"f": ADAPTED}, base, message=backport_message("Fix", [original]))
    second_commit = history.commit({"f": ADAPTED + "b\n"}, base, message=backport_message("Fix", [picked_commit]))
    branch_scan = scan(
        reader.repository, reader.store, main=original, branches={"newer": picked_commit, "stable": second_commit}
    )
    position = branch_scan.commits.require(original)
    assert position in branch_scan.landed["newer"].present
    assert position in branch_scan.landed["stable"].present


def test_an_equal_patch_by_somebody_else_under_another_title_is_there(history: History, reader: Reader) -> None:
    """base ── original (main);  base ── moved ── same change (stable)"""
    base = history.commit({"f": BASE})
    original = history.commit({"f": "".join([*LINES[:15], "fixed\n", *LINES[16:]])}, base)
    moved_commit = history.commit({"f": "above\n" + BASE}, base, message="Move")
    same_text = "above\n" + "".join([*LINES[:15], "fixed\n", *LINES[16:]])
    branch = history.commit({"f": same_text}, moved_commit, message="Other words", author=OTHER)
    assert "makes the same change" in reader.here(original, branch)[original]


def test_a_title_with_the_number_is_believed_only_where_the_change_bears_it_out(
    history: History, reader: Reader
) -> None:
    """base ── "Fix (#7)" (main);  base ── three commits called "Backport PR #7", the last of them one (stable)"""
    base = history.commit({"f": BASE})
    original = history.commit({"f": FIXED}, base, message="Fix (#7)")
    liar = history.commit({"g": "g\n"}, base, message="Backport PR #7: Fix", author=OTHER)
    liar = history.commit({"f": BASE + "x\n"}, liar, message="Backport PR #7: Fix", author=OTHER)
    assert reader.here(original, liar) == {}
    branch = history.commit({"f": ADAPTED}, liar, message="Backport PR #7: Fix", author=OTHER)
    assert "says it is the backport of #7" in reader.here(original, branch)[original]


def test_a_title_alone_is_no_identity(history: History, reader: Reader) -> None:
    """base ── "Fix (#7)" (main);  base ── "Fix (#8)" by somebody else (stable)"""
    base = history.commit({"f": BASE})
    original = history.commit({"f": FIXED}, base, message="Fix the thing (#7)")
    branch = history.commit({"f": "x\n"}, base, message="Fix the thing (#8)", author=OTHER)
    assert reader.here(original, branch) == {}


def test_a_revert_takes_away_and_a_second_landing_brings_back(history: History, reader: Reader) -> None:
    """base ── original (main);  base ── picked ── revert ── revert of the revert (stable)"""
    base = history.commit({"f": BASE})
    original = history.commit({"f": FIXED}, base)
    picked_commit = history.commit({"f": FIXED}, base, message=backport_message("Fix", [original]))
    revert = history.commit({"f": BASE}, picked_commit, message=f'Revert "Fix"\n\nThis reverts commit {picked_commit}.')
    assert reader.here(original, picked_commit) != {}
    assert reader.here(original, revert) == {}
    assert reader.reverted(original, revert) == [original]
    second_commit = history.commit({"f": FIXED}, revert, message=f'Reapply "Fix"\n\nThis reverts commit {revert}.')
    assert list(reader.here(original, second_commit)) == [original]
    assert reader.reverted(original, second_commit) == []


def test_a_backported_revert_takes_away_what_was_backported_under_another_name(
    history: History, reader: Reader
) -> None:
    """base ── original ── revert (main);  base ── picked ── revert, picked (stable)"""
    base = history.commit({"f": BASE})
    original = history.commit({"f": FIXED}, base)
    revert = history.commit({"f": BASE}, original, message=f'Revert "Fix"\n\nThis reverts commit {original}.')
    picked_commit = history.commit({"f": FIXED}, base, message=backport_message("Fix", [original]))
    message = backport_message(f'Revert "Fix"\n\nThis reverts commit {original}.', [revert])
    branch = history.commit({"f": BASE}, picked_commit, message=message)
    assert list(reader.here(revert, branch)) == [revert]
    assert reader.reverted(revert, branch) == [original]
    branch_scan = reader.scan(revert, branch)
    assert dict(branch_scan.main.undone_by) == {
        branch_scan.commits.require(original): branch_scan.commits.require(revert)
    }


def test_a_squash_of_several_originals_brings_each(history: History, reader: Reader) -> None:
    """base ── one ── two (main);  base ── both in one commit (stable)"""
    base = history.commit({"f": BASE})
    one = history.commit({"f": FIXED}, base)
    two = history.commit({"g": "g\n"}, one)
    branch = history.commit({"f": FIXED, "g": "g\n"}, base, message=backport_message("Both", [one, two]))
    assert set(reader.here(two, branch)) == {one, two}


def test_a_merge_is_one_original_and_there_only_when_all_of_it_is(history: History, reader: Reader) -> None:
    """base ──────────── merge (main);  base ── a, picked ── b, picked (stable)
    └─ a ── b ─┘
    """
    base = history.commit({"f": BASE})
    a = history.commit({"a": "a\n"}, base, message="a")
    b = history.commit({"b": "b\n"}, a, message="b")
    merge = history.commit({"a": "a\n", "b": "b\n"}, base, b, message="Merge pull request #7 from ann/ab")
    half = history.commit({"a": "a\n"}, base, message=backport_message("a", [a]))
    branch_scan = reader.scan(merge, half)
    position = branch_scan.commits.require(merge)
    assert position not in branch_scan.landed["stable"].present
    assert branch_scan.landed["stable"].partial == {position: {branch_scan.commits.require(a)}}
    whole_commit = history.commit({"b": "b\n"}, half, message=backport_message("b", [b]))
    assert list(reader.here(merge, whole_commit)) == [merge]


def test_what_reached_the_branch_by_a_merge_of_main_is_there(history: History, reader: Reader) -> None:
    """base ── original ── later (main)
    └── own ──┴ merge of original (stable)
    """
    base = history.commit({"f": BASE})
    original = history.commit({"f": FIXED}, base)
    later_commit = history.commit({"h": "h\n"}, original)
    own_commit = history.commit({"g": "g\n"}, base, message="own")
    branch = history.commit({"f": FIXED}, own_commit, original, message="Merge main")
    assert reader.here(later_commit, branch) == {original: "the commit itself reached the branch by a merge"}


def test_a_stable_branch_merged_forward_is_no_original(history: History, reader: Reader) -> None:
    """base ── merge of stable ── original (main);  base ── own (stable)"""
    base = history.commit({"f": BASE})
    own_commit = history.commit({"g": "g\n"}, base, message="own")
    merge = history.commit({"g": "g\n"}, base, own_commit, message="Merge branch 'stable'")
    original = history.commit({"f": FIXED}, merge)
    branch_scan = reader.scan(original, own_commit)
    assert [
        branch_scan.commits[position].sha for position in branch_scan.main.since(branch_scan.branches["stable"].point)
    ] == [original]


def test_a_branch_without_a_common_ancestor_is_named(history: History, reader: Reader) -> None:
    branch_scan = reader.scan(history.commit({"f": BASE}), history.commit({"g": "g\n"}))
    assert branch_scan.unrelated_branches == ("stable",)
    assert branch_scan.branches == {}


def test_the_past_is_seen_as_it_was(history: History, reader: Reader) -> None:
    """base ── original ── later (main);  base ── other ── picked (stable), looked at before `picked`"""
    base = history.commit({"f": BASE})
    original = history.commit({"f": FIXED}, base)
    other_commit = history.commit({"g": "g\n"}, base, message="other")
    until = history.clock
    later_commit = history.commit({"h": "h\n"}, original)
    picked_commit = history.commit({"f": FIXED}, other_commit, message=backport_message("Fix", [original]))
    branch_scan = reader.scan(later_commit, picked_commit, until)
    assert branch_scan.landed["stable"].present == {}
    assert branch_scan.commits[branch_scan.branches["stable"].tip].sha == other_commit
    assert list(reader.here(later_commit, picked_commit)) == [original]


def test_nothing_new_asks_for_no_evidence_and_gives_the_same_answer(
    history: History, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = history.commit({"f": BASE})
    original = history.commit({"f": FIXED}, base)
    other_commit = history.commit({"g": "g\n"}, original)
    picked_commit = history.commit({"f": FIXED}, base, message=backport_message("Fix", [original]))
    revert = history.commit({"f": BASE}, picked_commit, message=f'Revert "Fix"\n\nThis reverts commit {picked_commit}.')
    second_commit = history.commit({"g": "g\n"}, revert, message=backport_message("g", [other_commit]))
    first = reader.scan(other_commit, second_commit)
    monkeypatch.setattr(LandingEvidence, "gather", lambda *_: pytest.fail("asked again"))
    assert reader.scan(other_commit, second_commit).landed == first.landed
    assert first.landed["stable"].present
    assert first.landed["stable"].reverted


@pytest.mark.parametrize(
    "words",
    [
        "Fix\n\n(cherry picked from commit {sha})",
        "Tidy up\n\nText.\n\n(cherry picked from commit {short})\n\nMore.",
        "[PR #7/{short} backport][1.2] Fix (#8)",
        "Tidy up\n\nThis was cherry picked from {sha}.",
        "Backport of #7",
        "Merge pull request #8 from acme/backport-7-to-release",
        "Fix (#7)",
    ],
)
def test_somebody_who_names_an_original_does_not_keep_it_off_the_branch(
    words: str, history: History, reader: Reader
) -> None:
    """base ── "Fix (#7)" (main);  base ── something else in the same file, with such words (stable)"""
    base = history.commit({"f": BASE})
    original = history.commit({"f": FIXED}, base, message="Fix (#7)")
    message = words.format(sha=original, short=original[:10])
    branch = history.commit({"f": BASE + "x\n"}, base, message=message)
    assert reader.here(original, branch) == {}
    assert "but makes another change" in reader.unconfirmed(original, branch)[original]


def test_a_part_of_an_original_under_its_name_is_unconfirmed_until_it_is_reverted_or_whole(
    history: History, reader: Reader
) -> None:
    """base ── original (main);  base ── a part that names it ── revert, or the whole (stable)"""
    base = history.commit({"f": BASE})
    original = history.commit({"f": BASE.replace("1", "one")}, base)
    part = history.commit(
        {"f": "".join(["0\n", "one\n", *LINES[2:]])}, base, message=backport_message("Fix", [original])
    )
    reason = f"{part[:12]} on the branch names it as its source, but makes another change"
    assert reader.here(original, part) == {}
    assert reader.unconfirmed(original, part) == {original: reason}
    revert = history.commit({"f": BASE}, part, message=f'Revert "Fix"\n\nThis reverts commit {part}.')
    assert reader.unconfirmed(original, revert) == {}
    whole_commit = history.commit({"f": BASE.replace("1", "one")}, part, message=backport_message("Fix", [original]))
    assert list(reader.here(original, whole_commit)) == [original]
    assert reader.unconfirmed(original, whole_commit) == {}


def test_a_revert_of_what_never_landed_claims_nothing(history: History, reader: Reader) -> None:
    """base ── "Fix (#7)" (main);  base ── "Revert "Fix (#7)"", which takes nothing back (stable)"""
    base = history.commit({"f": BASE})
    original = history.commit({"f": FIXED}, base, message="Fix (#7)")
    branch = history.commit({"f": BASE + "x\n"}, base, message=f'Revert "Fix (#7)"\n\nThis reverts commit {original}.')
    assert reader.unconfirmed(original, branch) == {}


@pytest.mark.parametrize(
    "words",
    [
        "This reverts commit {sha}.",
        'Revert "[1.2] Fix (#8)"',
        'Revert "[1.2] Fix (#8)" (#9)\n\nReverts acme/widget#8',
        "Take it back\n\nReverts acme/widget#8",
        "revert: [1.2] Fix (#8)",
    ],
)
def test_a_revert_on_the_branch_is_heard_in_every_way_of_saying_it(
    words: str, history: History, reader: Reader
) -> None:
    """base ── "Fix (#7)" (main);  base ── "[1.2] Fix (#8)" ── revert, or another change that says so (stable)"""
    base = history.commit({"f": BASE})
    original = history.commit({"f": FIXED}, base, message="Fix (#7)")
    picked_commit = history.commit({"f": FIXED}, base, message="[1.2] Fix (#8)")
    message = words.format(sha=picked_commit)
    liar = history.commit({"h": "h\n"}, picked_commit, message=message)
    assert list(reader.here(original, liar)) == [original]
    revert = history.commit({"f": BASE}, liar, message=message)
    assert reader.here(original, revert) == {}
    assert reader.reverted(original, revert) == [original]
    second_commit = history.commit({"f": FIXED}, revert, message=f"Again\n\nThis reverts commit {revert}.")
    assert list(reader.here(original, second_commit)) == [original]


def test_a_commit_of_main_that_says_it_reverts_another_one_does_not_undo_it(history: History, reader: Reader) -> None:
    """base ── original ── "This reverts commit original", and does not ── its real revert, by title alone (main)"""
    base = history.commit({"f": BASE})
    original = history.commit({"f": FIXED}, base, message="Fix (#7)")
    liar = history.commit({"g": "g\n"}, original, message=f"Tidy up\n\nThis reverts commit {original}.")
    assert reader.scan(liar, base).main.undone_by == {}
    revert = history.commit({"f": BASE}, liar, message='Revert "Fix (#7)" (#9)')
    branch_scan = reader.scan(revert, base)
    assert branch_scan.main.undone_by == {branch_scan.commits.require(original): branch_scan.commits.require(revert)}
    second_commit = history.commit({"f": FIXED}, revert, message='Reapply "Fix (#7)" (#10)')
    liar = history.commit({"g": None}, second_commit, message='Revert "Fix (#7)" (#9)')
    branch_scan = reader.scan(liar, base)
    assert branch_scan.main.undone_by == {
        branch_scan.commits.require(revert): branch_scan.commits.require(second_commit)
    }


def test_the_revert_of_one_commit_of_several_takes_the_original_away(history: History, reader: Reader) -> None:
    """base ── merge of a and b (main);  base ── a ── b ── revert of a (stable)"""
    base = history.commit({"f": BASE})
    a = history.commit({"a": "a\n"}, base)
    b = history.commit({"b": "b\n"}, a)
    merge = history.commit({"a": "a\n", "b": "b\n"}, base, b, message="Merge pull request #7 from acme/ab")
    picked_commit = history.commit({"a": "a\n"}, base, message=backport_message("a", [a]))
    whole_commit = history.commit({"b": "b\n"}, picked_commit, message=backport_message("b", [b]))
    assert list(reader.here(merge, whole_commit)) == [merge]
    revert = history.commit({"a": None}, whole_commit, message=f"This reverts commit {picked_commit}.")
    assert reader.here(merge, revert) == {}

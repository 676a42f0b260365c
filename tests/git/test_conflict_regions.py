"""Conflicts cut into parts: each under the attributes of its own branch."""

from __future__ import annotations

from bot.git.conflict_markers import Region
from bot.git.conflict_regions import split_all, split_unmerged
from bot.git.repository import Repository
from bot.git.trial_pick import UnmergedPick, try_pick
from tests.git.history import History


def test_attributes_that_make_markers_longer_hide_no_region(history: History, repository: Repository) -> None:
    """base ── original (main), picked onto base ── tip (release), whose attributes set the length of markers"""
    base = history.commit({"f": "a\n", ".gitattributes": "f conflict-marker-size=12\n"})
    original = history.commit({"f": "b\n"}, base)
    tip = history.commit({"f": "c\n"}, base)
    with repository.quarantine() as quarantine:
        pick = try_pick(quarantine, original, history.tree(tip))
        assert isinstance(pick, UnmergedPick)
        assert split_unmerged(quarantine, pick) == {"f": (Region(b"a\n", b"c\n", b"b\n"),)}


def test_branches_that_differ_only_in_attributes_are_split_under_their_own(
    history: History, repository: Repository
) -> None:
    """base ── original (main), picked onto two tips with the same file, which is binary on one of them"""
    base = history.commit({"f": "a\n"})
    original = history.commit({"f": "b\n"}, base)
    tips = [history.commit({"f": "c\n", ".gitattributes": f"f {driver}\n"}, base) for driver in ("merge", "binary")]
    with repository.quarantine() as quarantine:
        picks = [try_pick(quarantine, original, history.tree(tip)) for tip in tips]
        unmerged = [pick for pick in picks if isinstance(pick, UnmergedPick)]
        split = split_all(quarantine, unmerged)
        assert [split[pick.trees] for pick in unmerged] == [{"f": (Region(b"a\n", b"c\n", b"b\n"),)}, {"f": ()}]

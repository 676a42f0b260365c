"""When a backport to another branch makes a pick certain: where people met the very same conflict and answered it.

base ── main, which changes line 2 ── original, which changes line 3
  ├── there ── landed, the backport of the original (release-2)
  └── tip (release-1)
"""

from __future__ import annotations

from bot.git.repository import Repository
from bot.models import Candidate, Certainty, Method
from bot.pick.ladder import pick
from tests.git.history import COMMITTER, File, History
from tests.pick.plans import plan, run_ladder

FILE = "".join(f"line {number} of the file\n" for number in range(12))
TWO, THREE = "line 2 of the file\n", "line 3 of the file\n"
NEAR = FILE.replace(TWO, "line two of the file\n")
FIXED = "line three of the file\n"
LIKELIEST = FILE.replace(THREE, FIXED)
BOTH = NEAR.replace(THREE, FIXED)


def _pick(history: History, repository: Repository, landed_text: str, **more: str) -> Candidate:
    base = history.commit({"f": FILE})
    original = history.commit({"f": BOTH}, history.commit({"f": NEAR}, base))
    history.branch("main", original)
    message = f"Fix\n\n(cherry picked from commit {original})"
    backport = history.commit({"f": landed_text, **more}, history.commit({"there": "t"}, base), message=message)
    history.branch("release-2", backport)
    result = run_ladder(repository, history.commit({"here": "h"}, base), original)
    assert isinstance(result, Candidate)
    return result


def test_same_conflict_that_people_answered_as_would_be_answered_here(history: History, repository: Repository) -> None:
    result = _pick(history, repository, LIKELIEST)
    assert history.show(result.commit, "f") == LIKELIEST.rstrip("\n")
    assert (result.method, result.certainty) == (Method.SIBLING, Certainty.CERTAIN)


def test_same_conflict_that_people_answered_in_another_way_is_no_more_than_a_proposal(
    history: History, repository: Repository
) -> None:
    result = _pick(history, repository, BOTH)
    assert (result.method, result.certainty) == (Method.SIBLING, Certainty.PROPOSED)


def test_backport_that_carries_something_else_as_well_is_no_precedent(history: History, repository: Repository) -> None:
    result = _pick(history, repository, LIKELIEST, archive="by accident")
    assert (result.method, result.certainty) == (Method.SIBLING, Certainty.PROPOSED)


def test_same_conflict_that_somebody_joined_by_hand_as_no_merge_may(history: History, repository: Repository) -> None:
    """The branches pass a list, the original quotes; both at once is what a merge of words must not make."""
    base = history.commit({"f": FILE.replace(THREE, 'call("a", b)\n')})
    original = history.commit({"f": FILE.replace(THREE, 'call("a", b, quote=True)\n')}, base)
    history.branch("main", original)
    own_commit = history.commit({"f": FILE.replace(THREE, 'call(["a"], b)\n')}, base)
    joined_text = FILE.replace(THREE, 'call(["a"], b, quote=True)\n')
    message = f"Fix\n\n(cherry picked from commit {original})"
    history.branch(
        "release-2", history.commit({"f": joined_text}, history.commit({"there": "t"}, own_commit), message=message)
    )
    result = run_ladder(repository, history.commit({"here": "h"}, own_commit), original)
    assert isinstance(result, Candidate)
    assert history.show(result.commit, "f") == joined_text.rstrip("\n")
    assert (result.method, result.certainty) == (Method.SIBLING, Certainty.CERTAIN)


def test_other_conflict_is_no_precedent(history: History, repository: Repository) -> None:
    """What the original edits in new.c, which main got later, was left out there because that branch has its own."""
    base = history.commit({"f": FILE})
    main = history.commit({"new.c": FILE}, base)
    original = history.commit({"f": LIKELIEST, "new.c": LIKELIEST}, main)
    history.branch("main", original)
    target_commit = history.commit({"new.c": FILE.replace("line 3", "LINE 3")}, base)
    message = f"Fix\n\n(cherry picked from commit {original})"
    history.branch("release-2", history.commit({"f": LIKELIEST}, target_commit, message=message))
    result = run_ladder(repository, history.commit({"here": "h"}, base), original)
    assert isinstance(result, Candidate)
    assert (result.method, result.certainty) == (Method.SIBLING, Certainty.PROPOSED)


def test_conflict_in_a_file_that_is_another_by_now_is_no_precedent(history: History, repository: Repository) -> None:
    """The same lines conflict on both branches, but the rest of the file is another there."""
    trailing_text = "".join(f"more {number}\n" for number in range(60))
    base = history.commit({"f": FILE + trailing_text})
    original = history.commit({"f": BOTH + trailing_text}, history.commit({"f": NEAR + trailing_text}, base))
    history.branch("main", original)
    target_commit = history.commit({"f": FILE + trailing_text.replace("more", "other")}, base)
    message = f"Fix\n\n(cherry picked from commit {original})"
    landed_files = {"f": LIKELIEST + trailing_text.replace("more", "other")}
    history.branch("release-2", history.commit(landed_files, target_commit, message=message))
    result = run_ladder(repository, history.commit({"here": "h"}, base), original)
    assert isinstance(result, Candidate)
    assert (result.method, result.certainty) == (Method.SIBLING, Certainty.PROPOSED)


def test_submodule_that_stands_elsewhere_on_each_branch_is_no_precedent(
    history: History, repository: Repository
) -> None:
    """Its commits are in no repository that is here, so there is nothing to compare."""
    before, fixed, other, own = (File("160000", (digit * 40).encode()) for digit in "abcd")
    base = history.commit({"f": FILE, "sub": before})
    original = history.branch("main", history.commit({"f": LIKELIEST, "sub": fixed}, base))
    message = f"Fix\n\n(cherry picked from commit {original})"
    target_commit = history.commit({"sub": other}, base)
    history.branch("release-2", history.commit({"f": LIKELIEST}, target_commit, message=message))
    result = run_ladder(repository, history.commit({"sub": own}, base), original)
    assert isinstance(result, Candidate)
    assert (result.method, result.certainty) == (Method.SIBLING, Certainty.PROPOSED)


def test_what_the_same_request_made_for_another_branch_is_no_precedent(
    history: History, repository: Repository
) -> None:
    base = history.commit({"f": FILE})
    original = history.commit({"f": BOTH}, history.commit({"f": NEAR}, base))
    newer = run_ladder(repository, history.commit({"there": "t"}, base), original)
    assert isinstance(newer, Candidate)
    tip = history.commit({"here": "h"}, base)
    result = pick(repository, plan(tip, original), patches={}, committer=COMMITTER, siblings=[newer])
    assert isinstance(result, Candidate)
    assert (result.method, result.certainty) == (Method.SIBLING, Certainty.PROPOSED)

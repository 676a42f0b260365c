"""Files that the target does not have under the original's name."""

from __future__ import annotations

from bot.git.repository import Repository
from bot.models import Candidate, Certainty, Conflict
from tests.git.history import History
from tests.pick.plans import run_ladder

OLD = "".join(f"def function_{number}():\n    return {number}\n\n\n" for number in range(6))
# Most of it was written anew since, so that it is no longer like what was moved.
NEW = OLD[: OLD.index("def function_2")] + "".join(
    f"class Type{number}:\n    name = 'type {number}'\n    kind = {number}\n\n\n" for number in range(30)
)


def test_edit_is_made_at_the_path_that_the_branch_has(history: History, repository: Repository) -> None:
    """base ── the file is moved ── and rewritten ── original; base ── tip (release)"""
    base = history.commit({"old.py": OLD})
    moved_commit = history.commit({"old.py": None, "lib/new.py": OLD}, base)
    rewritten = history.commit({"lib/new.py": NEW}, moved_commit)
    original = history.commit({"lib/new.py": NEW.replace("return 1\n", "return -1\n")}, rewritten)
    result = run_ladder(repository, history.commit({"other": "o"}, base), original)
    assert isinstance(result, Candidate)
    assert result.files == ("old.py",)
    assert result.certainty is Certainty.PROPOSED
    assert history.show(result.commit, "old.py") == OLD.replace("return 1\n", "return -1\n").rstrip("\n")


def test_edit_that_does_not_fit_at_the_older_path_is_not_left_out(history: History, repository: Repository) -> None:
    """base ── the file is moved ── and rewritten ── original, which edits what is new; base ── tip (release)"""
    base = history.commit({"old.py": OLD, "f": "".join(f"line {number}\n" for number in range(9))})
    moved_commit = history.commit({"old.py": None, "lib/new.py": OLD}, base)
    rewritten = history.commit({"lib/new.py": NEW}, moved_commit)
    edited_text = NEW.replace("return 1\n", "yield function_0()\n").replace("return 0\n", "yield 1\n")
    original = history.commit({"lib/new.py": edited_text, "f": "fixed\n"}, rewritten)
    tip = history.commit({"old.py": OLD.replace("return 1\n", "return 11\n").replace("return 0\n", "raise E\n")}, base)
    assert isinstance(run_ladder(repository, tip, original), Conflict)

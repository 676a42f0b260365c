"""The finer merge as a strategy: what it proposes, what it leaves alone, and that it says so."""

from __future__ import annotations

import pytest

from bot.git.repository import Repository
from bot.models import Candidate, Certainty, Conflict, Method, Sha
from bot.pick.caches import PickCaches
from bot.pick.ladder import pick
from bot.pick.merge import resolver
from bot.pick.merge.proposers import Proposals, propose
from tests.git.history import COMMITTER, History
from tests.pick.plans import plan, run_ladder

CODE = "import os\n\n\ndef read(path, size):\n    data = os.read(path, size)\n    return data\n"


def _annotated(history: History) -> tuple[Sha, Sha]:
    """The original adds a parameter to a signature that the branch annotates."""
    base = history.commit({"read.py": CODE})
    original = history.commit({"read.py": CODE.replace("path, size)", "path, size, block=1)", 1)}, base)
    return history.commit({"read.py": CODE.replace("path, size", "path: int, size", 1)}, base), original


def test_words_that_stand_apart_are_merged_and_proposed(history: History, repository: Repository) -> None:
    branch, original = _annotated(history)
    result = run_ladder(repository, branch, original)
    assert isinstance(result, Candidate)
    assert (result.method, result.certainty) == (Method.RESOLVED, Certainty.PROPOSED)
    assert "def read(path: int, size, block=1):" in history.show(result.commit, "read.py")
    (resolution,) = result.resolutions
    assert resolution.ours == b"def read(path: int, size):\n"
    assert resolution.theirs == b"def read(path, size, block=1):\n"
    assert "of 100 such cases" in resolution.how


def test_without_proposals_it_stays_a_conflict_that_tells_why(history: History, repository: Repository) -> None:
    branch, original = _annotated(history)
    result = pick(repository, plan(branch, original), patches={}, committer=COMMITTER, propose=False)
    assert isinstance(result, Conflict)
    assert "wants no proposals" in result.rungs[-1].detail


def test_edit_of_a_file_that_the_branch_never_had_is_left_out_and_said_so(
    history: History, repository: Repository
) -> None:
    base = history.commit({"read.py": CODE})
    main = history.commit({"tests/test_new.py": "def test_new():\n    assert True\n"}, base)
    fixed_files = {"read.py": CODE.replace("data)", "bytes)"), "tests/test_new.py": "def test_new():\n    assert 1\n"}
    original = history.commit({**fixed_files, "read.py": CODE.replace("return data", "return bytes(data)")}, main)
    result = run_ladder(repository, history.commit({"other": "o"}, base), original)
    assert isinstance(result, Candidate)
    assert result.files == ("read.py",)
    assert "main got that file after the branch left it" in result.resolutions[0].how


def test_nothing_is_proposed_where_all_of_it_would_be_left_out(history: History, repository: Repository) -> None:
    base = history.commit({"read.py": CODE})
    main = history.commit({"new.py": CODE}, base)
    original = history.commit({"new.py": CODE.replace("data", "bytes")}, main)
    result = run_ladder(repository, history.commit({"other": "o"}, base), original)
    assert isinstance(result, Conflict)
    assert "nothing of it would be left" in result.rungs[-1].detail


def test_text_that_the_branch_wrote_itself_is_not_thrown_away(history: History, repository: Repository) -> None:
    base = history.commit({"read.py": CODE})
    original = history.commit({"read.py": CODE.replace("return data", "return bytes(data)")}, base)
    branch = history.commit({"read.py": CODE.replace("return data", "return memoryview(data)")}, base)
    assert isinstance(run_ladder(repository, branch, original), Conflict)


def test_answer_that_uses_a_name_the_branch_lacks_is_refused(history: History, repository: Repository) -> None:
    """The original's new line calls what main imports elsewhere in the file, and the branch does not."""
    base = history.commit({"read.py": CODE})
    near_commit = history.commit({"read.py": CODE.replace("import os\n", "import os\nimport zlib\n")}, base)
    fixed_text = CODE.replace("import os\n", "import os\nimport zlib\n").replace(
        "path, size)", "path, size, wait=zlib.Z)", 1
    )
    original = history.commit({"read.py": fixed_text}, near_commit)
    branch = history.commit({"read.py": CODE.replace("path, size", "path: int, size", 1)}, base)
    result = run_ladder(repository, branch, original)
    assert isinstance(result, Conflict)
    assert "`zlib` is defined nowhere" in result.rungs[-1].detail


def test_branches_with_the_same_file_are_answered_once(
    history: History, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three tips: two with the same file and one with another; what each becomes is what it becomes alone."""
    branch, original = _annotated(history)
    other_commit = history.commit({"read.py": CODE.replace("path, size", "path: str, size", 1)}, branch)
    tips = [branch, history.commit({"beside": "b"}, branch), other_commit]
    alone_items = [run_ladder(repository, tip, original) for tip in tips]
    calls: list[object] = []

    def counted(*arguments: object) -> Proposals:
        calls.append(arguments)
        return propose(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(resolver, "propose", counted)
    caches = PickCaches()
    joint_results = [
        pick(repository, plan(tip, original), patches={}, committer=COMMITTER, caches=caches) for tip in tips
    ]
    assert joint_results == alone_items
    assert len(calls) == 2

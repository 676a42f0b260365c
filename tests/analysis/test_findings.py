"""A clean pick that uses what only main has: found, told, and kept from passing as certain where it would surely fail.

base ── earlier, which adds something ── original, which uses it (main); base ── tip (release)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from bot.git.repository import Repository
from bot.models import Candidate, Certainty
from tests.git.history import File, History
from tests.pick.plans import run_ladder

FILLER = "\n".join(f"# {number}" for number in range(12)) + "\n"
LIBRARY = f"def measure(item, unit):\n    return item\n\n{FILLER}\nLIMIT = 1\n"
RING = f"class Ring:\n    def fill(self, slots):\n        return slots\n{FILLER}"


@dataclass(frozen=True)
class Case:
    """What the files of the base are, what the earlier commit makes of them, and what the original adds to `user`."""

    before: Mapping[str, str]
    earlier: Mapping[str, str]
    added: str
    rule: str
    fatal: bool = False


def _user(head: str, body: str = "") -> str:
    return f"{head}{FILLER}def use(item):\n    first = item\n{body}    return first\n"


IMPORTING = _user("from lib.library import measure\n")
CASES = {
    "a name that an earlier commit imports": Case(
        {"lib/user.py": _user("import os\n")},
        {"lib/user.py": _user("import os\nimport math\n")},
        "    first = math.floor(first)\n",
        "undefined-name",
        fatal=True,
    ),
    "a function of an own module": Case(
        {"lib/library.py": LIBRARY, "lib/user.py": _user("from lib import library\n")},
        {"lib/library.py": LIBRARY + "\ndef weigh(item):\n    return item\n"},
        "    first = library.weigh(first)\n",
        "missing-name",
    ),
    "a keyword": Case(
        {"lib/library.py": LIBRARY, "lib/user.py": IMPORTING},
        {"lib/library.py": LIBRARY.replace("unit)", "unit, exact=False)")},
        "    first = measure(first, 1, exact=True)\n",
        "other-arguments",
    ),
    "an argument that main no longer needs": Case(
        {"lib/library.py": LIBRARY, "lib/user.py": IMPORTING},
        {"lib/library.py": LIBRARY.replace("unit)", "unit=1)")},
        "    first = measure(first)\n",
        "other-arguments",
    ),
    "a method of a class": Case(
        {"lib/user.py": RING},
        {"lib/user.py": RING.replace("class Ring:\n", "class Ring:\n    def drain(self):\n        return 0\n\n")},
        "    def clear(self):\n        self.drain()\n",
        "missing-method",
    ),
    "a method of an own base class": Case(
        {"lib/library.py": RING, "lib/user.py": f"from .library import Ring\n{FILLER}class Big(Ring):\n    size = 2\n"},
        {"lib/library.py": RING + "    def drain(self):\n        return 0\n"},
        "    def clear(self):\n        self.drain()\n",
        "missing-method",
    ),
    "a keyword of a method": Case(
        {"lib/user.py": RING},
        {"lib/user.py": RING.replace("self, slots", "self, slots, quick=False")},
        "    def clear(self):\n        self.fill(0, quick=True)\n",
        "other-arguments",
    ),
    "a keyword of a class": Case(
        {
            "lib/library.py": "class Ring:\n    def __init__(self, slots):\n        self.slots = slots\n",
            "lib/user.py": _user("from lib.library import Ring\n"),
        },
        {"lib/library.py": "class Ring:\n    def __init__(self, slots, width=1):\n        self.slots = slots\n"},
        "    first = Ring(first, width=2)\n",
        "other-arguments",
    ),
}  # fmt: skip


def _pick(case: Case, history: History, repository: Repository, *, target_files: Mapping[str, str]) -> Candidate:
    base = history.commit({**case.before, "other": "x"})
    earlier = history.commit(case.earlier, base)
    user = {**case.before, **case.earlier}["lib/user.py"]
    original = history.commit({"lib/user.py": _with(user, case.added)}, earlier)
    result = run_ladder(repository, history.commit({**target_files, "other": "y"}, base), original)
    assert isinstance(result, Candidate)
    return result


def _with(user: str, added: str) -> str:
    return user.replace("    return first\n", f"{added}    return first\n") if "return first" in user else user + added


@pytest.mark.parametrize("name", CASES)
def test_what_only_main_has_is_told(name: str, history: History, repository: Repository) -> None:
    case = CASES[name]
    result = _pick(case, history, repository, target_files={})
    assert [(finding.file, finding.rule) for finding in result.findings] == [("lib/user.py", case.rule)]
    line = history.show(result.commit, "lib/user.py").splitlines()[result.findings[0].line - 1]
    assert line in case.added
    assert result.certainty is (Certainty.PROPOSED if case.fatal else Certainty.CERTAIN)


@pytest.mark.parametrize("name", CASES)
def test_a_branch_that_has_it_too_raises_nothing(name: str, history: History, repository: Repository) -> None:
    case = CASES[name]
    result = _pick(case, history, repository, target_files=case.earlier)
    assert (result.findings, result.certainty) == ((), Certainty.CERTAIN)


UNKNOWABLE = {
    "a decorated function": "import functools\n@functools.wraps(len)\n" + LIBRARY,
    "a function bound twice": LIBRARY + "\nmeasure = len\n",
    "a module with a star import": "from os.path import *\n",
    "a module that answers for any name": LIBRARY.replace("measure", "other")
    + "\ndef __getattr__(name):\n    return len\n",
}


@pytest.mark.parametrize("name", UNKNOWABLE)
def test_what_cannot_be_told_is_not_told(name: str, history: History, repository: Repository) -> None:
    case = Case(
        {"lib/library.py": UNKNOWABLE[name], "lib/user.py": IMPORTING},
        {"lib/library.py": LIBRARY.replace("unit)", "unit, exact=False)")},
        "    first = measure(first, 1, exact=True)\n",
        "",
    )
    assert _pick(case, history, repository, target_files={}).findings == ()


def test_an_import_from_a_linked_module_is_not_told(history: History, repository: Repository) -> None:
    """A link's content is where it points, which says nothing of the names there."""
    link = File("120000", b"../shared.py")
    base = history.commit({"lib/user.py": _user("import os\n"), "lib/shared.py": link})
    original = history.commit(
        {"lib/user.py": _user("import os\nfrom lib.shared import weigh\n", "    weigh(1)\n")}, base
    )
    result = run_ladder(repository, history.commit({"other": "y"}, base), original)
    assert isinstance(result, Candidate)
    assert result.findings == ()


def test_a_finding_on_a_line_that_was_there_before_is_not_the_picks(history: History, repository: Repository) -> None:
    broken_tree = _user("from lib import library\n", "    library.weigh(first)\n")
    base = history.commit({"lib/library.py": LIBRARY, "lib/user.py": broken_tree})
    earlier = history.commit({"lib/library.py": LIBRARY + "\ndef weigh(item):\n    return item\n"}, base)
    original = history.commit({"lib/user.py": broken_tree.replace("first = item", "first = 2")}, earlier)
    result = run_ladder(repository, history.commit({"other": "y"}, base), original)
    assert isinstance(result, Candidate)
    assert result.findings == ()

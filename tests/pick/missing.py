"""Histories whose originals need earlier commits of main."""

from __future__ import annotations

from bot.models import Sha
from tests.git.history import History

TEN = [f"line {number}\n" for number in range(10)]
PYTHON = "".join(f"VALUE_{number} = {number}\n" for number in range(40))


def ten_lines(**lines: str) -> str:
    """Return ten lines, of which `l3="x"` replaces the fourth."""
    changed_values = {int(key[1:]): text for key, text in lines.items()}
    return "".join(f"{changed_values[number]}\n" if number in changed_values else TEN[number] for number in range(10))


def with_rest(history: History, *, added_lines: int) -> tuple[Sha, Sha, Sha]:
    """base ── new.py ── near, on the line of ── original, which edits new.py, too (main); base ── tip (release)"""
    new = PYTHON.replace("VALUE", "NEW")
    base = history.commit({"f": ten_lines(), "g": "g\n"})
    adding = history.commit({"new.py": new, **{f"many/{number}": "x\n" for number in range(50)}}, base)
    near_commit = history.commit({"f": ten_lines(l3="near")}, adding, message="Near (#2)")
    edited_text = new.replace("NEW_0 ", "NULL ") + "".join(f"MORE_{number} = 0\n" for number in range(added_lines))
    original = history.commit({"f": ten_lines(l3="fixed"), "new.py": edited_text}, near_commit)
    return history.commit({"g": "G\n"}, base), near_commit, original


def swept(history: History, *, needs: str = "") -> tuple[Sha, Sha, Sha]:
    """base ── sweep, over 50 files ── original, next to a line that it changed (main); base ── tip (release)

    `needs` is a line that the sweep adds to code.py, which the original changes, too. It renames OLD in helper.py.
    """
    code = f"import os\n{PYTHON}"
    many = {f"many/{number}": "x\n" for number in range(50)}
    base = history.commit({"f": ten_lines(), "code.py": code, "helper.py": "OLD = 1\n", **many})
    swept = {**dict.fromkeys(many, "y\n"), "helper.py": "NEW = 1\n"}
    tidied = code.replace("import os\n", f"import os\n{needs}")
    sweep = history.commit({"f": ten_lines(l3="swept"), "code.py": tidied, **swept}, base, message="Tidy up (#4)")
    fixed_files = {"f": ten_lines(l3="fixed"), "code.py": tidied.replace("VALUE_9 =", "NINE =")}
    original = history.commit(fixed_files, sweep)
    return history.commit({"g": "G\n", "many/7": "mine\n"}, base), sweep, original

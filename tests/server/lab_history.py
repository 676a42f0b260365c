"""The history that originals are backported in. main rewrote the tables in steps; a branch has them as they were once:

    release/2.0  a pick, adapted                         release/1.9  by the version for 2.0
    release/1.8  by a resolution that proves nothing     release/1.7  by the version for 1.9

Each original `N` sizes one table and brings a check, which fails without it. So originals are alike but for their
number, and what became of one that was served with kills can be compared with one that was served without.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.pipeline.office import commit, git

TARGETS = ("release/2.0", "release/1.9", "release/1.8", "release/1.7")
FIRST = 101


def _text(rewritten: int, size: str, number: int) -> str:
    old_lines = [f"old line {line} of table {number}\n" for line in range(30)]
    new_lines = [f"rewritten {line} for {number}\n" for line in range(30)]
    return "".join([*new_lines[:rewritten], *old_lines[rewritten:], f"size = {size}\n", *old_lines[20:]])


def _check(number: int) -> str:
    return (
        "import pathlib\n"
        f"files = [pathlib.Path(name) for name in ('w/old{number}.py', 'w/table{number}.py')]\n"
        "(file,) = [file for file in files if file.exists()]\n"
        "assert 'size = slots * width' in file.read_text()\n"
    )


def write_history(directory: Path, originals: int) -> dict[int, str]:
    """Make the checkout whose history is drawn above; returns the commit of each original."""
    numbers = range(FIRST, FIRST + originals)
    git(directory, "init", "--quiet", "--initial-branch=main")
    commit(directory, "Begin", {f"w/old{number}.py": _text(0, "slots", number) for number in numbers})
    versions: dict[str, Callable[[int], str | None]] = {
        "release/1.7": lambda _number: None,
        "release/1.8": lambda number: _text(0, "five * slots + 7", number),
        "release/1.9": lambda _number: None,
        "release/2.0": lambda number: _text(13, "slots", number),
    }
    for name, version in versions.items():
        git(directory, "checkout", "--quiet", "-b", name, "main")
        texts = {f"w/old{number}.py": text for number in numbers if (text := version(number)) is not None}
        commit(directory, f"Begin {name}", {"VERSION": f"{name}\n", **texts})
        git(directory, "checkout", "--quiet", "main")
    for number in numbers:
        git(directory, "mv", f"w/old{number}.py", f"w/table{number}.py")
    commit(directory, "Rewrite the tables", {f"w/table{number}.py": _text(26, "slots", number) for number in numbers})
    commits = {}
    for number in numbers:
        files = {f"w/table{number}.py": _text(26, "slots * width", number), f"checks/t{number}.check": _check(number)}
        commit(directory, f"Size table {number} (#{number})", files)
        commits[number] = git(directory, "rev-parse", "HEAD")
    return commits

"""Halves that are safe by themselves are not joined to a whole that is not."""

from __future__ import annotations

from bot.git.repository import Repository
from bot.models import Conflict
from bot.pick.merge.regions import LineRegion, split_lines
from bot.pick.merge.unsafe_joins import joins_dangerously, takes_half_of_a_guard
from tests.git.history import History
from tests.pick.plans import run_ladder

QUOTED = """\
def set_option(run, name, value):
    command = ["tool", "config", "--set", name, quote(value)]
    run(" ".join(command), shell=True)


def quote(text):
    return shlex.quote(text)
"""


def lines(text: str) -> tuple[bytes, ...]:
    return tuple(split_lines(text.encode()))


def test_statement_with_a_half_of_each_side_is_refused_where_one_changed_quoting() -> None:
    region = LineRegion(lines("run(quote(a), b)\n"), lines("run(quote(a), b, cwd=c)\n"), lines("run([a], b)\n"))
    assert joins_dangerously(region, lines("run([a], b, cwd=c)\n"))
    assert not joins_dangerously(region, region.theirs)


def test_statement_is_joined_where_no_side_changed_such_a_thing() -> None:
    region = LineRegion(lines("def f(a, b):\n"), lines("def f(a: int, b):\n"), lines("def f(a, b, c):\n"))
    assert not joins_dangerously(region, lines("def f(a: int, b, c):\n"))


def test_half_of_a_change_of_quoting_is_refused() -> None:
    base, theirs = b"x = quote(v)\nrun(x)\n", b"x = v\nrun([x])\n"
    contested = LineRegion(lines("run(x)\n"), lines("run(x, shell=True)\n"), lines("run([x])\n"))
    assert takes_half_of_a_guard(base, theirs, [(contested, contested.ours)])
    assert not takes_half_of_a_guard(base, theirs, [(contested, contested.theirs)])


def test_shell_injection_is_left_as_a_conflict(history: History, repository: Repository) -> None:
    """The original passes a list and no longer quotes; the branch runs the same string in another directory."""
    base = history.commit({"option.py": QUOTED})
    safe = QUOTED.replace(", quote(value)]", ", value]").replace('run(" ".join(command), shell=True)', "run(command)")
    original = history.commit({"option.py": safe}, base)
    branch = history.commit({"option.py": QUOTED.replace("shell=True", 'shell=True, cwd="/"')}, base)
    assert isinstance(run_ladder(repository, branch, original), Conflict)


def test_guard_that_only_stands_elsewhere_is_no_change_of_it() -> None:
    contested = LineRegion(lines("run(x)\n"), lines("run(x, 1)\n"), lines("go(x)\n"))
    moved_sides = (b"x = quote(v)\nrun(x)\n", b"# first\ny = quote(v)\ngo(x)\n")
    assert not takes_half_of_a_guard(*moved_sides, [(contested, contested.ours)])
    assert takes_half_of_a_guard(b"x = quote(v)\n", b"x = unquote(v)\n", [(contested, contested.ours)])

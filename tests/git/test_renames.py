"""Where a file was before it was moved, asked by many branches of one main branch."""

from __future__ import annotations

import pytest

from bot.git.process import Git, ProcessResult
from bot.git.renames import Renames
from bot.git.repository import Repository
from bot.models import Sha
from tests.git.history import History

TEXT = "".join(f"line {number}\n" for number in range(20))


def test_older_paths_are_found_and_the_line_is_read_once(
    history: History, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """base ── x ── a → b ── y ── b → c ── until (main), with a branch off each of base, x and y"""
    base = history.commit({"a": TEXT, "other": "o"})
    x = history.commit({"x": "x"}, base)
    first = history.commit({"a": None, "b": TEXT}, x)
    y = history.commit({"y": "y"}, first)
    second = history.commit({"b": None, "c": TEXT}, y)
    until = history.commit({"c": f"{TEXT}more\n"}, second)
    commands: list[str] = []
    attempt = Git.attempt

    def count_commands(self: Git, *arguments: str, **options: object) -> ProcessResult:
        commands.append(arguments[0])
        return attempt(self, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Git, "attempt", count_commands)
    moves = Renames()
    paths = {since: _older(moves, repository, history, since, until) for since in (base, x, y)}
    assert paths == {base: "a", x: "a", y: "b"}
    assert commands.count("rev-list") == 1
    assert commands.count("diff-tree") == 2


def _older(moves: Renames, repository: Repository, history: History, since: Sha, until: Sha) -> str | None:
    return moves.find_older_path(repository, "c", since=since, until=until, tree=Sha(history.tree(since)))


def test_branch_that_left_a_merged_line_is_asked_about_by_itself(history: History, repository: Repository) -> None:
    """base ── a → b ── merge (main); base ── side, which the merge brings in and the branch is cut from"""
    base = history.commit({"a": TEXT})
    moved_commit = history.commit({"a": None, "b": TEXT}, base)
    side = history.commit({"s": "s"}, base)
    until = history.commit({"s": "s"}, moved_commit, side)
    paths = Renames().find_older_path(repository, "b", since=side, until=until, tree=Sha(history.tree(side)))
    assert paths == "a"

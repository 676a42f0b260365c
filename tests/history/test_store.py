"""The file beside the mirror: each commit is read once, and everything again where that is in doubt."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.git.log import read_log
from bot.git.repository import Repository
from bot.history import store as room
from bot.history.store import HistoryStore
from bot.models import Sha
from tests.git.history import History


def shas(store: HistoryStore, repository: Repository, *tips: Sha) -> set[Sha]:
    commits = store.update(repository, tips)
    return {commits[position].sha for position in range(len(commits))}


def test_a_second_reading_asks_git_only_for_what_is_new(
    history: History, repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[set[Sha], set[Sha]]] = []
    read = read_log

    def counting(repository: Repository, tips: set[Sha], known_commits: list[Sha]) -> object:
        calls.append((set(tips), set(known_commits)))
        return read(repository, tips, known_commits)

    monkeypatch.setattr(room, "read_log", counting)
    one = history.commit({"f": "1"})
    two = history.commit({"f": "2"}, one)
    with HistoryStore(tmp_path / "history.sqlite") as store:
        assert shas(store, repository, one) == {one}
        assert shas(store, repository, one) == {one}
    with HistoryStore(tmp_path / "history.sqlite") as store:
        assert shas(store, repository, two) == {one, two}
    assert calls == [({one}, set()), ({two}, {one})]


def test_parents_come_before_children_however_the_history_grew(
    history: History, repository: Repository, tmp_path: Path
) -> None:
    """base ── a ── merge;  base ── b ──┘, read in the order a, b, merge"""
    base = history.commit({"f": "1"})
    a = history.commit({"a": "1"}, base)
    b = history.commit({"b": "1"}, base)
    merge = history.commit({"b": "1"}, a, b)
    with HistoryStore(tmp_path / "history.sqlite") as store:
        for tip in (a, b, merge):
            commits = store.update(repository, [tip])
        assert all(parent < position for position in range(len(commits)) for parent in commits[position].parents)
        assert [commits[parent].sha for parent in commits[commits.require(merge)].parents] == [a, b]


def test_names_and_messages_keep_bytes_that_are_not_utf8(
    history: History, repository: Repository, tmp_path: Path
) -> None:
    path = b"caf\xe9".decode("utf-8", "surrogateescape")
    commit = history.commit({path: "1", "a\nb": "2"}, message=b"caf\xe9")
    with HistoryStore(tmp_path / "history.sqlite") as store:
        position = store.update(repository, [commit]).require(commit)
        assert set(store.paths([position])[position]) == {path, "a\nb"}
        assert store.messages([position])[position].startswith("caf")


@pytest.mark.parametrize("content", [b"", b"not a database at all", b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_damaged_file_is_made_anew(history: History, repository: Repository, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "history.sqlite"
    path.write_bytes(content)
    commit = history.commit({"f": "1"})
    with HistoryStore(path) as store:
        assert shas(store, repository, commit) == {commit}


def test_a_file_of_another_version_is_made_anew(
    history: History, repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = history.commit({"f": "1"})
    with HistoryStore(tmp_path / "history.sqlite") as store:
        store.update(repository, [commit])
        store.keep_results("topic", {"key": 1})
    monkeypatch.setattr(room, "_VERSION", "another")
    with HistoryStore(tmp_path / "history.sqlite") as store:
        assert store.cached_results("topic") == {}
        assert shas(store, repository, commit) == {commit}


def test_a_history_that_was_cut_off_is_read_again_once_it_is_whole(history: History, tmp_path: Path) -> None:
    one = history.commit({"f": "1"})
    two = history.branch("main", history.commit({"f": "2"}, one))
    shallow = tmp_path / "shallow.git"
    history.git("clone", "--quiet", "--bare", "--depth=1", f"file://{history.directory}", str(shallow), bare=False)
    with Repository.open(shallow) as repository, HistoryStore(tmp_path / "history.sqlite") as store:
        assert shas(store, repository, two) == {two}
        History.git(history, f"--git-dir={shallow}", "fetch", "--quiet", "--unshallow", bare=False)
        assert shas(store, repository, two) == {one, two}


def test_a_tip_that_is_gone_from_the_repository_stops_nothing(
    history: History, repository: Repository, tmp_path: Path
) -> None:
    """base ── rewritten away;  base ── kept"""
    base = history.commit({"f": "1"})
    gone_commit = history.commit({"f": "2"}, base)
    kept_commit = history.commit({"f": "3"}, base)
    with HistoryStore(tmp_path / "history.sqlite") as store:
        store.update(repository, [gone_commit])
        history.lose(gone_commit)
        repository.close()
        assert kept_commit in shas(store, repository, kept_commit)


def test_an_answer_is_kept_until_another_takes_its_place(tmp_path: Path) -> None:
    with HistoryStore(tmp_path / "history.sqlite") as store:
        store.keep_results("topic", {"a": [1], "b": None})
        assert store.cached_result("topic", "a") == [1]
        store.keep_results("topic", {"c": 3}, replace=True)
        assert store.cached_results("topic") == {"c": 3}
        assert store.cached_result("topic", "a") is None

"""git is the judge: hundreds of picks over grown histories with everything that a tree can hold, whole series, huge
trees, and clones that do not hold everything.
"""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from bot.errors import GitError
from bot.git.repository import Repository
from bot.git.trial_pick import CleanPick, try_pick
from bot.models import Candidate, Conflict, Sha
from bot.pick.already_there import AlreadyThere
from bot.pick.cherry_pick import CherryPick
from bot.pick.ladder import pick
from tests.git.history import COMMITTER, File, History, Judge
from tests.git.test_trial_pick import judgement
from tests.pick.plans import plan

ATTRIBUTES = b"*.md merge=union\n*.lock binary\n*.crlf eol=crlf\n*.raw -text\n"
SUBMODULES = tuple(File("160000", (digit * 40).encode()) for digit in "abcd")


class Wilderness:
    """A tree that changes at random in every way that git knows, names and contents of any kind included."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.files: dict[str, bytes | str | File | None] = {".gitattributes": ATTRIBUTES}
        for name in ("a.py", "src/b.py", "src/c.py", "src/deep/d.py", "src/deep/e.md", "f.lock", "caf\udce9.txt"):
            self.files[name] = b"".join(b"%d of a line\n" % line for line in range(16))
        self.files["win.crlf"] = b"".join(b"%d\n" % line for line in range(12))  # CRLF in a worktree only
        self.files["dos.txt"] = b"".join(b"%d\r\n" % line for line in range(12))
        self.files["logo.raw"] = b"\0\1\2" + b"binary\n" * 8
        self.files["link"] = File("120000", b"a.py")
        self.files["vendored"] = SUBMODULES[0]
        self.base = dict(self.files)

    def twin(self) -> Wilderness:
        """Return another that starts from the same base."""
        twin = Wilderness(self.dice)
        twin.files = dict(self.base)
        return twin

    def change(self) -> dict[str, bytes | str | File | None]:
        """Change something and say what."""
        before = dict(self.files)
        while before == self.files:
            for _ in range(self.dice.randint(1, 3)):
                kinds = (
                    self._edit,
                    self._move,
                    self._move_directory,
                    self._delete,
                    self._mode,
                    self._clash,
                    self._turn,
                )
                self.dice.choices(kinds, (10, 2, 1, 1, 1, 1, 2))[0]()
        paths = before.keys() | self.files.keys()
        return {path: self.files.get(path) for path in sorted(paths) if before.get(path) != self.files.get(path)}

    def _texts(self) -> list[str]:
        return sorted(name for name, content in self.files.items() if isinstance(content, bytes) and name[0] != ".")

    def _edit(self) -> None:
        name = self.dice.choice(self._texts())
        content = self.files[name]
        assert isinstance(content, bytes)
        lines = content.splitlines(keepends=True) or [b"\n"]
        index = self.dice.randrange(len(lines))
        end = b"\r\n" if lines[index].endswith(b"\r\n") else b"\n"
        new = b"%s edited %d%s" % (lines[index].rstrip(b"\r\n"), self.dice.randrange(3), end)
        lines[index : index + self.dice.randint(0, 1)] = [new] * self.dice.randint(0, 2)
        self.files[name] = b"".join(lines)

    def _move(self) -> None:
        name = self.dice.choice(self._texts())
        content = self.files.pop(name)
        self.files[self._free(self.dice.choice(("src/", "moved/", "")) + name.rpartition("/")[2])] = content

    def _move_directory(self) -> None:
        old, new = self.dice.choice((("src/", "lib/"), ("src/deep/", "src/low/"), ("lib/", "src/")))
        for name in [name for name in self.files if name.startswith(old)]:
            content = self.files.pop(name)
            self.files[self._free(new + name.removeprefix(old))] = content

    def _delete(self) -> None:
        if len(self._texts()) > 4:
            del self.files[self.dice.choice(self._texts())]

    def _mode(self) -> None:
        # A file with a mode is edited no more, as an edit keeps no mode here.
        name = self.dice.choice(self._texts())
        content = self.files[name]
        assert isinstance(content, bytes)
        if len(self._texts()) > 4:
            self.files[name] = File("100755", content)

    def _clash(self) -> None:
        """Put a directory where a file was, or another file where both sides may add one."""
        name = self.dice.choice(("new.txt", "new.txt/inner", "a.py/inner"))
        head = name.partition("/inner")[0]
        for path in [path for path in self.files if path == head or path.startswith(f"{head}/")]:
            del self.files[path]
        self.files[name] = b"new %d\n" % self.dice.randrange(3)

    def _turn(self) -> None:
        """Point a link or a submodule elsewhere, or turn one into a file."""
        self.files["link"] = self.dice.choice((File("120000", b"src/b.py"), File("120000", b"x"), b"no link\n"))
        self.files["vendored"] = self.dice.choice(SUBMODULES)

    def _free(self, path: str) -> str:
        # Nothing can lie below a file.
        parents = {path[:index] for index, sign in enumerate(path) if sign == "/"}
        return path if parents.isdisjoint(self.files) else path.replace("/", "-")


def grow(history: History, wilderness: Wilderness, base: Sha, count: int) -> list[Sha]:
    commits = []
    for _ in range(count):
        base = history.commit(wilderness.change(), base)
        commits.append(base)
    return commits


@pytest.mark.parametrize("seed", range(10))
def test_every_pick_ends_as_a_real_one(seed: int, history: History, judge: Judge, repository: Repository) -> None:
    """base ── 7 commits (main), each picked onto; base ── 3 commits (branch), of which two are the targets"""
    wilderness = Wilderness(random.Random(1000 + seed))  # noqa: S311 -- the same dice on every machine
    base = history.commit(wilderness.files)
    main = grow(history, wilderness, base, 7)
    branch = grow(history, wilderness.twin(), base, 3)
    pairs = [(original, tip) for original in main for tip in (branch[0], branch[-1])]
    expected = {pair: judge.cherry_pick(*pair) for pair in pairs}
    assert {pair: judgement(repository, *pair) for pair in pairs} == expected
    assert len(Counter(real.verdict for real in expected.values())) > 1, "a history that says only one thing"


@pytest.mark.parametrize("seed", range(5))
def test_a_series_ends_as_real_picks_one_after_the_other(
    seed: int, history: History, judge: Judge, repository: Repository
) -> None:
    """base ── 4 commits (main); base ── 2 commits (branch). Picked: two, three and all four, and a merge of the last"""
    wilderness = Wilderness(random.Random(2000 + seed))  # noqa: S311 -- the same dice on every machine
    base = history.commit(wilderness.files)
    main = grow(history, wilderness, base, 4)
    tip = grow(history, wilderness.twin(), base, 2)[seed % 2]
    merge = history.commit(_all_of(history, base, main[-1]), base, main[-1], message="Merge")
    for series in (tuple(main[:2]), tuple(main[1:]), tuple(main), (merge,)):
        assert _series(repository, tip, series) == _real_series(judge, tip, series)


def _all_of(history: History, base: Sha, tip: Sha) -> dict[str, bytes | str | File | None]:
    """Return what makes the tree of `tip` out of that of `base`."""
    fields = history.git("diff-tree", "-r", "-z", "--no-renames", base, tip).split("\0")
    files: dict[str, bytes | str | File | None] = {}
    with Repository.open(history.directory) as repository:
        for about, path in zip(fields[::2], fields[1::2], strict=False):
            _old, mode, _old_blob, sha, _kind = about.removeprefix(":").split(" ")
            if mode == "000000":
                files[path] = None
            else:
                files[path] = File(mode, sha.encode() if mode == "160000" else repository.read_blob(Sha(sha)))
    return files


def _series(repository: Repository, tip: Sha, series: tuple[Sha, ...]) -> tuple[str, str]:
    """Return how the strategies of git end: the tree, or the commit that conflicts."""
    result = pick(
        repository,
        plan(tip, *series),
        patches={},
        committer=COMMITTER,
        max_prerequisites=0,
        strategies=(AlreadyThere(), CherryPick()),
    )
    if isinstance(result, Candidate):
        return "clean", repository.commit(result.commit).tree
    return ("conflict", result.commit) if isinstance(result, Conflict) else ("empty", "")


def _real_series(judge: Judge, tip: Sha, series: tuple[Sha, ...]) -> tuple[str, str]:
    head = tip
    for commit in series:
        mainline = ("-m", "1") if len(judge.git("show", "-s", "--format=%P", commit).stdout.split()) > 1 else ()
        real = judge.cherry_pick(commit, head, *mainline)
        if real.verdict == "conflict":
            return "conflict", commit
        if real.verdict == "clean":
            head = Sha(judge.git("rev-parse", "HEAD").stdout.decode().strip())
    tree = judge.git("rev-parse", f"{head}^{{tree}}").stdout.decode().strip()
    return ("empty", "") if head == tip else ("clean", tree)


def test_a_tree_of_a_hundred_thousand_files_costs_what_it_touches(history: History, repository: Repository) -> None:
    """base ── original (main); base ── tip (release), in a tree of 100,000 files"""
    blob = history.git("hash-object", "-w", "--stdin", stdin=b"x\n")
    inner = history.git("mktree", stdin="".join(f"100644 blob {blob}\tf{n}\n" for n in range(1000)).encode())
    outer = history.git("mktree", stdin="".join(f"040000 tree {inner}\td{n}\n" for n in range(100)).encode())
    base = Sha(history.git("commit-tree", outer, "-m", "base"))
    original = history.commit({"d3/f3": b"y\n"}, base)
    tip = history.commit({"d4/f4": b"z\n"}, base)
    with repository.quarantine() as quarantine:
        clean_pick = try_pick(quarantine, original, quarantine.commit(tip).tree)
        assert isinstance(clean_pick, CleanPick)
        assert quarantine.changed_paths(quarantine.commit(base).tree, clean_pick.tree) == ("d3/f3", "d4/f4")
        # Three stand-in commits, the empty tree, and what git writes for one changed directory and the root.
        assert sum(1 for path in quarantine.scratch.rglob("*") if path.is_file()) < 10


TEN = [f"line {number}\n" for number in range(10)]


def _branch_off(history: History) -> tuple[Sha, Sha]:
    """base ── original (main); base ── tip (release)"""
    base = history.commit({"f": "".join(TEN), "g": "g\n"})
    original = history.branch("main", history.commit({"f": "".join(["fixed\n", *TEN[1:]])}, base))
    return original, history.branch("release", history.commit({"f": "".join([*TEN[:-1], "ours\n"])}, base))


def _clone(history: History, directory: Path, *options: str) -> Repository:
    history.git("config", "uploadpack.allowFilter", "true")
    history.git("config", "uploadpack.allowAnySHA1InWant", "true")
    history.git("clone", "--quiet", "--bare", *options, f"file://{history.directory}", str(directory), bare=False)
    return Repository.open(directory)


def test_a_shallow_clone_picks_what_it_holds(history: History, judge: Judge, tmp_path: Path) -> None:
    original, tip = _branch_off(history)
    with _clone(history, tmp_path / "shallow.git", "--depth=2", "--no-single-branch") as shallow:
        assert judgement(shallow, original, tip) == judge.cherry_pick(original, tip)


def test_a_commit_whose_parent_a_shallow_clone_lacks_is_an_error_and_no_addition(
    history: History, tmp_path: Path
) -> None:
    """Without its parent a commit looks as if it had added every file."""
    original, tip = _branch_off(history)
    with (
        _clone(history, tmp_path / "shallow.git", "--depth=1", "--no-single-branch") as shallow,
        pytest.raises(GitError, match="There is no commit"),
    ):
        judgement(shallow, original, tip)


def test_a_partial_clone_brings_the_contents_that_a_pick_needs(history: History, judge: Judge, tmp_path: Path) -> None:
    original, tip = _branch_off(history)
    with _clone(history, tmp_path / "partial.git", "--filter=blob:none") as partial:
        assert judgement(partial, original, tip) == judge.cherry_pick(original, tip)


def test_a_partial_clone_without_its_remote_is_an_error_and_no_verdict(history: History, tmp_path: Path) -> None:
    original, tip = _branch_off(history)
    with _clone(history, tmp_path / "partial.git", "--filter=blob:none") as partial:
        history.directory.rename(tmp_path / "gone.git")
        with pytest.raises(GitError):
            judgement(partial, original, tip)

"""Trial picks: the same verdict and tree as a real `git cherry-pick`, which is the judge here, line ends apart."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from bot.errors import GitError
from bot.git.repository import Repository
from bot.git.trial_pick import CleanPick, EmptyPick, UnmergedPick, try_pick
from bot.models import ConflictKind, Sha
from tests.git.history import File, Files, History, Judge, Judgement


def judgement(repository: Repository, commit: Sha, onto: Sha) -> Judgement:
    """Return how a trial pick ends, in the judge's words."""
    with repository.quarantine() as quarantine:
        pick = try_pick(quarantine, commit, quarantine.commit(onto).tree)
    match pick:
        case CleanPick(tree):
            return Judgement("clean", tree)
        case EmptyPick():
            return Judgement("empty")
        case UnmergedPick():
            stages = (
                (file.path, entry.sha, str(number))
                for file in pick.files
                for number, entry in ((1, file.base), (2, file.ours), (3, file.theirs))
                if entry is not None
            )
            return Judgement("conflict", unmerged=frozenset(stages))


def _lines(*lines: str) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


TEN = tuple(f"line {number}" for number in range(10))
SUBMODULES = [File("160000", (digit * 40).encode()) for digit in "abc"]

# name: files at the base, then the main line's change (which is picked), then the branch's change
CASES: dict[str, tuple[Files, Files, Files]] = {
    "same file, far apart": ({"f": _lines(*TEN)}, {"f": _lines("X", *TEN[1:])}, {"f": _lines(*TEN[:-1], "Y")}),
    "same line": ({"f": _lines(*TEN)}, {"f": _lines("X", *TEN[1:])}, {"f": _lines("Y", *TEN[1:])}),
    "same change": ({"f": _lines(*TEN)}, {"f": _lines("X", *TEN[1:])}, {"f": _lines("X", *TEN[1:])}),
    "renamed on the branch": ({"f": _lines(*TEN)}, {"f": _lines("X", *TEN[1:])}, {"f": None, "g": _lines(*TEN)}),
    "renamed by the original": ({"f": _lines(*TEN)}, {"f": None, "g": _lines(*TEN)}, {"f": _lines("X", *TEN[1:])}),
    "renamed to two names": (
        {"f": _lines(*TEN)},
        {"f": None, "g": _lines(*TEN)},
        {"f": None, "h": _lines(*TEN)},
    ),
    "directory renamed on the branch": (
        {f"old/{name}": _lines(name, *TEN) for name in "abc"},
        {"old/new": b"new\n"},
        {f"old/{name}": None for name in "abc"} | {f"new/{name}": _lines(name, *TEN) for name in "abc"},
    ),
    "deleted on the branch": ({"f": _lines(*TEN)}, {"f": _lines("X", *TEN[1:])}, {"f": None}),
    "deleted by the original": ({"f": _lines(*TEN)}, {"f": None}, {"f": _lines("X", *TEN[1:])}),
    "added on both": ({}, {"f": _lines("X", *TEN)}, {"f": _lines("Y", *TEN)}),
    "file against directory": ({}, {"f": b"file\n"}, {"f/inner": b"inner\n"}),
    "submodule moved on both": ({"s": SUBMODULES[0]}, {"s": SUBMODULES[1]}, {"s": SUBMODULES[2]}),
    "submodule moved": ({"s": SUBMODULES[0]}, {"s": SUBMODULES[1]}, {"f": b"other\n"}),
    "submodule added": ({}, {"s": SUBMODULES[0]}, {"f": b"other\n"}),
    "mode changed": ({"f": b"x\n"}, {"f": File("100755", b"x\n")}, {"f": b"y\n"}),
    "link pointed elsewhere on both": (
        {"l": File("120000", b"a")},
        {"l": File("120000", b"b")},
        {"l": File("120000", b"c")},
    ),
    "link against file": ({"l": File("120000", b"a")}, {"l": File("120000", b"b")}, {"l": b"a\n"}),
    "binary on both": ({"b": b"\0base"}, {"b": b"\0theirs"}, {"b": b"\0ours"}),
    "binary on one": ({"b": b"\0base"}, {"b": b"\0theirs"}, {"f": b"other\n"}),
    "CRLF kept": ({"f": b"a\r\nb\r\nc\r\nd\r\n"}, {"f": b"A\r\nb\r\nc\r\nd\r\n"}, {"f": b"a\r\nb\r\nc\r\nD\r\n"}),
    "name and content not UTF-8": (
        {"caf\udce9": b"\xe9\n" + _lines(*TEN)},
        {"caf\udce9": b"\xe8\n" + _lines(*TEN)},
        {"caf\udce9": b"\xe9\n" + _lines(*TEN[:-1], "Y")},
    ),
    "conflict in a name with odd characters": (
        {'q"uo\nte/ä\tb': b"a\n"},
        {'q"uo\nte/ä\tb': b"b\n"},
        {'q"uo\nte/ä\tb': b"c\n"},
    ),
    "markers in the content": (
        {"f": _lines("<<<<<<< HEAD", *TEN)},
        {"f": _lines("<<<<<<< HEAD", "X", *TEN[1:])},
        {"f": _lines("<<<<<<< HEAD", "Y", *TEN[1:])},
    ),
    "union by attributes": (
        {".gitattributes": b"*.md merge=union\n", "f.md": b"a\n"},
        {"f.md": b"a\nX\n"},
        {"f.md": b"a\nY\n"},
    ),
    "union by attributes of a directory": (
        {"d/.gitattributes": b"f merge=union\n", "d/f": b"a\n"},
        {"d/f": b"a\nX\n"},
        {"d/f": b"a\nY\n"},
    ),
    "binary by attributes": (
        {".gitattributes": b"*.lock binary\n", "f.lock": _lines(*TEN)},
        {"f.lock": _lines("X", *TEN[1:])},
        {"f.lock": _lines(*TEN[:-1], "Y")},
    ),
    "union by a macro of the root": (
        {".gitattributes": b"[attr]both merge=union\n", "d/.gitattributes": b"f both\n", "d/f": b"a\n"},
        {"d/f": b"a\nX\n"},
        {"d/f": b"a\nY\n"},
    ),
    "union by attributes of the directory that the branch moved it to": (
        {"d/f": _lines(*TEN), "d/.gitattributes": b"f merge=union\n"},
        {"d/f": _lines(*TEN, "X")},
        {"d/f": None, "d/.gitattributes": None, "e/f": _lines(*TEN, "Y"), "e/.gitattributes": b"f merge=union\n"},
    ),
    "no end of line": ({"f": b"a\nb"}, {"f": b"a\nB"}, {"f": b"A\nb"}),
    "everything deleted": ({"d/f": b"a\n"}, {"d/f": None}, {"g": b"b\n"}),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_pick_ends_as_a_real_cherry_pick_does(
    case: str, history: History, judge: Judge, repository: Repository
) -> None:
    """base ── original (main)
    └──── tip (branch)
    """
    base_files, main_files, branch_files = CASES[case]
    base = history.commit({**base_files, "unrelated": b"unrelated\n"})
    original, tip = history.commit(main_files, base), history.commit(branch_files, base)
    assert judgement(repository, original, tip) == judge.cherry_pick(original, tip)


@pytest.mark.parametrize("seed", range(8))
def test_pick_ends_as_a_real_cherry_pick_does_over_grown_histories(
    seed: int, history: History, judge: Judge, repository: Repository
) -> None:
    """base ── 8 commits (main), each of them picked onto
    └──── 4 commits (branch), the first, a middle and the last of which are the targets
    """
    dice = random.Random(seed)  # noqa: S311 -- the same dice on every machine
    garden = Garden(dice)
    base = history.commit(garden.files)
    main = _grow(history, garden, base, 8)
    branch = _grow(history, garden.twin(), base, 4)
    pairs = [(original, tip) for original in main for tip in (branch[0], branch[2], branch[-1])]
    expected = {pair: judge.cherry_pick(*pair) for pair in pairs}
    assert {pair: judgement(repository, *pair) for pair in pairs} == expected
    assert len(Counter(real.verdict for real in expected.values())) > 1, "a history that says only one thing"


def _grow(history: History, garden: Garden, base: Sha, count: int) -> list[Sha]:
    commits = []
    for _ in range(count):
        base = history.commit(garden.change(), base)
        commits.append(base)
    return commits


class Garden:
    """Files that change at random, the way source trees do."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        names = ("README", "src/a.py", "src/b.py", "src/deep/c.py", "src/deep/d.py", "docs/e.md", "caf\udce9")
        self.files: dict[str, bytes | str | File | None] = {
            name: b"".join(b"%s %d\n" % (name[-4:].encode(errors="replace"), line) for line in range(14))
            for name in names
        }
        self.base = dict(self.files)

    def twin(self) -> Garden:
        """Return a garden that starts from the same base."""
        second_garden = Garden(self.dice)
        second_garden.files = dict(self.base)
        return second_garden

    def change(self) -> dict[str, bytes | str | File | None]:
        """Change one to three files and say what changed."""
        before = dict(self.files)
        for _ in range(self.dice.randint(1, 3)):
            name = self.dice.choice(sorted(self.files))
            self.dice.choices((self._edit, self._rename, self._delete, self._mode), (12, 2, 1, 1))[0](name)
        paths = before.keys() | self.files.keys()
        return {path: self.files.get(path) for path in sorted(paths) if before.get(path) != self.files.get(path)}

    def _content(self, name: str) -> bytes:
        entry = self.files[name]
        return entry.content if isinstance(entry, File) else bytes(entry)  # type: ignore[arg-type]

    def _edit(self, name: str) -> None:
        lines = self._content(name).splitlines(keepends=True) or [b"\n"]
        index = self.dice.randrange(len(lines))
        new = b"%s edited %d\n" % (lines[index].rstrip(b"\n"), self.dice.randrange(3))
        lines[index : index + self.dice.randint(0, 1)] = [new] * self.dice.randint(0, 2)
        self.files[name] = b"".join(lines)

    def _rename(self, name: str) -> None:
        self.files[self.dice.choice(("src/", "moved/", "")) + name.rpartition("/")[2]] = self.files.pop(name)

    def _delete(self, name: str) -> None:
        if len(self.files) > 3:
            del self.files[name]

    def _mode(self, name: str) -> None:
        self.files[name] = File("100755", self._content(name))


def test_merge_commit_is_picked_against_its_first_parent(
    history: History, judge: Judge, repository: Repository
) -> None:
    """base ── main ── merge
    ├──────────────── feature ── fix ┘
    └──── tip (branch)
    """
    base = history.commit({"f": _lines(*TEN), "g": b"g\n"})
    main = history.commit({"g": b"G\n"}, base)
    fix = history.commit({"f": _lines("X", *TEN[1:])}, base)
    merge = history.commit({"f": _lines("X", *TEN[1:])}, main, fix)
    tip = history.commit({"f": _lines(*TEN[:-1], "Y")}, base)
    assert judgement(repository, merge, tip) == judge.cherry_pick(merge, tip, "-m", "1")


def test_root_commit_is_picked_as_an_addition(history: History, judge: Judge, repository: Repository) -> None:
    """root (another history); tip (branch)"""
    root, tip = history.commit({"new": b"n\n"}), history.commit({"f": b"f\n"})
    assert judgement(repository, root, tip) == judge.cherry_pick(root, tip)


def test_pick_leaves_no_object_behind(history: History, repository: Repository) -> None:
    """base ── original; base ── tip"""
    base = history.commit({"f": _lines(*TEN)})
    original, tip = history.commit({"f": _lines("X", *TEN[1:])}, base), history.commit({"g": b"g\n"}, base)
    before = history.git("cat-file", "--batch-check", "--batch-all-objects")
    assert judgement(repository, original, tip).verdict == "clean"
    assert history.git("cat-file", "--batch-check", "--batch-all-objects") == before


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "kind", "regions"),
    [
        (_lines(*TEN), _lines("Y", *TEN[1:-1], "Y"), _lines("X", *TEN[1:-1], "X"), ConflictKind.CONTENT, 2),
        (_lines(*TEN), None, _lines("X", *TEN[1:]), ConflictKind.MODIFY_DELETE, 0),
        (_lines(*TEN), _lines("X", *TEN[1:]), None, ConflictKind.MODIFY_DELETE, 0),
        (None, b"ours\n", b"theirs\n", ConflictKind.ADD_ADD, 1),
        (b"\0base", b"\0ours", b"\0theirs", ConflictKind.BINARY, 0),
        (*SUBMODULES, ConflictKind.SUBMODULE, 0),
        (
            File("120000", b"a"),
            File("120000", b"b"),
            File("120000", b"c"),
            ConflictKind.OTHER,
            0,
        ),
        (
            b"<<<<<<< HEAD\n" + _lines(*TEN),
            b"<<<<<<< HEAD\n" + _lines("Y", *TEN[1:]),
            b"<<<<<<< HEAD\n" + _lines("X", *TEN[1:]),
            ConflictKind.CONTENT,
            1,
        ),
    ],
)
def test_conflict_is_described_by_its_stages(
    base: bytes | File | None,
    ours: bytes | File | None,
    theirs: bytes | File | None,
    kind: ConflictKind,
    regions: int,
    history: History,
    repository: Repository,
) -> None:
    """start ── original; start ── tip"""
    start = history.commit({"kept": b"kept\n", **({"f": base} if base is not None else {})})
    original, tip = history.commit({"f": theirs}, start), history.commit({"f": ours}, start)
    with repository.quarantine() as quarantine:
        pick = try_pick(quarantine, original, quarantine.commit(tip).tree)
    assert isinstance(pick, UnmergedPick)
    assert [(file.path, file.kind, file.regions) for file in pick.files] == [("f", kind, regions)]


def test_missing_object_is_an_error_and_no_verdict(history: History, repository: Repository) -> None:
    """base ── original, whose file is gone from the object store; base ── tip"""
    base = history.commit({"f": _lines(*TEN)})
    original, tip = (
        history.commit({"f": _lines("X", *TEN[1:])}, base),
        history.commit({"f": _lines("Y", *TEN[1:])}, base),
    )
    history.lose(history.git("rev-parse", f"{original}:f"))
    with repository.quarantine() as quarantine, pytest.raises(GitError):
        try_pick(quarantine, original, quarantine.commit(tip).tree)


@pytest.mark.parametrize("lost_part", ["original", "tip"])
def test_missing_directory_is_an_error_and_not_an_empty_one(
    lost_part: str, history: History, repository: Repository
) -> None:
    """base ── original (main); base ── tip (release); the directory d of one of them is lost"""
    base = history.commit({"d/f": "f\n", "d/g": "g\n", "e": "e\n"})
    commits = {
        "original": history.commit({"d/new": "new\n"}, base),
        "tip": history.commit({"d/other": "other\n"}, base),
    }
    target_tree = history.tree(commits["tip"])
    history.lose(history.git("rev-parse", f"{commits[lost_part]}:d"))
    with repository.quarantine() as quarantine, pytest.raises(GitError):
        try_pick(quarantine, commits["original"], target_tree)

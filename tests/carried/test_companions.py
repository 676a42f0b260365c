"""Which companions are carried, and in which order: on a small project whose patches each raise a number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from bot.carried.apply import Applied, StepFailure, apply
from bot.carried.companions import apply_companions, companions_of, needed_companions, patches_to_apply_first
from bot.carried.load import CarriedPatch, load_patches
from tests.carried.conftest import MemoryTree

BROKEN = b"def sizes():\n    a = 1\n    b = 1\n    c = 1\n    d = 1\n"


def write_patch(
    folder: Path,
    letter: str,
    *,
    companions: Sequence[str] = (),
    after: Sequence[str] = (),
    steps: int = 1,
    needs: str = "",
) -> None:
    """Write the patch that makes a variable 2 where it is 1; with no place expected where there is one, it fails.

    Where `needs` is not in the file, the tree is not fixed by it.
    """
    expect = "exactly 1" if steps else "exactly 3"
    document = {
        "provenance": {
            "original": {"repository": "acme/sizes", "pull_request": ord(letter), "title": letter, "author": "ann"},
            "summary": letter,
        },
        "target": {
            "project": "sizes",
            "roots": ["."],
            "package": "sizes",
            "files": {"all": {"path": "sizes/all.py", "defines": "def sizes("}},
        },
        "functions": {"sizes": {"file": "all", "name": "sizes"}},
        "rules": {
            f"is-{n}": {"file": "all", "says": f"{letter} is {n}", "rule": {"pattern": f"{letter} = {n}"}}
            for n in (1, 2)
        }
        | {"needs": {"file": "all", "says": "what it needs", "rule": {"pattern": needs or f"{letter} = 2"}}},
        "detect": [
            {"status": "affected", "when": [{"some": "is-1"}], "reason": "It is 1."},
            {"status": "fixed", "when": [{"some": "is-2"}, {"some": "needs"}], "reason": "It is 2."},
            {"status": "not-affected", "when": [{"none": "is-1"}], "reason": "It is not there."},
        ],
        "steps": [
            {
                "name": "raise",
                "function": "sizes",
                "expect": expect,
                "edits": [{"rule": {"pattern": f"{letter} = 1"}, "replace": f"{letter} = 2"}],
            }
        ],
        "companions": [{"patch": name, "reason": f"{name} belongs.", "needed_on": "all"} for name in companions],
        "apply_after": list(after),
    }
    (folder / letter).mkdir(parents=True)
    (folder / letter / "patch.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")


def names(patch: str, patches: Mapping[str, CarriedPatch]) -> list[str]:
    return [companion.name for companion in companions_of(patches[patch], patches)]


def test_companions_of_companions_belong_too_and_come_after_them(tmp_path: Path) -> None:
    write_patch(tmp_path, "a", companions=["b", "c"])
    write_patch(tmp_path, "b", companions=["d"])
    write_patch(tmp_path, "c")
    write_patch(tmp_path, "d")
    assert names("a", load_patches([tmp_path])) == ["b", "c", "d"]


def test_a_companion_comes_after_what_it_must_follow(tmp_path: Path) -> None:
    write_patch(tmp_path, "a", companions=["b", "c"])
    write_patch(tmp_path, "b", after=["a", "c"])
    write_patch(tmp_path, "c", after=["d"])
    write_patch(tmp_path, "d")
    assert names("a", load_patches([tmp_path])) == ["c", "b"], "d must go before c only where d is carried as well"


def test_patches_that_name_each_other_end(tmp_path: Path) -> None:
    write_patch(tmp_path, "a", companions=["b"])
    write_patch(tmp_path, "b", companions=["a", "c", "not-loaded"], after=["c"])
    write_patch(tmp_path, "c", companions=["b"], after=["b"])
    assert names("a", load_patches([tmp_path])) == ["c", "b"]


def test_only_what_the_tree_is_affected_by_is_carried_each_on_top_of_the_last(tmp_path: Path) -> None:
    write_patch(tmp_path, "a", companions=["b", "c", "d"])
    for letter in "bcd":
        write_patch(tmp_path, letter)
    patches = load_patches([tmp_path])
    text = BROKEN.replace(b"c = 1", b"c = 2")
    tree = MemoryTree({"sizes/__init__.py": b"", "sizes/all.py": text})
    first = apply(tree, patches["a"])
    assert isinstance(first, Applied)
    outcomes = apply_companions(tree.changed(first.changes), patches["a"], patches)
    assert [outcome.patch for outcome in outcomes] == ["b", "d"]
    last = outcomes[-1]
    assert isinstance(last, Applied)
    assert last.changes["sizes/all.py"] == text.replace(b"1", b"2")


def test_a_companion_that_does_not_fit_stops_no_other(tmp_path: Path) -> None:
    write_patch(tmp_path, "a", companions=["b", "c"])
    write_patch(tmp_path, "b", steps=0)
    write_patch(tmp_path, "c")
    patches = load_patches([tmp_path])
    misfit, fit = apply_companions(
        MemoryTree({"sizes/__init__.py": b"", "sizes/all.py": BROKEN}), patches["a"], patches
    )
    assert isinstance(misfit, StepFailure)
    assert isinstance(fit, Applied)
    assert fit.changes["sizes/all.py"] == BROKEN.replace(b"c = 1", b"c = 2")


def test_the_shipped_patch_names_its_companions_in_an_order(patches: Mapping[str, CarriedPatch]) -> None:
    assert names("sglang-24587", patches) == ["sglang-22598", "sglang-27485", "sglang-25556"]


def test_a_companion_that_the_base_needs_is_proven_also_where_the_candidate_lacks_it(tmp_path: Path) -> None:
    write_patch(tmp_path, "a", companions=["b", "c", "d"])
    for letter in "bcd":
        write_patch(tmp_path, letter)
    patches = load_patches([tmp_path])
    base = MemoryTree({"sizes/__init__.py": b"", "sizes/all.py": b"def sizes():\n    a = 1\n    b = 1\n    c = 2\n"})
    candidate = base.changed({"sizes/all.py": b"def sizes():\n    a = 2\n    b = 1\n    c = 2\n    d = 2\n"})
    companions = needed_companions(base, candidate, patches["a"], patches)
    assert [companion.name for companion in companions] == ["b", "d"]


def first(text: bytes, patches: Mapping[str, CarriedPatch]) -> list[str]:
    tree = MemoryTree({"sizes/__init__.py": b"", "sizes/all.py": text})
    return [patch.name for patch in patches_to_apply_first(tree, patches["a"], patches)]


def test_what_goes_first_is_named_where_the_patch_applies_only_after_it(tmp_path: Path) -> None:
    write_patch(tmp_path, "a", after=["b", "c", "not-loaded"], needs="b = 2")
    write_patch(tmp_path, "b", after=["d"])
    write_patch(tmp_path, "c")
    write_patch(tmp_path, "d")
    patches = load_patches([tmp_path])
    # c is fixed here, so it need not go first; d goes before b.
    assert first(BROKEN.replace(b"c = 1", b"c = 2"), patches) == ["d", "b"]
    assert first(BROKEN.replace(b"b = 1", b"b = 2"), patches) == [], "it applies as it is"


def test_nothing_goes_first_where_it_would_not_help(tmp_path: Path) -> None:
    write_patch(tmp_path, "a", after=["b"], steps=0)
    write_patch(tmp_path, "b")
    assert first(BROKEN, load_patches([tmp_path])) == []
    write_patch(tmp_path / "other", "a", after=["b"], needs="b = 2")
    write_patch(tmp_path / "other", "b", steps=0)
    assert first(BROKEN, load_patches([tmp_path / "other"])) == [], "b does not apply itself"


def test_patches_that_must_each_go_first_end(tmp_path: Path) -> None:
    write_patch(tmp_path, "a", after=["b"], needs="b = 2")
    write_patch(tmp_path, "b", after=["a"])
    assert first(BROKEN, load_patches([tmp_path])) == ["b"]

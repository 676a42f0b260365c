"""Mutants of what a carried patch writes: how they are made, who finds them, and why some need not be found."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from bot.carried.load import CarriedPatch, bundled_patches, load_patches
from bot.carried.schema import HarmlessMutant
from bot.carried.source_tree import DirectoryTree
from bot.errors import ConfigError
from bot.models import Suite
from bot.mutation.__main__ import main
from bot.mutation.operators import KINDS, Mutation, mutations
from bot.mutation.patched_source import PatchedFile
from bot.mutation.run_suite import suite_judge
from bot.mutation.score import Fate, FixedTree, fixed_trees, score

BACKEND = "sglang/srt/layers/attention/aiter_backend.py"
BEFORE = """\
class Backend:
    def init(self, max_bs, max_len):
        self.keep_table = None
        self.page_table = torch.zeros((max_bs * max_len), dtype=torch.int32, device=self.device)

    def read(self, bs):
        table = self.keep_table
        return table
"""
AFTER = """\
class Backend:
    def init(self, max_bs, max_len):
        self.keep_table = None
        if self.use_pages and max_bs > 0:
            self.page_table = torch.zeros((max_bs * max_len + 1), dtype=torch.int32, device=self.device)

    def read(self, bs):
        table = self.page_table[:bs]
        return table
"""


def made(kind: str) -> set[str]:
    """Return what mutants of one kind have in the place of what they change."""
    return {m.after for m in mutations(PatchedFile("b.py", BEFORE, AFTER)) if m.kind == kind}


def test_every_kind_of_mutant_is_made_of_what_was_written_and_nothing_else() -> None:
    all_mutations = list(mutations(PatchedFile("b.py", BEFORE, AFTER)))
    assert {m.kind for m in all_mutations} == set(KINDS)
    assert len({m.source for m in all_mutations}) == len(all_mutations)
    for mutation in all_mutations:
        ast.parse(mutation.source)
        before, after = AFTER.splitlines(), mutation.source.splitlines()
        assert after[:3] == before[:3], mutation
        assert after[-1] == before[-1], mutation


def test_mutants_are_what_a_wrong_fix_would_be() -> None:
    assert {"(max_bs + max_len)", "(max_bs * max_len - 1)"} <= made("operator")
    assert {"max_bs * max_len", "1", "max_bs"} <= made("operand")
    assert {"2", "0", "64"} <= made("constant")
    assert {"True", "False", "self.use_pages and max_bs > 0 and not is_hip()"} <= made("condition")
    assert {"max_bs >= 0", "max_bs < 0"} <= made("comparison")
    assert "min(max_len, 64)" in made("limit")
    assert {"max_len", "max_bs"} <= made("swapped names")
    assert "torch.int64" in made("dtype")
    assert '"cpu"' in made("device")
    assert {"bs - 1", "min(bs, 4)"} <= made("slice")
    assert "self.page_table[:bs].clone()" in made("copy")
    assert "pass" in made("dropped statement")
    assert any(text.startswith("if max_bs in (1, 16, 64):\n") for text in made("special case"))


@pytest.fixture(scope="module")
def patches() -> Mapping[str, CarriedPatch]:
    """The carried patches as they are shipped."""
    return load_patches([bundled_patches()])


@pytest.fixture(scope="module")
def fixed(patches: Mapping[str, CarriedPatch], release_tree: Callable[[str], Path]) -> FixedTree:
    """The token buffer's fix on 0.5.12."""
    (only,) = fixed_trees(DirectoryTree(release_tree("0.5.12")), patches["sglang-24587"], patches)
    return only


def mutant(fixed: FixedTree, before: str, after: str, kind: str = "limit") -> Mutation:
    """Make one mutant by hand, of the first place with that text in what the patch wrote."""
    offset = next(
        fixed.patched_file.after.index(before, place)
        for line, place in line_starts(fixed.patched_file.after)
        if line in fixed.patched_file.changed_lines and before in fixed.patched_file.after[place:].splitlines()[0]
    )
    source = fixed.patched_file.after[:offset] + after + fixed.patched_file.after[offset + len(before) :]
    return Mutation(kind, fixed.patched_file.after[:offset].count("\n") + 1, before, after, source)


def line_starts(text: str) -> list[tuple[int, int]]:
    """Return the number and the offset of each line."""
    starts, place = [], 0
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        starts.append((number, place))
        place += len(line)
    return starts


SIZE = "max_bs * max_num_blocks_per_seq * self.page_size"


def test_a_wrong_mutant_is_found_by_the_rule_that_proves_the_size(fixed: FixedTree) -> None:
    scored = score(fixed, mutant(fixed, SIZE, f"{SIZE} // 2"), None)
    assert scored.fate is Fate.RULES
    assert "sglang-24587: affected" in scored.detail


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        (SIZE, f"({SIZE})", "the syntax tree is the same"),
        (SIZE, "self.page_size * (max_num_blocks_per_seq * max_bs)", "the function leaves the same sizes"),
        (SIZE, f"{SIZE} + 1", "all that the statement sets is proven right"),
    ],
)
def test_a_right_mutant_is_harmless_for_a_reason(fixed: FixedTree, before: str, after: str, reason: str) -> None:
    scored = score(fixed, mutant(fixed, before, after), None)
    assert scored.fate is Fate.HARMLESS, scored.detail
    assert scored.detail.startswith(reason)


def test_what_no_argument_covers_is_left_to_the_suite_and_to_a_declaration(fixed: FixedTree) -> None:
    wider = mutant(fixed, "self.use_triton_unified_attention", "True", kind="condition")
    bare_value = replace(
        fixed, patch=replace(fixed.patch, file=fixed.patch.file.model_copy(update={"harmless_mutants": ()}))
    )
    assert score(bare_value, wider, None).fate is Fate.NOT_RUN
    assert score(bare_value, wider, lambda tree, content: "incomplete: 1 case").fate is Fate.SUITE
    assert score(bare_value, wider, lambda tree, content: "").fate is Fate.SURVIVED
    entry = HarmlessMutant(mutant="condition, line *: `self.use_triton*` → `True`", reason="only memory")
    declared = bare_value.patch.file.model_copy(update={"harmless_mutants": (entry,)})
    scored = score(replace(bare_value, patch=replace(bare_value.patch, file=declared)), wider, None)
    assert (scored.fate, scored.detail) == (Fate.HARMLESS, "declared: only memory")


def test_the_suite_judges_the_very_tree_of_a_mutant_and_leaves_the_target_as_it_is(
    fixed: FixedTree, patches: Mapping[str, CarriedPatch], release_tree: Callable[[str], Path], tmp_path: Path
) -> None:
    """A suite that only looks for a text: it fails on the base, passes on the fix, and finds one mutant of two."""
    (tmp_path / "test_it.py").write_text(
        "import os, pathlib\n\ndef test_it():\n"
        f"    source = pathlib.Path(os.environ['SUITE_TARGET'], {BACKEND!r}).read_text()\n"
        f"    assert {SIZE!r} in source\n",
        encoding="utf-8",
    )
    small = replace(fixed, patch=replace(fixed.patch, suite=Suite(name=fixed.patch.name, directory=tmp_path)))
    file = release_tree("0.5.12") / BACKEND
    before = file.read_bytes()
    with suite_judge(release_tree("0.5.12"), small, patches, "cpu") as judge:
        wrong_mutant, right_mutant = mutant(small, SIZE, "max_bs * self.page_size"), mutant(small, SIZE, f"{SIZE} * 2")
        assert judge(small.with_mutant(wrong_mutant), wrong_mutant.source.encode()).startswith("incomplete")
        assert judge(small.with_mutant(right_mutant), right_mutant.source.encode()) == ""
    assert file.read_bytes() == before


def test_a_tree_that_needs_no_fix_gives_no_mutants(
    patches: Mapping[str, CarriedPatch], release_tree: Callable[[str], Path]
) -> None:
    with pytest.raises(ConfigError, match="no mutant was made"):
        fixed_trees(DirectoryTree(release_tree("0.5.13")), patches["sglang-24587"], patches)


@pytest.mark.timeout(900)
def test_no_mutant_of_a_sample_survives(capsys: pytest.CaptureFixture[str]) -> None:
    """The sample is another with every commit, and `--seed` draws it again; the nightly workflow tries all of them."""
    code = main(["--sample", "16", "--suite-runs", "1"])
    output_text = capsys.readouterr().out
    print(output_text)  # noqa: T201 - shown where the test fails
    assert code == 0, output_text
    assert "by --seed " in output_text

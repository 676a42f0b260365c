"""Reading patch.yaml files: what is refused, and in which words; and a project that is not sglang."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from bot.carried.apply import Applied, StepFailure, apply
from bot.carried.detect import check
from bot.carried.load import CarriedPatch, bundled_patches, find_original, load_patch, load_patches
from bot.carried.schema import PatchFile
from bot.carried.source_tree import DirectoryTree
from bot.errors import ConfigError
from bot.models import Affectedness

Document = dict[str, Any]


@pytest.fixture
def document() -> Document:
    """A patch for a small project: a ring of slots that one message too many overwrites."""
    return {
        "provenance": {
            "original": {"repository": "acme/ring", "pull_request": 7, "title": "Leave room", "author": "ada"},
            "summary": "The ring is one slot short.",
        },
        "target": {
            "project": "ring",
            "roots": ["."],
            "package": "ring",
            "files": {"ring": {"path": "ring/buffer.py", "defines": "def make("}},
        },
        "functions": {"make": {"file": "ring", "name": "make", "parameters": ["count"]}},
        "rules": {
            "pushes": {"file": "ring", "says": "a message is pushed", "rule": {"pattern": "$RING.push($MESSAGE)"}}
        },
        "measures": {
            "room": {
                "function": "make",
                "samples": {"count": [1, 8]},
                "calls": "Ring",
                "expect": "slots > count",
                "says": "there is no free slot",
            }
        },
        "detect": [
            {"status": "affected", "when": [{"fails": "room"}, {"some": "pushes"}], "reason": "The ring overwrites."},
            {"status": "fixed", "when": [{"holds": "room"}], "reason": "The ring has room."},
        ],
        "steps": [
            {
                "name": "leave-room",
                "function": "make",
                "expect": "exactly 1",
                "edits": [
                    {
                        "rule": {"pattern": {"context": "f(slots=$N)", "selector": "keyword_argument"}},
                        "replace": "slots=$count + 1",
                    }
                ],
            }
        ],
    }


Loader = Callable[[Document], CarriedPatch]


@pytest.fixture
def load(tmp_path: Path) -> Loader:
    def load_document(document: Document) -> CarriedPatch:
        folder = tmp_path / "ring-7"
        folder.mkdir(exist_ok=True)
        (folder / "patch.yaml").write_text(yaml.safe_dump(document))
        return load_patch(folder)

    return load_document


def _ring(tmp_path: Path, source: str) -> DirectoryTree:
    (tmp_path / "tree" / "ring").mkdir(parents=True)
    (tmp_path / "tree" / "ring" / "buffer.py").write_text(source)
    return DirectoryTree(tmp_path / "tree")


def test_any_project_is_checked_and_fixed_by_its_own_rules(tmp_path: Path, document: Document, load: Loader) -> None:
    patch = load(document)
    tree = _ring(tmp_path, "def make(n):\n    ring = Ring(slots=n)\n    ring.push(0)\n    return ring\n")
    assert check(tree, patch).status is Affectedness.AFFECTED
    outcome = apply(tree, patch)
    assert isinstance(outcome, Applied)
    assert b"Ring(slots=n + 1)" in outcome.changes["ring/buffer.py"]


def test_a_call_that_is_not_seen_is_unknown(tmp_path: Path, document: Document, load: Loader) -> None:
    report = check(_ring(tmp_path, "def make(n):\n    return build(n)\n"), load(document))
    assert report.status is Affectedness.UNKNOWN
    assert "no call of `Ring` was seen" in report.reason


def test_two_places_are_not_one(tmp_path: Path, document: Document, load: Loader) -> None:
    source = "def make(n):\n    a = Ring(slots=n)\n    b = Ring(slots=n)\n    a.push(b)\n"
    result = apply(_ring(tmp_path, source), load(document))
    assert isinstance(result, StepFailure)
    assert (result.expected, result.found) == ("exactly 1 to rewrite", "2 places (line 2, 3)")


def _unknown_key(document: Document) -> None:
    document["steps"][0]["edits"][0]["replcae"] = "x"


def _unknown_top_key(document: Document) -> None:
    document["detekt"] = []


def _unknown_key_in_a_section_named_like_a_key(document: Document) -> None:
    document["target"]["files"]["rule"] = {"path": "x.py", "definse": "x"}


def _line_of(document: Document, text: str) -> int:
    lines = yaml.safe_dump(document).splitlines()
    return next(number for number, line in enumerate(lines, start=1) if text in line)


def _unknown_key_in_a_map(document: Document) -> None:
    document["measures"]["room"]["expects"] = "x"


@pytest.mark.parametrize(
    ("spoil", "place", "nearest"),
    [
        (_unknown_key, "steps.0.edits.0.replcae", "replace"),
        (_unknown_top_key, "detekt", "detect"),
        (_unknown_key_in_a_map, "measures.room.expects", "expect"),
        (_unknown_key_in_a_section_named_like_a_key, "files.rule.definse", "defines"),
    ],
)
def test_an_unknown_key_is_refused_with_file_line_place_and_nearest_key(
    spoil: Callable[[Document], None], place: str, nearest: str, document: Document, load: Loader
) -> None:
    spoil(document)
    with pytest.raises(ConfigError) as caught:
        load(document)
    line = _line_of(document, f"{place.rpartition('.')[2]}:")
    assert re.search(rf"patch\.yaml, line {line}: `[a-z.]*{re.escape(place)}` is not a key", caught.value.message)
    assert caught.value.hint == f"Did you mean `{nearest}`?"


def _set(document: Document, path: str, value: object) -> None:
    *sections, key = path.split(".")
    section: Any = document
    for name in sections:
        section = section[int(name) if name.isdigit() else name]
    if value is None:
        del section[key]
    else:
        section[key] = value


@pytest.mark.parametrize(
    ("path", "value", "message", "hint"),
    [
        ("steps.0.expect", "exactly 0", "is the text `exactly 0` and does not have the right form", "One rewrite."),
        ("steps.0.edits", [], "is empty and must have at least 1 entry", "What to match"),
        ("detect.0.status", "broken", "is the text `broken`, and must be `affected`, `fixed` or `not-affected`.", ""),
        ("provenance.original.pull_request", "seven", "is the text `seven` and must be a whole number", ""),
        ("provenance.original.merged", "May", "is the text `May` and must be a date", "only the release that has it"),
        (
            "measures.room.samples.count",
            [[1]],
            "is a list and must be `true` or `false` or a whole number or a number or text",
            "",
        ),
        ("functions.make.class", 3, "is the number `3` and must be text", "A function in a file."),
        ("functions.make.name", None, "is missing", "Add it: A function in a file."),
        ("functions.make", "make", "is the text `make` and must be a group of keys", "A function in a file."),
    ],
)
def test_a_wrong_value_is_refused_in_the_words_of_backport_yaml(
    path: str, value: object, message: str, hint: str, document: Document, load: Loader
) -> None:
    _set(document, path, value)
    with pytest.raises(ConfigError) as caught:
        load(document)
    assert re.search(rf"patch\.yaml, line \d+: `{re.escape(path)}(\.0)?` {re.escape(message)}", caught.value.message)
    assert hint in caught.value.hint
    assert caught.value.hint


def test_a_name_that_is_not_defined_is_refused_with_its_line_and_the_nearest(document: Document, load: Loader) -> None:
    document["detect"][1]["when"] = [{"holds": "rom"}]
    with pytest.raises(ConfigError, match=r"`detect\.1\.when\.0\.holds` names `rom`, which is not defined") as caught:
        load(document)
    assert f"line {_line_of(document, 'holds: rom')}: " in caught.value.message
    assert caught.value.hint == "Did you mean `room`?"


def test_a_condition_has_one_key(document: Document, load: Loader) -> None:
    document["detect"][1]["when"] = [{"holds": "room", "fails": "room"}]
    with pytest.raises(ConfigError, match=r"`detect\.1\.when\.0` must have exactly one of holds, fails"):
        load(document)


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ({"pattern": "def ("}, "is not Python"),
        ({"all": [{"kind": "call"}, {"has": {"pattern": "push($"}}]}, "is not Python"),
        ({"patern": "x"}, "unknown field `patern`"),
        ({"kind": "no_such_node"}, "Kind `no_such_node` is invalid"),
        ({"regex": "("}, "unclosed group"),
    ],
)
def test_a_rule_that_could_never_match_is_refused(rule: Document, says: str, document: Document, load: Loader) -> None:
    document["rules"]["pushes"]["rule"] = rule
    with pytest.raises(ConfigError, match=r"patch\.yaml, line \d+: `rules\.pushes\.rule` ") as caught:
        load(document)
    assert f"line {_line_of(document, 'rule:')}: " in caught.value.message
    assert says in caught.value.message
    assert "Stack backtrace" not in caught.value.message


@pytest.mark.parametrize(
    ("rule", "replace", "says"),
    [
        pytest.param({"pattern": "f($N)"}, "f($V)", "uses `$V`, which not every match", id="a name of nobody"),
        pytest.param({"pattern": "f($N)"}, "f(${V})", "uses `$V`, which not every match", id="in braces"),
        pytest.param({"pattern": "f($$$A)"}, "f($A)", "uses `$A`, which not every match", id="several nodes"),
        pytest.param(
            {"pattern": "f($_A)"}, "f($_A)", "uses `$_A`, which not every match", id="a name that is thrown away"
        ),
        pytest.param(
            {"all": [{"pattern": "f($N)"}, {"not": {"has": {"pattern": "$V"}}}]},
            "f($V)",
            "uses `$V`, which not every match",
            id="in what must not be there",
        ),
        pytest.param(
            {"any": [{"pattern": "f($N, $V)"}, {"pattern": "f($N)"}]},
            "f($V)",
            "uses `$V`, which not every match",
            id="in one alternative",
        ),
        pytest.param(
            {"pattern": {"context": "f($V, slots=$N)", "selector": "keyword_argument"}},
            "f($V)",
            "uses `$V`, which not every match",
            id="beside the selected node",
        ),
        pytest.param(
            {"pattern": "f($N)", "inside": {"kind": "module", "stopBy": {"pattern": "$V = 1"}}},
            "f($V)",
            "uses `$V`, which not every match",
            id="where a search stops",
        ),
        pytest.param({"pattern": "f($N)"}, "f($, $N)", "has a `$` that begins no name", id="a lone dollar"),
    ],
)
def test_a_template_that_cannot_be_filled_is_refused(
    rule: Document, replace: str, says: str, document: Document, load: Loader
) -> None:
    document["steps"][0]["edits"][0] = {"rule": rule, "replace": replace}
    with pytest.raises(ConfigError, match=r"patch\.yaml, line \d+: `steps\.0\.edits\.0\.replace` ") as caught:
        load(document)
    assert says in caught.value.message


def test_a_template_may_use_what_a_shared_rule_binds_and_the_function_s_parameters(
    document: Document, load: Loader
) -> None:
    either = {"any": [{"pattern": "f($N)"}, {"pattern": {"context": "f(g=$N)", "selector": "keyword_argument"}}]}
    document["shared_rules"] = {"call": {"has": {"stopBy": "end", **either}}}
    document["steps"][0]["edits"][0] = {"rule": {"matches": "call"}, "insert-after": "log($N, $count, '$$')"}
    load(document)


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "x-1").mkdir()
    (tmp_path / "x-1" / "patch.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"x-1/patch\.yaml cannot be read"):
        load_patch(tmp_path / "x-1")


def test_a_file_that_is_not_yaml_is_named(tmp_path: Path) -> None:
    (tmp_path / "x-1").mkdir()
    (tmp_path / "x-1" / "patch.yaml").write_text("a: [")
    with pytest.raises(ConfigError, match=r"x-1/patch\.yaml is not YAML"):
        load_patches([tmp_path])


def test_a_key_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    text = (bundled_patches() / "sglang-24587/patch.yaml").read_text(encoding="utf-8")
    (tmp_path / "x-1").mkdir()
    (tmp_path / "x-1" / "patch.yaml").write_text(text + "  timeout: 1\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"`timeout` is there twice"):
        load_patches([tmp_path])


def test_two_patches_of_one_name_are_refused(tmp_path: Path, document: Document) -> None:
    for parent in ("a", "b"):
        (tmp_path / parent / "ring-7").mkdir(parents=True)
        (tmp_path / parent / "ring-7" / "patch.yaml").write_text(yaml.safe_dump(document))
    with pytest.raises(ConfigError, match="Two carried patches are called ring-7"):
        load_patches([tmp_path / "a", tmp_path / "b"])


def test_a_patch_is_found_by_pull_request_or_abbreviated_commit(patches: Mapping[str, CarriedPatch]) -> None:
    original = find_original(patches, "SGL-Project/sglang", pull_request=24587)
    assert original is patches["sglang-24587"]
    assert find_original(patches, "sgl-project/sglang", commit="fd3e11973b5f" + "0" * 28) is original
    assert find_original(patches, "sgl-project/sglang", commit="fd3e1197") is original
    assert find_original(patches, "sgl-project/sglang", commit="fd3") is None
    assert find_original(patches, "someone/sglang", pull_request=24587) is None
    assert find_original(patches, "sgl-project/sglang", pull_request=1) is None


def test_every_companion_is_a_patch_that_ships(patches: Mapping[str, CarriedPatch]) -> None:
    for patch in patches.values():
        assert {companion.patch for companion in patch.companions} <= patches.keys() - {patch.name}
        assert set(patch.file.apply_after) <= patches.keys()
        assert {f.fixed_by for f in patch.suite.known_failures} <= {None, *patches}


def test_the_json_schema_is_current_and_takes_every_patch() -> None:
    folder = bundled_patches()
    text = (folder / "patch.schema.json").read_text(encoding="utf-8")
    assert json.loads(text) == PatchFile.model_json_schema(by_alias=True), (
        "write PatchFile.model_json_schema(by_alias=True) into patches/patch.schema.json"
    )
    schema = jsonschema_rs.validator_for(json.loads(text))
    for file in folder.glob("*/patch.yaml"):
        # An editor sees dates as text.
        document = json.loads(json.dumps(yaml.safe_load(file.read_text(encoding="utf-8")), default=str))
        problems = list(schema.iter_errors(document))
        assert not problems, f"{file}: {problems[0]}"
    document["detekt"] = []
    assert not schema.is_valid(document)

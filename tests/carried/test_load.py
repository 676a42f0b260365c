"""Reading patch.yaml files: what is refused, and in which words; and a project that is not sglang."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from bot.carried.apply import Applied, StepFailed, apply
from bot.carried.detect import check
from bot.carried.load import CarriedPatch, bundled_patches, find_original, load_patch, load_patches
from bot.carried.schema import render_json_schema
from bot.carried.tree import DirectoryTree
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
    failed = apply(_ring(tmp_path, source), load(document))
    assert isinstance(failed, StepFailed)
    assert (failed.expected, failed.found) == ("exactly 1 to rewrite", "2 places (line 2, 3)")


def _unknown_key(document: Document) -> None:
    document["steps"][0]["edits"][0]["replcae"] = "x"


def _unknown_top_key(document: Document) -> None:
    document["detekt"] = []


def _unknown_key_in_a_map(document: Document) -> None:
    document["measures"]["room"]["expects"] = "x"


@pytest.mark.parametrize(
    ("spoil", "place", "nearest"),
    [
        (_unknown_key, "steps.0.edits.0.replcae", "replace"),
        (_unknown_top_key, "detekt", "detect"),
        (_unknown_key_in_a_map, "measures.room.expects", "expect"),
    ],
)
def test_an_unknown_key_is_refused_with_file_place_and_nearest_key(
    spoil: Callable[[Document], None], place: str, nearest: str, document: Document, load: Loader
) -> None:
    spoil(document)
    with pytest.raises(ConfigError) as caught:
        load(document)
    assert f"patch.yaml: unknown key `{place}`" in caught.value.message
    assert f"did you mean `{nearest}`?" in caught.value.hint


def test_a_name_that_is_not_defined_is_refused_with_the_nearest(document: Document, load: Loader) -> None:
    document["detect"][1]["when"] = [{"holds": "rom"}]
    with pytest.raises(ConfigError, match=r"names `rom`, which is not defined; did you mean `room`\?"):
        load(document)


def test_a_condition_has_one_key(document: Document, load: Loader) -> None:
    document["detect"][1]["when"] = [{"holds": "room", "fails": "room"}]
    with pytest.raises(ConfigError, match="exactly one of holds, fails"):
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
    with pytest.raises(ConfigError, match=r"rules\.pushes") as caught:
        load(document)
    assert says in caught.value.message
    assert "Stack backtrace" not in caught.value.message


@pytest.mark.parametrize(
    ("rule", "replace", "says"),
    [
        pytest.param({"pattern": "f($N)"}, "f($V)", "`$V`, which nothing binds", id="a name of nobody"),
        pytest.param({"pattern": "f($N)"}, "f(${V})", "`$V`, which nothing binds", id="in braces"),
        pytest.param({"pattern": "f($$$A)"}, "f($A)", "`$A`, which nothing binds", id="several nodes"),
        pytest.param({"pattern": "f($_A)"}, "f($_A)", "`$_A`, which nothing binds", id="a name that is thrown away"),
        pytest.param(
            {"all": [{"pattern": "f($N)"}, {"not": {"has": {"pattern": "$V"}}}]},
            "f($V)",
            "`$V`, which nothing binds",
            id="in what must not be there",
        ),
        pytest.param({"pattern": "f($N)"}, "f($, $N)", "a `$` in the template begins no name", id="a lone dollar"),
    ],
)
def test_a_template_that_cannot_be_filled_is_refused(
    rule: Document, replace: str, says: str, document: Document, load: Loader
) -> None:
    document["steps"][0]["edits"][0] = {"rule": rule, "replace": replace}
    with pytest.raises(ConfigError, match=r"steps\.leave-room\.edits\.0\.replace") as caught:
        load(document)
    assert says in caught.value.message


def test_a_template_may_use_what_a_shared_rule_binds_and_the_function_s_parameters(
    document: Document, load: Loader
) -> None:
    document["shared_rules"] = {"call": {"has": {"stopBy": "end", "pattern": "f($N)"}}}
    document["steps"][0]["edits"][0] = {"rule": {"matches": "call"}, "insert-after": "log($N, $count, '$$')"}
    load(document)


def test_a_name_that_only_some_matches_bind_is_an_error_with_a_remedy(
    tmp_path: Path, document: Document, load: Loader
) -> None:
    either = {"any": [{"pattern": "Ring(slots=$N, extra=$V)"}, {"pattern": "Ring(slots=$N)"}]}
    document["steps"][0]["edits"][0] = {"rule": either, "replace": "Ring(slots=$N + $V)"}
    tree = _ring(tmp_path, "def make(count):\n    return Ring(slots=count)\n\n\ndef say(ring):\n    ring.push(1)\n")
    with pytest.raises(ConfigError, match="left unbound"):
        apply(tree, load(document))


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
    found = find_original(patches, "SGL-Project/sglang", pull_request=24587)
    assert found is patches["sglang-24587"]
    assert find_original(patches, "sgl-project/sglang", commit="fd3e11973b5f" + "0" * 28) is found
    assert find_original(patches, "sgl-project/sglang", commit="fd3e1197") is found
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
    written = (folder / "patch.schema.json").read_text(encoding="utf-8")
    assert written == render_json_schema(), (
        "Write it again: python -c 'from bot.carried.schema import *; print(render_json_schema(), end=\"\")' "
        "> patches/patch.schema.json"
    )
    schema = jsonschema_rs.validator_for(json.loads(written))
    for file in folder.glob("*/patch.yaml"):
        # An editor sees dates as text.
        document = json.loads(json.dumps(yaml.safe_load(file.read_text(encoding="utf-8")), default=str))
        problems = list(schema.iter_errors(document))
        assert not problems, f"{file}: {problems[0]}"
    document["detekt"] = []
    assert not schema.is_valid(document)

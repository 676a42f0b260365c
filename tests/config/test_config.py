"""backport.yaml: what is accepted, and the sentence for each mistake."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import jsonschema_rs
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.config import FILE_NAME, Config, load_config, parse_config, schema
from bot.config.prove import Required
from bot.errors import ConfigError

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "configuration.yaml"
HEAD = "repository: a/b\n"


def test_the_reference_is_valid_and_names_every_key() -> None:
    config = load_config(REFERENCE)
    assert config.repository == "sgl-project/sglang"
    reference = yaml.safe_load((REFERENCE).read_text(encoding="utf-8"))
    assert set(reference) == set(Config.model_fields)
    assert set(reference["permissions"]) == set(type(config.permissions).model_fields)


def test_the_reference_shows_the_defaults() -> None:
    config = load_config(REFERENCE)
    assert config == Config(repository=config.repository, branches=("release/v*",))


def test_the_configuration_for_sglang_asks_for_what_its_runners_have() -> None:
    """The names are those of sglang's own workflows and scripts, as of November 2026."""
    config = load_config(ROOT / FILE_NAME)
    assert (config.repository, config.prove.device) == ("sgl-project/sglang", "rocm")
    assert config.prove.required is Required.ALWAYS
    expected = {"gfx942": ("linux-mi300-1gpu-sglang", "mi30x"), "gfx950": ("linux-mi35x-gpu-1", "mi35x")}
    assert [entry.name for entry in config.prove.devices] == list(expected)
    for name, (label, images) in expected.items():
        settings = config.prove.for_device(name)
        assert (settings.device, settings.devices_that_count) == ("rocm", (name,))
        assert settings.actions.labels == (label,)
        for branch in ("release/v0.5.10", "release/v0.5.19"):
            version = branch.removeprefix("release/v")
            assert settings.image_for(branch) == f"lmsysorg/sglang:v{version}-rocm720-{images}"
    assert config.backport_branch(24587, "release/v0.5.12") == "cherry-pick/24587-to-release-v0.5.12"
    assert {"cherry-pick", "run-ci"} == set(config.labels)


def test_the_minimal_configuration_is_valid() -> None:
    assert load_config(ROOT / "docs" / "backport.minimal.yaml", repository="a/b").branches == ("release/*",)


@pytest.mark.parametrize("text", ["", "# nothing\n", "branches: [main]\n", "{branches: [main]}\n", "---\nlabels: []\n"])
def test_a_file_may_leave_out_the_repository(text: str) -> None:
    assert parse_config(text, repository="acme/widget").repository == "acme/widget"
    assert parse_config(f"{HEAD}", repository="acme/widget").repository == "a/b"


def test_a_repository_that_nothing_names_is_missing() -> None:
    with pytest.raises(ConfigError, match="`repository` is missing"):
        parse_config("branches: [main]\n")


@pytest.mark.parametrize(
    ("text", "required"),
    [
        ("true", Required.ALWAYS),
        ("false", Required.NEVER),
        ("when-tests", Required.WHEN_TESTS),
        ("always", Required.ALWAYS),
        ("never", Required.NEVER),
    ],
)
def test_what_needs_a_proof_is_one_of_three_words_and_truth_values_are_still_read(
    text: str, required: Required
) -> None:
    assert parse_config(f"{HEAD}prove: {{required: {text}}}\n").prove.required is required


def test_another_word_for_what_needs_a_proof_is_refused_with_the_three() -> None:
    with pytest.raises(ConfigError, match="must be `when-tests`, `always` or `never`"):
        parse_config(f"{HEAD}prove: {{required: sometimes}}\n")


def test_the_schema_for_editors_is_current_and_holds_the_examples() -> None:
    text = (ROOT / "backport.schema.json").read_text(encoding="utf-8")
    assert json.loads(text) == schema(), "write bot.config.schema() into backport.schema.json"
    validator = jsonschema_rs.validator_for(schema())
    for file in (REFERENCE, ROOT / FILE_NAME, ROOT / "docs" / "backport.minimal.yaml"):
        validator.validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    assert not validator.is_valid({"repository": "a/b", "branchs": []})


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("backport/{number}-to-{target_slug}", "backport/24587-to-release-v0.5.12"),
        ("bp/{number}/{target}", "bp/24587/release/v0.5.12"),
    ],
)
def test_backport_branch_is_named_by_the_template(template: str, expected: str) -> None:
    config = Config(repository="a/b", branch_name=template)
    assert config.backport_branch(24587, "release/v0.5.12") == expected


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (HEAD + "branchs: [x]", "line 2: `branchs` is not a key", "`branches`"),
        (HEAD + "prove:\n  requird: true", "line 3: `prove.requird`", "`required`"),
        (HEAD + "zzz: 1", "line 2: `zzz`", "`repository`, `branches`"),
        ("", "line 1: `repository` is missing", "owner/name"),
        ("repositry: a/b", "line 1: `repositry` is not a key", "Did you mean `repository`?"),
        ("repository: 3", "line 1: `repository` is the number `3` and must be text", ""),
        ("repository: a", "does not have the right form", "owner/name"),
        (HEAD + HEAD, "line 2: `repository` is there twice; the first is on line 1", "Keep one"),
        (HEAD + "labels: bug", "line 2: `labels` is the text `bug` and must be a list", "Labels"),
        (HEAD + "labels:\n  - ok\n  - 1", "line 4: `labels.1` is the number `1`", ""),
        (HEAD + "max_targets: true", "`true`", ""),
        (HEAD + "prove: yes", "must be a group of keys", ""),
        (HEAD + "prove:\n  device: gpu", "line 3: `prove.device` is the text `gpu`", ""),
        (HEAD + "prove:\n  timeout_minutes: 0", "must be greater than 0", ""),
        (HEAD + "permissions: {backport: owner}", "must be `read`, `triage`", ""),
        (HEAD + "branch_name: x/{nummer}", "which is not a placeholder. Did you mean `{number}`?", ""),
        (HEAD + "branch_name: x-{number}", "must contain `{target}` or `{target_slug}`", ""),
        (HEAD + "branch_name: -{number}{target}", "starts with a dash", ""),
        (HEAD + "branches: [release/..]", "contains `..`", ""),
        (HEAD + "branches: []", "`branches` is empty and must have at least 1 entry", "stable branches"),
        (HEAD + "title: hello", "must contain `{title}`", ""),
        (HEAD + "templates: {status: '{% if %}'}", "is not a template", ""),
        (HEAD + "templates: {status: '{{ sumary }}'}", "Did you mean `summary`?", ""),
        (HEAD + "templates: {pull_request: '{{ rows }}'}", "which it is not given", ""),
        (HEAD + "templates: {answer: '{% for x in %}'}", "line 2: `templates.answer` is not a template", ""),
        (HEAD + "templates: {answer: '{{ leed }}'}", "uses `leed`, which it is not given. Did you mean `lead`?", ""),
        (HEAD + "templates: {sync_issue: '{{ heading }}'}", "Did you mean `headline`?", ""),
        (HEAD + "templates: {anser: x}", "line 2: `templates.anser` is not a key", "`answer`"),
        (HEAD + "on_conflict: draft", "not a key", ""),
        (HEAD + "committer: {email: nobody}", "`committer.email`", ""),
        (HEAD + "x: &a 1\ny: *a", "line 3: `*a` is an alias", "Write the value out"),
        ("- a", "holds no keys", ""),
        ("a: [", "is not YAML", ""),
        ("!!python/object/apply:os.system [ls]", "is not YAML", ""),
        ("\x00", "is not YAML", ""),
        ("x: " + "a" * 300_000, "larger than", ""),
    ],
)
def test_a_mistake_is_named_with_its_place_and_remedy(text: str, message: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(text)
    assert caught.value.message.startswith(FILE_NAME)
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert caught.value.hint
    assert "?." not in caught.value.message


def test_a_file_that_is_not_there_is_an_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"missing\.yaml cannot be read"):
        load_config(tmp_path / "missing.yaml")


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.sampled_from("ab:- \n{}[]&*!#|>'\"%@?0.,~\t"), max_size=60))
def test_no_text_breaks_the_reader(text: str) -> None:
    for given_text in (text, HEAD + text):
        with contextlib.suppress(ConfigError):
            assert parse_config(given_text).repository == "a/b"

"""The workflow file of a repository: short, complete, and compared with one that is there."""

from __future__ import annotations

import pytest
import yaml

from bot import MAJOR_TAG, REPOSITORY
from bot.adoption.workflow_file import BotVersion, called_version, differences, render_workflow
from tests.actions.runner import ROOT

_DEFAULT = "The trigger `pull_request_target` lacks the types labeled, closed, ready_for_review."
SHA = "0123456789abcdef0123456789abcdef01234567"


def test_it_has_twelve_lines_at_most_and_lacks_nothing() -> None:
    text = render_workflow()
    assert len(text.splitlines()) <= 12
    assert differences(text) == ()
    assert called_version(text) == BotVersion(REPOSITORY, MAJOR_TAG)


def test_it_gives_the_called_workflow_all_that_its_jobs_ask_for() -> None:
    """A called workflow that asks for more than the calling job has does not start."""
    (job,) = yaml.safe_load(render_workflow())["jobs"].values()
    for name in ("backport", "backport-round"):
        called = yaml.safe_load((ROOT / f".github/workflows/{name}.yml").read_text(encoding="utf-8"))
        for permissions in (inner["permissions"] for inner in called["jobs"].values()):
            assert all(level in ("read", job["permissions"][key]) for key, level in permissions.items())


def test_it_hands_on_only_secrets_that_the_called_workflow_has() -> None:
    called = yaml.safe_load((ROOT / ".github/workflows/backport.yml").read_text(encoding="utf-8"))
    (job,) = yaml.safe_load(render_workflow())["jobs"].values()
    assert set(job["secrets"]) <= set(called[True]["workflow_call"]["secrets"])


def test_a_commit_says_which_tag_it_was() -> None:
    text = render_workflow(BotVersion("acme/bot", SHA), tag="v1.2.0")
    assert f"acme/bot/.github/workflows/backport.yml@{SHA} # v1.2.0\n" in text
    version = called_version(text)
    assert version is not None
    assert (version, version.is_pinned) == (BotVersion("acme/bot", SHA), True)
    assert differences(text) == ()


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("  issue_comment: {types: [created]}\n", "", "The trigger `issue_comment` is missing."),
        ("labeled, closed, ", "labeled, ", "The trigger `pull_request_target` lacks the types closed."),
        (": {types: [labeled, closed, synchronize, ready_for_review]}", ":", _DEFAULT),
        ("contents: write, ", "contents: read, ", "The job's permission `contents: write` is missing."),
        ("    uses: ", "    runs-on: ", "No job calls the bot."),
    ],
)
def test_what_a_file_lacks_is_named(old: str, new: str, sentence: str) -> None:
    text = render_workflow()
    assert old in text
    assert differences(text.replace(old, new)) == (sentence,)


def test_a_longer_file_of_ones_own_lacks_nothing() -> None:
    text = """
on:
  issue_comment:
  pull_request_target:
    types: [opened, labeled, closed, synchronize, ready_for_review]
  workflow_dispatch:
permissions: write-all
jobs:
  other: {runs-on: ubuntu-latest, steps: [{run: "true"}]}
  bot:
    uses: acme/bot/.github/workflows/backport.yml@v1
"""
    assert differences(text) == ()


def test_a_file_that_is_no_yaml_says_where() -> None:
    (sentence,) = differences("on: [\n")
    assert "not YAML" in sentence

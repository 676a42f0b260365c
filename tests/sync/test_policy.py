"""What the `sync` section means for an original and a branch."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.config import Config, parse_config
from bot.errors import ConfigError
from bot.sync.policy import Policy
from bot.sync.types import Original

ORIGINAL = Original(
    position=3,
    commits=(),  # what it left on the main branch is nothing to the policy
    merged=0,
    title="Fix the crash in decode",
    number=12,
    author="ann",
    body="It read past the end.\n\nFixes #9",
    labels=("bug", "amd", "[type] bug"),
    milestone="v1.2",
    paths=("src/attention/aiter.py", "docs/notes.md", "app/[slug]/page.tsx"),
    issue_labels=frozenset({"crash"}),
)


def config(sync: str) -> Config:
    return parse_config(f"repository: a/b\nsync: {sync}\n")


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ("{labels: [BUG]}", "label `BUG`"),
        ("{labels: ['needs *', 'a?d']}", "label `a?d`"),
        ("{milestones: ['v1.*']}", "milestone `v1.*`"),
        ("{authors: ['@Ann']}", "author `Ann`"),
        ("{paths: ['src/**']}", "changes `src/attention/aiter.py`"),
        ("{paths: ['src/*']}", ""),
        ("{paths: ['app/[slug]/**']}", "changes `app/[slug]/page.tsx`"),
        ("{labels: ['[Type] Bug']}", "label `[Type] Bug`"),
        ("{titles: ['*crash*']}", "title like `*crash*`"),
        ("{titles: [crash]}", ""),
        ("{bodies: ['*past the end*']}", "description like `*past the end*`"),
        ("{fixes_issue_labels: [crash]}", "fixes an issue labelled `crash`"),
        ("{pull_requests: [11, 12]}", "named as #12"),
        ("{labels: [bug], authors: [otto]}", ""),
        ("{labels: [bug], authors: [ann]}", "label `bug`, author `ann`"),
        ("{labels: [bug], branches: ['release/2*']}", ""),
        ("{labels: [bug], branches: ['release/1*']}", "label `bug`"),
    ],
)
def test_a_rule_asks_for_what_meets_each_of_its_conditions(rule: str, reason: str) -> None:
    policy = Policy(config(f"{{rules: [{rule}]}}").sync)
    assert policy.on("release/1.0").asked_by(ORIGINAL) == reason


def test_nothing_is_asked_for_without_rules() -> None:
    policy = Policy(config("{}").sync)
    assert policy.on("release/1.0").asked_by(ORIGINAL) == ""
    assert not policy.concerns(ORIGINAL)


def test_a_refusal_says_its_reason_on_its_branches_only() -> None:
    policy = Policy(config("{deny: [{authors: [ann], branches: [release/1.0], reason: Not there.}]}").sync)
    refusal = policy.on("release/1.0").refusal_of(ORIGINAL)
    assert refusal is not None
    assert (refusal.reason, refusal.by_person) == ("Not there.", False)
    assert policy.on("release/1.1").refusal_of(ORIGINAL) is None
    assert policy.concerns(ORIGINAL)


@pytest.mark.parametrize(
    ("label", "kept_off"),
    [("No-Backport", True), ("no-backport release/1.0", True), ("no-backport release/1.1", False)],
)
def test_a_label_is_a_person_s_refusal(label: str, kept_off: bool) -> None:
    policy = Policy(config("{}").sync)
    original = replace(ORIGINAL, labels=(label,))
    refusal = policy.on("release/1.0").refusal_of(original)
    assert (refusal is not None and refusal.by_person) is kept_off
    assert policy.concerns(original)


def test_a_refusal_s_label_in_brackets_means_itself() -> None:
    policy = Policy(config("{refuse_labels: ['[no] backport']}").sync)
    label = [
        policy.on("release/1.0").refusal_of(replace(ORIGINAL, labels=(label,)))
        for label in ("[No] Backport", "n backport")
    ]
    assert [refusal is not None for refusal in label] == [True, False]


def test_a_hostile_title_is_only_text() -> None:
    policy = Policy(config("{rules: [{titles: ['*a*a*a*a*a*a*a*a*b']}]}").sync)
    assert policy.on("release/1").asked_by(replace(ORIGINAL, title="a" * 5000)) == ""


@pytest.mark.parametrize(
    ("sync", "message"),
    [
        ("{rules: [{}]}", "has no condition"),
        ("{rules: [{branches: [release/1]}]}", "has no condition"),
        ("{rules: [{lables: [bug]}]}", "`sync.rules.0.lables`"),
        ("{deny: [{titles: [x]}]}", "`sync.deny.0.reason` is missing"),
        ("{max_open: -1}", "`sync.max_open`"),
        ("{rules: [{titles: x}]}", "must be a list"),
        ("{rules: [{pull_requests: [0]}]}", "`sync.rules.0.pull_requests.0`"),
    ],
)
def test_a_mistake_in_the_section_is_named(sync: str, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        config(sync)
    assert message in error.value.message


def test_a_misspelt_condition_gets_the_nearest_one() -> None:
    with pytest.raises(ConfigError) as error:
        config("{rules: [{lables: [bug]}]}")
    assert "`labels`" in error.value.hint

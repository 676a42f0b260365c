"""Which branch a label asks for, by the template and by patterns, whatever people call their labels."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.commands.label_targets import asks_for_backport, target_of_label
from bot.config import Config, parse_config
from bot.errors import CommandError, ConfigError


def config(template: str = "backport {target}", patterns: str = "[]") -> Config:
    return parse_config(f"repository: a/b\ntrigger_label: '{template}'\ntrigger_labels: {patterns}\n")


@pytest.mark.parametrize(
    ("label", "template", "expected"),
    [
        ("backport release/v1", "backport {target}", "release/v1"),
        ("backport", "backport {target}", None),
        ("backport  ", "backport {target}", None),
        ("bug", "backport {target}", None),
        ("v1 please", "{target} please", "v1"),
        ("ab", "a{target}b", None),
        ("aa", "aa{target}a", None),
    ],
)
def test_target_is_read_out_of_a_label(label: str, template: str, expected: str | None) -> None:
    assert target_of_label(label, config(template)) == expected


PATTERNS = """
  - {pattern: '^backport-(\\d+\\.\\d+)$', branch: 'release/v$1'}
  - {pattern: '^needs backport to (?P<line>.+)$', branch: 'stable-${line}'}
  - {pattern: '^lts(-old)?$', branch: 'lts\\1'}
  - {pattern: '^everywhere$', branch: all}
  - {pattern: 'port', branch: 'last'}
"""


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("backport-1.2", "release/v1.2"),
        ("needs backport to 7.x", "stable-7.x"),
        ("lts", "lts"),
        ("lts-old", "lts-old"),
        ("everywhere", "all"),
        ("report", "last"),
        ("backport release/v3", "release/v3"),
        ("backport-1.2-later", "last"),
        ("bug", None),
    ],
)
def test_the_groups_of_a_pattern_name_the_branch(label: str, expected: str | None) -> None:
    assert target_of_label(label, config(patterns=PATTERNS)) == expected


@pytest.mark.parametrize(
    "name", ["*", "a?", "[ab]", "..", "a..b", "a b", "a,main", "x~1", "\u202ex", "a\u200bb", ".lock"]
)
def test_a_label_cannot_ask_for_several_branches_or_for_no_name(name: str) -> None:
    settings = config(patterns=PATTERNS)
    with pytest.raises(CommandError, match="Nothing was started"):
        target_of_label(f"needs backport to {name}", settings)
    assert asks_for_backport(f"needs backport to {name}", settings), "it is copied to no backport"


@pytest.mark.parametrize("word", ["all", "auto"])
def test_a_label_cannot_spell_a_keyword(word: str) -> None:
    settings = config(patterns="[{pattern: '^to (.+)$', branch: '$1'}]")
    with pytest.raises(CommandError, match="several branches"):
        target_of_label(f"to {word}", settings)


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("(a+)+$", "repeats a group"),
        ("(a|a)*$", "repeats a group"),
        ("(?:x{1,9}){9}", "repeats a group"),
        ("a*a*a*a*b", "more than 3 repeats"),
        ("a?" * 7 + "a" * 7, "more than 6 of"),
        ("(a)\\\\1", "refers back"),
        ("(?=a)b", "only `"),
        ("(?i)a", "only `"),
        ("(", "is not a regular expression"),
        ("a" * 201, "longer than 200"),
    ],
)
def test_a_pattern_that_can_take_long_is_refused_with_the_reason(pattern: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        config(patterns=f'[{{pattern: "{pattern}", branch: x}}]')


@pytest.mark.parametrize("pattern", ["[(+*?|]+", "\\\\(\\\\+\\\\*x", "[]*+]a", "(?P<a>[0-9.]+)-(?:x|y)"])
def test_what_is_escaped_or_in_a_set_counts_for_nothing(pattern: str) -> None:
    config(patterns=f'[{{pattern: "{pattern}", branch: x}}]')


@pytest.mark.parametrize("branch", ["$2", "\\\\2", "${other}"])
def test_a_group_that_is_not_there_is_refused(branch: str) -> None:
    with pytest.raises(ConfigError, match="a group that"):
        config(patterns=f"[{{pattern: '(a)', branch: \"{branch}\"}}]")


@given(st.text(max_size=120))
def test_no_label_stops_the_reading(label: str) -> None:
    settings = config(patterns="[{pattern: '^(.*)-(.*)x(.*)$', branch: 'r/$1$2$3'}]")
    try:
        target = target_of_label(label, settings)
    except CommandError:
        return
    assert target is None or target.strip()

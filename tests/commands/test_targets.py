"""Targets against the branches that exist."""

from __future__ import annotations

import time

import pytest

from bot.commands.targets import UnknownTarget, newest_first, resolve_targets
from bot.config import Config
from bot.errors import CommandError

CONFIG = Config(repository="sgl-project/sglang", branches=("release/v*",))
BRANCHES = (
    "main",
    "release/v0.5.9",
    "release/v0.5.10",
    "release/v0.5.12",
    "release/v0.5.12.post1",
    "release/v0.5.12rc1",
    "release/v0.6/next",
    "backport/1-to-main",
)
STABLE = (
    "release/v0.5.12.post1",
    "release/v0.5.12",
    "release/v0.5.12rc1",
    "release/v0.5.10",
    "release/v0.5.9",
)


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        (["release/v0.5.9", "main"], ("release/v0.5.9", "main")),
        (["all"], STABLE),
        (["auto"], STABLE),
        (["release/v0.5.1?"], ("release/v0.5.12", "release/v0.5.10")),
        (["release/v0.5.9", "release/v*"], ("release/v0.5.9", *STABLE[:4])),
        (["release/**"], STABLE),
        (["backport/1-to-main"], ("backport/1-to-main",)),
        (["**"], STABLE),
    ],
)
def test_targets_become_branches(targets: list[str], expected: tuple[str, ...]) -> None:
    resolved = resolve_targets(targets, BRANCHES, CONFIG)
    assert resolved.names == expected
    assert resolved.unknown == ()


def test_a_pattern_stays_within_the_stable_branches() -> None:
    targets = resolve_targets(["*", "release/v0.6/*"], BRANCHES, CONFIG)
    assert targets.names == ()
    assert [target.name for target in targets.unknown] == ["*", "release/v0.6/*"]


@pytest.mark.parametrize(
    ("template", "own_text"),
    [
        ("{target}-backport-{number}", "release/v0.5.9-backport-7"),
        ("{target_slug}-{number}", "release/v0.5.9-7"),
        ("release/{number}-to-{target_slug}", "release/7-to-release-v0.5.9"),
        ("release/v{number}-{target_slug}", "release/v7-release-v0.5.9-0a1b2c3d"),
    ],
)
def test_the_bots_own_branches_are_no_targets_wherever_the_template_has_what_varies(
    template: str, own_text: str
) -> None:
    config = CONFIG.model_copy(update={"branch_name": template, "branches": ("release/*",)})
    existing = (*STABLE, own_text, "release/7-to-somewhere")
    assert set(resolve_targets(["all"], existing, config).names) == {*STABLE, "release/7-to-somewhere"}


def test_what_is_not_there_comes_with_the_nearest_names_and_stops_nothing() -> None:
    targets = resolve_targets(["v0.5.12", "main", "zzz", "release/w*"], BRANCHES, CONFIG)
    assert targets.names == ("main",)
    assert [target.name for target in targets.unknown] == ["v0.5.12", "zzz", "release/w*"]
    assert targets.unknown[0].nearest[0] == "release/v0.5.12"
    assert targets.unknown[1].nearest == ()


def test_all_without_a_stable_branch_is_unknown() -> None:
    assert resolve_targets(["all"], ["main"], CONFIG).unknown == (UnknownTarget("all", ()),)


def test_more_branches_than_allowed_are_refused() -> None:
    with pytest.raises(CommandError, match="max_targets"):
        resolve_targets(["release/*"], [f"release/v{n}" for n in range(21)], CONFIG)


def test_newest_version_comes_first() -> None:
    mixed = ["1.9", "1.10", "1.10rc1", "1.10.post1", "1.10.1", "1.10.dev2", "2"]
    assert newest_first(mixed) == ["2", "1.10.1", "1.10.post1", "1.10", "1.10rc1", "1.10.dev2", "1.9"]


def test_a_pattern_made_to_be_slow_is_matched_at_once() -> None:
    start = time.process_time()
    names = ["a/" * 90 + "b", "a" * 190 + "b"]
    resolve_targets(["/".join(["**"] * 60) + "/c", "*a" * 90, "*/" * 60 + "**"], names, CONFIG)
    assert time.process_time() - start < 5

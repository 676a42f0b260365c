"""The status comment: its golden texts, its recipe, and what hostile input does to it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from markdown_it import MarkdownIt

from bot.commands.parser import parse_commands
from bot.models import BackportOptions, Failed, TargetOutcome
from bot.text.markers import is_ours, status_marker

if TYPE_CHECKING:
    from tests.report.conftest import Samples

from bot.report.status_comment import MAX_COMMENT, Phase, StatusView, TargetProgress, render_status


def view(samples: Samples, *targets: TargetProgress | TargetOutcome, **changes: object) -> StatusView:
    given_values: dict[str, Any] = {
        "marker": status_marker("sgl-project/sglang#24587/1"),
        "original": samples.original(),
        "requester": "amd-maintainer",
        "targets": targets,
        "commits": (samples.merged,),
        "name_branch": lambda branch: f"backport/24587-to-{branch.replace('/', '-')}",
    }
    return StatusView(**{**given_values, **changes})


def test_every_ending_is_worded(samples: Samples, golden: Callable[[str, str], None]) -> None:
    golden("status_every_ending.md", render_status(view(samples, *samples.every_ending())))


def test_targets_under_way_stand_beside_ended_ones(samples: Samples, golden: Callable[[str, str], None]) -> None:
    targets = (
        samples.opened(),
        TargetProgress("release/v0.5.11", Phase.PROVING, "base run, 12 of 60 cases"),
        TargetProgress("release/v0.5.10", Phase.PICKING),
        TargetProgress("release/v0.5.9"),
    )
    golden("status_under_way.md", render_status(view(samples, *targets)))


def test_dry_run_says_that_nothing_was_pushed(samples: Samples, golden: Callable[[str, str], None]) -> None:
    would_open = samples.every_ending()[-1]
    golden("status_dry_run.md", render_status(view(samples, would_open, options=BackportOptions(dry_run=True))))


@pytest.mark.parametrize("dry_run", [False, True])
def test_every_command_in_it_can_be_pasted_and_keeps_what_was_asked_for(samples: Samples, *, dry_run: bool) -> None:
    options = BackportOptions(dry_run=dry_run, with_companions=True, draft=True, redo=True)
    endings = samples.every_ending()
    text = render_status(view(samples, *endings, options=options, requested_commits=("1a2b3c4",)))
    offered = [parse_commands(line)[0] for line in re.findall(r"`(/backport [^`]*)`", text)]
    assert len(offered) >= 4
    branches = {ending.target for ending in endings}
    for command in offered:
        assert set(command.targets) <= branches
        assert command.commits == ("1a2b3c4",)
        assert (command.options.draft, command.options.redo, command.options.with_companions) == (True, True, True)


def test_table_has_a_row_for_each_target_and_five_columns(samples: Samples) -> None:
    endings = samples.every_ending()
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(render_status(view(samples, *endings)))
    first_table = tokens[: next(index for index, token in enumerate(tokens) if token.type == "table_close")]
    assert sum(token.type == "tr_open" for token in first_table) == len(endings) + 1
    assert sum(token.type == "td_open" for token in first_table) == 5 * len(endings)


@pytest.mark.parametrize(
    "name",
    ["a|b", "a`b", "a``b|c", "@everyone", "<!--x", "a-->b", "<script>", "[x](http://e)", "**b**", "{{7*7}}", "$&"],
)
def test_hostile_branch_name_comes_out_as_code_only(samples: Samples, name: str) -> None:
    text = render_status(view(samples, Failed(target=name, message="It failed.", hint="Try again.")))
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(text)
    inline = [child for token in tokens for child in token.children or ()]
    spans = [child.content for child in inline if child.type == "code_inline"]
    assert spans.count(name) == 2
    shown = "".join(child.content for child in inline if child.type == "text")
    assert "everyone" not in shown
    assert not {"html_inline", "strong_open_b", "image"} & {child.type for child in inline}
    assert [token.content for token in tokens if token.type == "html_block"][1:] == []


def test_comment_is_recognised_as_ours(samples: Samples) -> None:
    assert is_ours(render_status(view(samples, samples.opened())))


def test_comment_stays_under_what_github_takes(samples: Samples) -> None:
    many = [samples.conflicted(f"release/{number}-" + "x" * 180) for number in range(50)]
    text = render_status(view(samples, *many))
    assert len(text) <= MAX_COMMENT + 200
    assert "release/49-" in text


def test_template_of_the_configuration_takes_the_place_of_ours(samples: Samples) -> None:
    text = render_status(view(samples, samples.opened()), template="{{ summary }} for {{ requester|text }}")
    assert text.splitlines()[1:] == ["1 pull request opened for amd-maintainer"]
    assert is_ours(text)

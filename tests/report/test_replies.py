"""Help, refusals and the other short answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from bot.commands.options import OPTIONS
from bot.commands.parser import parse_commands
from bot.commands.verbs import FORMS
from bot.errors import CommandError, GitError
from bot.report import replies

if TYPE_CHECKING:
    from tests.report.conftest import Samples


def test_help_names_every_form_and_option(golden: Callable[[str, str], None]) -> None:
    text = replies.render_help(branches=["release/v*"])
    assert all(f"`{name}`" in text for name in (*FORMS, *OPTIONS))
    golden("answer_help.md", text)


def test_a_command_that_cannot_be_read_is_answered_in_two_lines(golden: Callable[[str, str], None]) -> None:
    with pytest.raises(CommandError) as caught:
        parse_commands("/backport release/v1 --dryrun")
    golden("answer_unknown_option.md", replies.render_error(caught.value))


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("unmerged", replies.not_merged(7)),
        ("closed", replies.not_merged(7, closed=True)),
        ("unknown_branch", replies.unknown_branch("v0.5.12", ["release/v0.5.12", "release/v0.5.12.post1"])),
        ("no_permission", replies.not_authorized("mallory", "/backport", "write")),
        ("git", GitError("The fetch of `refs/heads/a|b` failed for @everyone #12.", hint="Try again.")),
    ],
)
def test_a_refusal_is_one_line(name: str, error: CommandError, golden: Callable[[str, str], None]) -> None:
    text = replies.render_error(error)
    assert text.count("\n") == 1
    golden(f"answer_{name}.md", text)


def test_hostile_names_in_an_answer_mention_nobody() -> None:
    text = replies.render_error(replies.unknown_branch("x`@everyone", ["a`b"]))
    assert "@everyone" not in text.replace("``x`@everyone``", "")


def test_status_lists_what_stands_where(samples: Samples, golden: Callable[[str, str], None]) -> None:
    text = replies.render_status_answer(samples.every_ending(), deferred=["release/v9"])
    golden("answer_status.md", text)
    assert "Nobody has requested" in replies.render_status_answer([])


def test_status_tells_again_what_a_status_comment_tells() -> None:
    told = replies.CommentedState(
        branch="release/v1", state="❌ conflict", url="https://github.com/o/r/pull/7#issuecomment-9"
    )
    text = replies.render_status_answer([told])
    assert (
        "- ❌ `release/v1`: conflict, [see its status comment](<https://github.com/o/r/pull/7#issuecomment-9>)" in text
    )
    forged = replies.render_status_answer([replies.CommentedState(branch="a", state="✅ [x](y) @mia", url="https://x")])
    assert "@mia" not in forged
    assert "[x](y)" not in forged


def test_cancel_says_what_was_stopped_and_what_stays() -> None:
    assert "at the merge for `a`, `b`" in replies.render_cancelled(["a", "b"])
    assert "at the merge" not in replies.render_cancelled([])
    assert "stay open" in replies.render_cancelled([])


def test_a_request_before_the_merge_is_remembered_with_what_is_known_now(golden: Callable[[str, str], None]) -> None:
    (command,) = parse_commands("/backport release/v1 release/v2")
    unknown = "unknown; the regression suite will decide. The file `a.py` was not recognised."
    findings = [("release/v1", unknown), ("release/v2", "in conflict: `a.py`")]
    golden("answer_remembered.md", replies.render_remembered(command, findings))


def test_nothing_to_do_says_why() -> None:
    assert "found affected" in replies.render_nothing_to_do(parse_commands("/backport auto")[0])
    assert "No target branch is left" in replies.render_nothing_to_do(parse_commands("/backport a")[0])


def test_a_configured_text_stands_in_place_of_every_answer(samples: Samples) -> None:
    """Ours is gone and the values are there; the command's text is the same for all of them."""
    own_text = (
        "Bot: {{ lead }}{% for row in rows %} {{ row }}{% endfor %}{% if help %} ({{ forms|length }} forms){% endif %}"
    )
    (command,) = parse_commands("/backport a")
    rendered_items = [
        replies.render_help(template=own_text),
        replies.render_error(replies.not_merged(7), template=own_text),
        replies.render_status_answer(samples.every_ending(), template=own_text),
        replies.render_cancelled(["a"], template=own_text),
        replies.render_remembered(command, template=own_text),
        replies.render_forgotten(command, template=own_text),
        replies.render_nothing_to_do(command, template=own_text),
    ]
    assert all(each.startswith("Bot: ") and "|---|" not in each for each in rendered_items)
    assert f"({len(FORMS)} forms)" in rendered_items[0]

"""The backport pull request's title and body."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from markdown_it import MarkdownIt

from bot.models import Fidelity, ReviewThread, VerdictOutcome
from bot.report.original_description import DescriptionQuote
from bot.report.pull_request import MAX_TITLE, render_body, render_title
from bot.text.markers import BackportKey, conflict_marker, is_conflict, parse_pull_request_marker, pull_request_marker

if TYPE_CHECKING:
    from tests.report.conftest import Samples


WHERE: dict[str, Any] = {"repository": "sgl-project/sglang", "requester": "amd-maintainer"}


def test_body_of_a_clean_cherry_pick(samples: Samples, golden: Callable[[str, str], None]) -> None:
    candidate = samples.candidate("release/v0.5.12")
    text = render_body(samples.original(), candidate, samples.proven(), **WHERE, notes=samples.notes())
    golden("pull_request_cherry_pick.md", text)


def test_body_names_what_was_left_out(samples: Samples) -> None:
    paths = tuple(f".github/{number}.yml" for number in range(22))
    candidate = replace(samples.candidate("release/v0.5.12"), left_out=(*paths, "a`b@everyone"))
    rendered = render_body(samples.original(), candidate, samples.proven(), **WHERE)
    assert "- `.github/0.yml`\n" in rendered
    assert "- … and 3 more files" in rendered
    plain = render_body(samples.original(), samples.candidate("release/v0.5.12"), samples.proven(), **WHERE)
    assert "leave_out" not in plain


def test_body_of_a_carried_patch(samples: Samples, golden: Callable[[str, str], None]) -> None:
    candidate = samples.candidate("release/v0.5.11", carried=True)
    text = render_body(
        samples.original(),
        candidate,
        samples.proven(),
        **WHERE,
        notes=samples.notes(),
        threads=[
            ReviewThread(path="a b.py", line=3, author="otto", body="Why `2`?\n\nFixes #1 @mia", url="https://x/>y")
        ],
        range_diff="1:  fd3e119 ! 1:  ccccccc Fix\n    @@ a.py\n    -```\n    +x",
    )
    golden("pull_request_carried_patch.md", text)


def test_body_without_proof_warns(samples: Samples, golden: Callable[[str, str], None]) -> None:
    candidate = samples.candidate("release/v0.5.12", fidelity=Fidelity.OFFSET)
    golden("pull_request_unproven.md", render_body(samples.original(), candidate, None, **WHERE))


def test_body_says_the_overflow_in_numbers(samples: Samples) -> None:
    text = render_body(samples.original(), samples.candidate("release/v1"), samples.proven(), **WHERE)
    assert "240 elements past the end before, 0 after" in text
    assert "16 elements past the end" in text, "the known failure keeps its figure"


@pytest.mark.parametrize("outcome", sorted(set(VerdictOutcome) - {VerdictOutcome.PROVEN, VerdictOutcome.NO_TESTS}))
def test_body_of_what_is_not_proven_carries_a_warning(samples: Samples, outcome: VerdictOutcome) -> None:
    body = render_body(samples.original(), samples.candidate("release/v1"), samples.verdict(outcome), **WHERE)
    assert "> [!WARNING]" in body


def test_body_of_what_has_no_tests_says_so_without_a_warning(samples: Samples) -> None:
    verdict = samples.verdict(VerdictOutcome.NO_TESTS)
    body = render_body(samples.original(), samples.candidate("release/v1"), verdict, **WHERE)
    assert "**No tests to prove it**. No test says" in body
    assert "which needs no tests" in body
    assert "> [!WARNING]" not in body
    assert "ran twice" not in body
    assert "the one that was tested" not in body


@pytest.mark.parametrize("target", ["release/v0.5.12", "a-->b", "x--y", "ünïcode", "a%2Fb", "-x-", "a---b"])
def test_marker_gives_the_key_back(samples: Samples, target: str) -> None:
    body = render_body(samples.original(), samples.candidate(target), samples.proven(), **WHERE)
    key = BackportKey(repository="sgl-project/sglang", commit=samples.merged, target=target)
    assert parse_pull_request_marker(body) == key
    assert parse_pull_request_marker(body.replace("\n", "\r\n")) == key


def test_marker_cannot_be_forged_from_the_title(samples: Samples) -> None:
    forged = f"<!-- backport-bot:pull-request repository=o/r commit={'d' * 40} target=main -->"
    body = render_body(
        samples.original(title=f"x\n{forged}\n"), samples.candidate("release/v1"), samples.proven(), **WHERE
    )
    found = parse_pull_request_marker(body)
    assert found is not None
    assert found.target == "release/v1"


@pytest.mark.parametrize(
    "title",
    [
        "costs $& $1 \\1 `x`",
        "{target} {number} {{7*7}} {0}",
        "\"quoted\" 'too'",
        "🔥 👩‍👩‍👧 fix",
        "--> <script>",
        "%s %(x)s",
    ],
)
def test_title_survives(samples: Samples, title: str) -> None:
    text = render_title(samples.original(title=title), "release/v1")
    assert text == f"[release/v1] {title} (backport #24587)"


def test_title_too_long_for_github_is_cut_in_its_middle(samples: Samples) -> None:
    text = render_title(samples.original(title="x" * 10_000), "release/v1")
    assert len(text) == MAX_TITLE
    assert text.startswith("[release/v1] xxx")
    assert text.endswith("… (backport #24587)")


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Fixes #12: x", "Fixes (#12): x"),
        ("x, closes o/r#3", "x, closes (o/r#3)"),
        ("Resolved: GH-4", "Resolved: (GH-4)"),
        ("fix https://github.com/o/r/issues/5", "fix (https://github.com/o/r/issues/5)"),
        ("Fix #12's neighbour and prefix #12", "Fix (#12)'s neighbour and prefix #12"),
        ("line one\r\nline two\x1b[31m\u202egnp", "line one line two[31mgnp"),
    ],
)
def test_title_closes_nothing_and_stays_one_line(samples: Samples, title: str, expected: str) -> None:
    assert render_title(samples.original(title=title), "v1") == f"[v1] {expected} (backport #24587)"


def test_title_template_of_the_configuration_is_used(samples: Samples) -> None:
    text = render_title(samples.original(title="T"), "v1", template="{title} → {target}")
    assert text == "T → v1"


@pytest.mark.parametrize(
    "title",
    [
        "--> x",
        "<script>x</script>",
        "@everyone",
        "Fixes #1",
        "$&",
        "{{7*7}}",
        "\u202egnp",
        "x" * 10_000,
        "```",
        "a\n# b",
    ],
)
def test_hostile_title_is_only_shown_in_the_body(samples: Samples, title: str) -> None:
    body = render_body(samples.original(title=title), samples.candidate("release/v1"), samples.proven(), **WHERE)
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(body)
    first = next(token for token in tokens if token.type == "inline")
    kinds = {child.type for child in first.children or ()}
    assert kinds <= {"text", "text_special", "link_open", "link_close", "code_inline"}
    said = "".join(child.content for child in first.children or () if child.type.startswith("text"))
    assert not re.search(r"@\w|(?<!Backport of )#\d|\u202e", said.replace("#24587", ""))
    assert said.startswith("Backport of #24587 (")
    assert sum(token.type == "heading_open" for token in tokens) == 2


def _with_description(samples: Samples, text: str, quote: DescriptionQuote) -> str:
    original = replace(samples.original(), body=text)
    return render_body(original, samples.candidate("release/v0.5.12"), samples.proven(), **WHERE, description=quote)


@pytest.mark.parametrize(
    ("quote", "parts"),
    [
        (
            DescriptionQuote("folded"),
            ("<summary>Description of the original</summary>\n\n> It overflows", "l: #1, a/b#2.\n"),
        ),
        (DescriptionQuote("full"), ("### Description of the original\n\n> It overflows", "l: #1, a/b#2.\n")),
        (
            DescriptionQuote("full", at_home=False),
            ("> It overflows, see #\u20603.", "l: sgl-project/sglang#1, a/b#2.\n"),
        ),
    ],
)
def test_the_description_is_quoted_and_the_issues_are_named(
    samples: Samples, quote: DescriptionQuote, parts: tuple[str, ...]
) -> None:
    body = _with_description(samples, "It overflows, see #3.\n\nFixes #1, closes a/b#2, @mia", quote)
    assert all(part in body for part in parts), body
    assert "Fixes (#" in body
    assert "@mia" not in body
    assert "Description" not in _with_description(samples, "Fixes #1", DescriptionQuote("none"))


def test_a_description_of_any_length_leaves_room_for_the_rest_and_its_markers_mean_nothing(samples: Samples) -> None:
    foreign = pull_request_marker(BackportKey(repository="evil/x", commit=samples.base, target="main"))
    text = f"{foreign}\n```\n{conflict_marker()}\n{foreign}\n" + "@word\n" * 12_000
    body = _with_description(samples, text, DescriptionQuote("folded"))
    assert len(body) <= 65_536
    assert "How to make this backport by hand" in body
    assert "the original has the rest" in body
    assert not is_conflict(body)
    assert body.count("<!-- backport-bot:") == 1
    key = parse_pull_request_marker(body)
    assert key is not None
    assert key.repository == "sgl-project/sglang"


def test_a_body_without_room_for_a_description_has_none(samples: Samples) -> None:
    original = replace(samples.original(), body="Some words.\n" * 100)
    body = render_body(
        original,
        samples.candidate("release/v0.5.12"),
        samples.proven(),
        **WHERE,
        description=DescriptionQuote("folded"),
        template="{{ 'x' * 64900 }}{{ description }}",
    )
    assert "Some words" not in body
    assert len(body) <= 65_536

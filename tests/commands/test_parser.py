"""The grammar of a `/backport` line, and where in a comment one counts."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bot.commands.options import OPTIONS
from bot.commands.parser import MAX_TARGETS, Command, parse_commands
from bot.commands.verbs import KEYWORDS, Verb
from bot.errors import CommandError
from bot.models import BackportOptions
from bot.text.branch_names import is_glob, name_problem, pattern_problem


def targets(body: str) -> list[tuple[str, ...]]:
    return [command.targets for command in parse_commands(body)]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("/backport release/v0.5.12", [("release/v0.5.12",)]),
        ("/backport a b  a", [("a", "b")]),
        ("/backport a, b,c", [("a", "b", "c")]),
        ("/backport `release/v1` `b`", [("release/v1", "b")]),
        ("/backport `a,b` `c`,`d`", [("a,b", "c", "d")]),
        ("/backport to main", [("main",)]),
        ("/backport release/v0.5.*", [("release/v0.5.*",)]),
        ("/backport release/* hotfix/*", [("release/*", "hotfix/*")]),
        ("/backport all", [("all",)]),
        ("/backport a\r\n/backport b\r\n", [("a",), ("b",)]),
        ("Thanks!\n\n/backport a", [("a",)]),
        ("Thanks!\n/backport a\nplease", [("a",)]),
        ("/backport\u00a0a\u2003b\t c", [("a", "b", "c")]),
        ("   /backport a", [("a",)]),
        ("/backport a\n---", [("a",)]),
        ("<details>\n\n/backport a\n\n</details>", [("a",)]),
        ("text \\\n/backport a_b_c", [("a_b_c",)]),
        ("<blockquote>\n\n/backport x\n\n</blockquote>\n\n/backport y", [("y",)]),
        ("/backport 日本語/ü", [("日本語/ü",)]),
    ],
)
def test_a_line_of_plain_text_is_a_command(body: str, expected: list[tuple[str, ...]]) -> None:
    assert targets(body) == expected


@pytest.mark.parametrize(
    "body",
    [
        "",
        "please /backport a",
        "```\n/backport a\n```",
        "~~~ text\n/backport a\n",
        "    /backport a",
        "\t/backport a",
        "`/backport a`",
        "`x\n/backport a\n`",
        "> /backport a",
        "> quoted\n/backport lazily-continued",
        "- /backport a",
        "1. /backport a",
        "# /backport a",
        "<!-- /backport a -->",
        "<!--\n\n/backport a\n\n-->",
        "text <!--\n/backport a\n-->",
        "<div>\n/backport a\n</div>",
        "<pre>\n\n/backport a\n\n</pre>",
        "<blockquote>\n\n/backport a\n\n</blockquote>",
        "\\/backport a",
        "/backports a",
        "/backport-me a",
        "//backport a",
        "http://example.org/backport a",
        "/cherry-pick a",
        "x" * 70_000 + "\n/backport a",
    ],
)
def test_anything_else_is_not(body: str) -> None:
    assert parse_commands(body) == ()


@pytest.mark.parametrize("verb", KEYWORDS)
def test_other_verbs_stand_alone(verb: Verb) -> None:
    assert parse_commands(f"/backport {verb}") == (Command(verb=verb),)
    with pytest.raises(CommandError, match="Nothing was started"):
        parse_commands(f"/backport {verb} release/v1")


@pytest.mark.parametrize("name", OPTIONS)
def test_each_option_sets_its_field(name: str) -> None:
    (command,) = parse_commands(f"/backport a {name}")
    option = OPTIONS[name]
    assert getattr(command.options, option.field) == option.value
    assert command.options != BackportOptions()


def test_options_stand_anywhere_and_a_long_dash_is_two() -> None:
    (command,) = parse_commands("/backport --draft a \N{EM DASH}dry-run b")
    assert command.targets == ("a", "b")
    assert command.options == BackportOptions(draft=True, dry_run=True)


@pytest.mark.parametrize(
    ("body", "message", "hint"),
    [
        ("/backport", "no target branch", "/backport help"),
        ("/backport --dry-run", "only options", "/backport help"),
        ("/backport a --dryrun", "`--dryrun`", "`--dry-run`"),
        ("/backport a -dry-run", "`-dry-run`", "`--dry-run`"),
        ("/backport a --zzz", "`--zzz`", "`--with-companions`"),
        ("/Backport a", "lower case", "`/backport a`"),
        ("/backport: a", "followed by a space", "`/backport a`"),
        ("/backport auto a", "takes no branches", "/backport auto"),
        ("/backport a..b", "contains `..`", "separated by spaces"),
        ("/backport a@{1}", "@{", ""),
        ("/backport /a", "empty part", ""),
        ("/backport a\u202eb", "U+202E", ""),
        ("/backport a\u200bb", "U+200B", ""),
        ("/backport " + "x" * 300, "longer than", ""),
        ("/backport " + " ".join(f"b{n}" for n in range(MAX_TARGETS + 1)), "more than", ""),
        ("\n\n".join(["/backport a"] * 11), "more than 10 commands", ""),
        ("/backport a\n/backport b --nope", "`--nope`", ""),
        ("/backport a --commits", "No commit follows", "--commits 1a2b"),
        ("/backport a --commits HEAD", "No commit follows", "--commits 1a2b"),
        ("/backport a --commit 1a2b3c4", "`--commit`", "`--commits`"),
        ("/backport a --commits " + " ".join(f"{n:07x}" for n in range(51)), "more than 50", "pull requests"),
    ],
)
def test_what_cannot_be_read_says_so_and_what_to_write(body: str, message: str, hint: str) -> None:
    with pytest.raises(CommandError) as caught:
        parse_commands(body)
    assert message in caught.value.message
    assert "Nothing was started." in caught.value.message
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("body", "targets", "commits"),
    [
        ("/backport v1 --commits 1a2b3c4 5D6E7F8", ("v1",), ("1a2b3c4", "5d6e7f8")),
        ("/backport --commits 1a2b3c4,5d6e7f8 v1", ("v1",), ("1a2b3c4", "5d6e7f8")),
        ("/backport v1 --commits `1a2b3c4` --draft", ("v1",), ("1a2b3c4",)),
        ("/backport v1 --commits 1a2b3c4 --commits 1a2b3c4", ("v1",), ("1a2b3c4",)),
    ],
)
def test_commits_are_named_after_their_option(body: str, targets: tuple[str, ...], commits: tuple[str, ...]) -> None:
    (command,) = parse_commands(body)
    assert (command.targets, command.commits) == (targets, commits)


@pytest.mark.parametrize(
    "body",
    [
        "/backport to status",
        "/backport to to a",
        "/backport cancel",
        "/backport auto --no-prove --redo",
        "/backport a b/* --commits 1a2b3c4 --draft",
    ],
)
def test_a_command_that_is_written_out_reads_as_itself(body: str) -> None:
    (command,) = parse_commands(body)
    assert parse_commands(str(command)) == (command,)


_BRANCH = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._/,*-]{0,20}", fullmatch=True) | st.sampled_from(
    [*Verb, "to", "all", "Status", "TO"]
)
_OPTIONS = st.fixed_dictionaries({option.field: st.booleans() for option in OPTIONS.values()}).map(
    lambda fields: BackportOptions(**fields)
)
_COMMITS = st.lists(st.from_regex("[0-9a-f]{7,40}", fullmatch=True), max_size=4, unique=True).map(tuple)


@settings(max_examples=300, deadline=None)
@given(st.lists(_BRANCH, min_size=1, max_size=3, unique=True).map(tuple), _OPTIONS, _COMMITS)
def test_a_request_that_is_written_out_reads_as_itself(
    names: tuple[str, ...], options: BackportOptions, commits: tuple[str, ...]
) -> None:
    command = Command(verb=Verb.BACKPORT, targets=names, options=options, commits=commits)
    problems = [pattern_problem(name) if is_glob(name) else name_problem(name) for name in names]
    assume(not any(problems))
    assert parse_commands(str(command)) == (command,)


def test_a_request_is_offered_for_one_branch_with_all_else_as_it_was_asked() -> None:
    (asked,) = parse_commands("/backport a b --draft --no-prove --commits 1a2b3c4")
    assert str(asked.onto("status", redo=True)) == "/backport to status --draft --no-prove --redo --commits 1a2b3c4"


@settings(max_examples=300, deadline=None)
@given(st.text())
def test_no_comment_breaks_the_parser(text: str) -> None:
    for body in (text, f"/backport {text}", f"{text}\n/backport a"):
        with contextlib.suppress(CommandError):
            assert all(parse_commands(str(command)) == (command,) for command in parse_commands(body))


@pytest.mark.parametrize("filler", ["[", "`a", "*a_ ", "> ", "<", "![](<", "[a](", "&", "\n/backport x"])
@pytest.mark.parametrize("beginning", ["", "/backport x\n" * 9], ids=["alone", "with commands"])
def test_a_comment_made_to_be_slow_is_read_at_once(beginning: str, filler: str) -> None:
    start = time.process_time()
    with contextlib.suppress(CommandError):
        parse_commands((beginning + filler * 60_000)[:60_000] + "\n/backport x")
    assert time.process_time() - start < 2


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("<a title='\n/backport a\n'>", []),
        ("<a b\n/backport a\n> c", [("a",)]),
        ("[a](b '\n/backport a\n')", []),
        ("[a](b '\n/backport a\n", [("a",)]),
        ("``x` y\n/backport a\n``", []),
        ("``x`\n/backport a", [("a",)]),
        ("\\`x\n/backport a\n`", [("a",)]),
        ("<?x\n/backport a\n?>", []),
        ("a <?x\n/backport a", [("a",)]),
        ("a <![CDATA[\n/backport a\n]]>", []),
        ("*x\n/backport a\n*", [("a",)]),
    ],
)
def test_what_is_not_shown_as_text_is_no_command(body: str, expected: list[tuple[str, ...]]) -> None:
    assert targets(body) == expected

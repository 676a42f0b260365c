"""When a workflow starts on a pull request, by its file. The expectations are GitHub's documentation and examples."""

from __future__ import annotations

import time

import pytest

from bot.analysis.workflow_filters import matches_filter, selects
from bot.analysis.workflow_triggers import MOST_FILES, UnclearWorkflow, pull_request_trigger

FILES = ["python/sglang/srt/layers/attention/aiter_backend.py"]


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        *(
            ("*", "Octo", True),
            ("*", "a/b", False),
            ("**", "a/b", True),
            ("main", "main", True),
            ("main", "maine", False),
        ),
        *(("releases/**", "releases/beta/3-alpha", True), ("releases/*", "releases/a/b", False)),
        *(("**-release", "seattle-release", True), ("**-release", "a/b-release", True), ("*x", "", False)),
        *(("v2*", "v2.9", True), ("v[12].[0-9]+.[0-9]+", "v1.10.1", True), ("v[12].[0-9]+.[0-9]+", "v3.1.0", False)),
        *(("*.jsx?", "page.js", True), ("*.jsx?", "page.jsx", True), ("*.jsx?", "page.jsxx", False)),
        *(
            ("**/docs/**", "docs/hello.md", True),
            ("**/docs/**", "dir/docs/my.txt", True),
            ("**/docs/**", "mydocs/a", False),
        ),
        *(
            ("**/README.md", "README.md", True),
            ("**/README.md", "js/README.md", True),
            ("docs/**/*.md", "docs/a.md", True),
        ),
        *(
            ("**/*src/**", "a/src/app.js", True),
            ("**/*src/**", "my-src/code/js/app.js", True),
            ("**.js", "js/a.js", True),
        ),
        *(("release/v0.5.1[0-9]", "release/v0.5.12", True), ("release/v0.5.1[0-9]", "release/v0.5.9", False)),
        *(("a+", "aaa", True), ("a+", "", False), ("a?b", "b", True), ("a?b", "aab", False)),
        *(
            ("[z", "[z", None),
            ("+a", "a", None),
            ("a\\*", "a*", None),
            ("**+", "a", None),
            ("***", "a", None),
            ("", "", None),
        ),
        *(("[!a]", "b", None), ("x" * 301, "x", None)),
    ],
)
def test_patterns_are_those_of_github(pattern: str, text: str, matches: bool | None) -> None:
    assert matches_filter(pattern, text) is matches


@pytest.mark.parametrize(
    ("patterns", "text", "is_selected"),
    [
        (["releases/**", "!releases/**-alpha"], "releases/10", True),
        (["releases/**", "!releases/**-alpha"], "releases/beta/3-alpha", False),
        (["*.md", "!README.md", "README*"], "README.md", True),
        (["!main"], "release", False),
        (["main", "[?"], "main", None),
    ],
)
def test_the_last_pattern_that_matches_decides(patterns: list[str], text: str, is_selected: bool | None) -> None:
    assert selects(patterns, text) is is_selected


def test_no_pattern_takes_long() -> None:
    start = time.thread_time()
    assert matches_filter("*a**b+" * 40 + "c", "ab" * 2000) is False
    assert time.thread_time() - start < 5


@pytest.mark.parametrize(
    ("on", "starts"),
    [
        *(
            ("pull_request", True),
            ("[push, pull_request]", True),
            ("{pull_request: }", True),
            ("{pull_request: {}}", None),
        ),
        *(("{pull_request: {branches: [main]}}", False), ("{pull_request: {branches: release/*}}", True)),
        *(("{pull_request: {branches-ignore: [main]}}", True), ("{pull_request: {branches-ignore: ['**']}}", False)),
        *(("{pull_request: {paths: ['docs/**']}}", False), ("{pull_request: {paths: ['python/**', '!**/x']}}", True)),
        *(("{pull_request: {paths-ignore: ['**.py']}}", False), ("{pull_request: {paths-ignore: ['docs/**']}}", True)),
        *(("{pull_request: {types: [labeled]}}", None), ("{pull_request: {types: [labeled, opened]}}", True)),
        *(("{pull_request: {branches: ['[?']}}", None), ("{pull_request: {branches: [main], paths: ['[?']}}", False)),
    ],
)
def test_a_workflow_starts_as_its_filters_say(on: str, starts: bool | None) -> None:
    trigger = pull_request_trigger(f"name: PR Test\non: {on}\njobs: {{}}\n".encode())
    if on.endswith("{}}"):
        assert trigger is not None
        assert trigger.filters == {}
        return
    assert trigger is not None
    assert trigger.name == "PR Test"
    assert trigger.starts("release/v0.5.12", FILES) is starts


@pytest.mark.parametrize("on", ["push", "[push, schedule]", "{workflow_dispatch: , push: {branches: [main]}}", "''"])
def test_what_is_not_for_pull_requests_is_no_check(on: str) -> None:
    assert pull_request_trigger(f"on: {on}\n".encode()) is None


BOMB = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (letter + 1, letter + 1, b",".join([b"*%c" % letter] * 9)) for letter in range(97, 105)
)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"- a list",
        b"on: [",
        b"on: \xff",
        BOMB + b"on: {pull_request: {branches: *i}}",
        b"on: &a\n  pull_request: *a",
        b"on: !!python/object/apply:os.system [id]",
        b"on: {pull_request: {branches: {a: b}}}",
        b"on: {pull_request: {branches: []}}",
        b"on: {pull_request: {unheard-of: [a]}}",
        b"on: push\non: pull_request",
        b"<<: {on: pull_request}\n",
        b"on: " + b"[" * 5000 + b"]" * 5000,
        b"jobs: " + b"[" * 20000 + b"]" * 20000 + b"\non: pull_request",
        b"on: pull_request\n" + b"x: y\n" * 200_000,
    ],
    ids=lambda content: repr(content[-24:]),
)
def test_of_what_is_not_plain_nothing_is_said(content: bytes) -> None:
    start = time.thread_time()
    with pytest.raises(UnclearWorkflow):
        pull_request_trigger(content)
    assert time.thread_time() - start < 10


def test_anchors_outside_of_what_counts_do_no_harm() -> None:
    trigger = pull_request_trigger(BOMB + b"on: pull_request\njobs: *i\n")
    assert trigger is not None
    assert trigger.starts("main", FILES) is True


def test_github_compares_no_more_than_so_many_files() -> None:
    trigger = pull_request_trigger(b"on: {pull_request: {paths: ['docs/**']}}")
    assert trigger is not None
    files = [f"src/{number}" for number in range(MOST_FILES + 1)]
    assert trigger.starts("main", files[1:]) is False
    assert trigger.starts("main", files) is None

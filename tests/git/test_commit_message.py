"""Backport messages: credit stays a trailer block, by `git interpret-trailers` itself."""

from __future__ import annotations

import subprocess

import pytest

from bot.git.commit_message import backport_message, picked_from, reverted_commits, with_trailer
from bot.history.message_references import parse_references
from bot.models import Sha
from bot.text.closing_keywords import skips_ci
from tests.git.history import ENVIRONMENT

ORIGINAL = Sha("a" * 40)
LINE = f"(cherry picked from commit {ORIGINAL})"
CREDIT = "Co-authored-by: Bea <bea@example.org>\nSigned-off-by: Ada <ada@example.org>"


def _trailers(message: str) -> str:
    command = ["git", "-c", "trailer.separators=:", "interpret-trailers", "--parse"]
    result = subprocess.run(command, input=message.encode(), capture_output=True, check=True, env=ENVIRONMENT)
    return result.stdout.decode().strip()


@pytest.mark.parametrize(
    "message",
    [
        f"Fix (#1)\n\nBody.\n\n{CREDIT}\n",
        f"Fix (#1)\n\n{CREDIT}",
        f"Fix (#1)\n\n* one\n* two: three\n\n---------\n\n{CREDIT}\n\n\n",
        f"Fix (#1)\r\n\r\nBody.\n\n{CREDIT}\n",
        f"Fix\n\nBody\n\nReviewed-by: C\n  continued\n{CREDIT}",
        f"Fix\r\n\r\nBody.\r\n\r\n{CREDIT}\r\n".replace("\n", "\r\n").replace("\r\r", "\r"),
    ],
)
def test_credit_stays_a_trailer_block(message: str) -> None:
    written = backport_message(message, [ORIGINAL], ["A note."])
    assert CREDIT in _trailers(written)
    assert _trailers(written) == _trailers(message).replace("\r", "")
    assert written.count(f"\n\n{LINE}\n\n") == 1


@pytest.mark.parametrize(
    "message",
    [
        "Fix: a title that looks like a trailer",
        "Fix\n\nJust: a sentence,\nthat goes on",
        "Fix\n\nBody.",
        "",
        "Fix\n\n\n",
    ],
)
def test_line_ends_a_message_without_trailers(message: str) -> None:
    assert backport_message(message, [ORIGINAL]).endswith(f"{LINE}\n")
    assert backport_message(message, [ORIGINAL]).startswith(message.rstrip())


@pytest.mark.parametrize(
    "message", ["Fix", "Fix\n\nBody.", f"Fix\n\n{CREDIT}", "Fix: it", f"Fix\n\nBody\n\n{CREDIT}\n"]
)
def test_a_trailer_is_added_once_and_the_line_of_the_original_stays_outside(message: str) -> None:
    picked = backport_message(message, [ORIGINAL])
    signed_message = with_trailer(picked, "Signed-off-by", "Bot <bot@example.org>")
    before = _trailers(message)
    assert _trailers(signed_message) == f"{before}\nSigned-off-by: Bot <bot@example.org>".strip()
    assert with_trailer(signed_message, "Signed-off-by", "Bot <bot@example.org>") == signed_message
    assert f"\n\n{LINE}\n\n" in signed_message


def test_every_original_of_a_series_is_named() -> None:
    other_sha = Sha("b" * 40)
    assert picked_from(backport_message("Fix", [ORIGINAL, other_sha])) == (ORIGINAL, other_sha)


def test_quoted_line_names_no_original() -> None:
    assert picked_from(f"Fix\n\n> {LINE}\n  {LINE}\nsee {LINE}\n") == ()


def test_revert_is_read_from_the_body() -> None:
    assert reverted_commits(f'Revert "Fix"\n\nThis reverts commit {ORIGINAL}.\n') == (ORIGINAL,)


OTHER = "b" * 40


@pytest.mark.parametrize(
    "theirs",
    [
        f"(cherry picked from commit {OTHER})",
        f"(cherry picked from commit {OTHER[:9]})",
        f"(Cherry-picked from {OTHER})",
        f"  (cherry picked from commit {OTHER}).",
        f"Was cherry picked from commit {OTHER} by hand.",
    ],
)
@pytest.mark.parametrize("place", ["Fix\n\n{}", "Fix\n\nBody\n\n{}\n\nMore.", "Fix\n\n{}\n{credit}", "Fix {}"])
def test_what_the_original_says_of_being_a_pick_is_not_said_by_the_backport(theirs: str, place: str) -> None:
    message = backport_message(place.format(theirs, credit=CREDIT), [ORIGINAL])
    claims = parse_references(message)
    assert (claims.sources, claims.hashes) == ((ORIGINAL,), ())
    assert theirs.strip("() .") not in message
    assert OTHER[:9] in message
    assert "credit" not in place or CREDIT in _trailers(message)


@pytest.mark.parametrize(
    "words",
    [
        *("Fix [skip ci]", "Fix\n\nWhy [ci skip].", "Fix\n\n[no ci]", "Fix\n\n[Skip Actions]", "[actions skip] Fix"),
        *("Fix\n\n[skip-ci]", "Fix ***NO_CI***", "Fix [skip azp]", "Fix [travis skip]", "Fix [ skip ci ]"),
        *(
            "Fix\n\nWhy.\n\n\nskip-checks: true",
            "Fix\n\nskip-checks:true\n" + CREDIT,
            "Fix\r\n\r\nSkip-Checks: true\r\n",
        ),
    ],
)
def test_a_request_to_skip_ci_does_not_come_along_and_that_is_said(words: str) -> None:
    message = backport_message(words, [ORIGINAL])
    assert skips_ci(words)
    assert not skips_ci(message)
    assert "asks CI to skip it" in message
    assert CREDIT not in words or CREDIT in _trailers(message)
